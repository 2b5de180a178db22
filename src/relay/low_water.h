/*
 * The receive low-water mark of a stream socket (socket(7), SO_RCVLOWAT).
 * While much comes, poll(2) is to call the socket readable only when a large
 * piece is there, or the end: a wake-up costs the sender and us more than the
 * bytes that it is for. As soon as less comes, every byte counts again: none
 * is kept back for longer than LOW_WATER_MS.
 */
#ifndef RELAY_LOW_WATER_H
#define RELAY_LOW_WATER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

/* How long bytes may be kept back for want of more. */
#define LOW_WATER_MS 1

struct low_water {
	int fd;          /* the caller's; -1: no mark is ever set */
	bool is_raised;  /* poll(2) waits for a large piece */
	unsigned streak; /* large pieces in a row */
	int64_t last_ns; /* when the last piece came */
};

/* The mark of fd, a socket of our own: others would share what is set. */
void low_water_init(struct low_water *w, int fd);

/* n bytes were received just now, at now_ns. May raise the mark. */
void low_water_note(struct low_water *w, size_t n, int64_t now_ns);

/* Until when a raised mark may keep bytes back; else deadline_none(). */
struct deadline low_water_deadline(const struct low_water *w);

/* Every byte counts again. To be called when the deadline has passed and
 * poll(2) still calls the socket not readable, and when nobody reads on. */
void low_water_lower(struct low_water *w);

#endif
