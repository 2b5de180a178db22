/*
 * The receive low-water mark of a stream socket (socket(7), SO_RCVLOWAT).
 * During a bulk transfer it is raised, so that poll(2) reports the socket
 * readable only when a large piece is there, or the end: a wake-up for few
 * bytes costs both ends more than the bytes. When less comes, the mark
 * is lowered: no byte is held back for longer than LOW_WATER_MS.
 */
#ifndef RELAY_LOW_WATER_H
#define RELAY_LOW_WATER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

/* How long bytes may be held back. */
#define LOW_WATER_MS 1

struct low_water {
	int fd;          /* the caller's; -1: no mark is ever set */
	bool is_raised;  /* poll(2) waits for a large piece */
	unsigned streak; /* large pieces in a row */
	int64_t last_ns; /* when the last piece came */
};

/* fd is a socket of this process alone, or -1: others would share the mark. */
void low_water_init(struct low_water *w, int fd);

/* n bytes were received just now, at now_ns. May raise the mark. */
void low_water_note(struct low_water *w, size_t n, int64_t now_ns);

/* Until when a raised mark may hold bytes back; else deadline_none(). */
struct deadline low_water_deadline(const struct low_water *w);

/* Lowers the mark to one byte. To be called when the deadline has passed while
 * poll(2) does not report the socket readable, and when reading ends. */
void low_water_lower(struct low_water *w);

#endif
