/*
 * The receive low-water mark of a stream socket (socket(7), SO_RCVLOWAT). It is
 * raised during a bulk transfer, so that poll(2) reports the socket readable
 * only for a large piece or the end: a wake-up for few bytes costs both ends
 * more than the bytes. When less arrives, the mark is lowered: no byte is held
 * back for longer than LOW_WATER_MS.
 */
#ifndef RELAY_LOW_WATER_H
#define RELAY_LOW_WATER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

/* The longest time to hold bytes back. */
#define LOW_WATER_MS 1

struct low_water {
	int fd;          /* the caller's; -1: the mark is never set */
	bool is_raised;  /* poll(2) waits for a large piece */
	unsigned streak; /* consecutive large pieces */
	int64_t last_ns; /* when the last piece was received */
};

/* fd is a socket that no other process shares, since the mark is the socket's;
 * or -1. */
void low_water_init(struct low_water *w, int fd);

/* Records that n bytes were received at now_ns. May raise the mark. */
void low_water_note(struct low_water *w, size_t n, int64_t now_ns);

/* Until when a raised mark may hold bytes back, or deadline_none(). */
struct deadline low_water_deadline(const struct low_water *w);

/* Lowers the mark to one byte. Call it when reading ends, and when the deadline
 * has passed and poll(2) does not report the socket readable. */
void low_water_lower(struct low_water *w);

#endif
