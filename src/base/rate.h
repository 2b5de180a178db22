/* A limit of bytes per second: a token bucket, stored as the time at which the
 * bytes that were moved so far are paid for. */
#ifndef BASE_RATE_H
#define BASE_RATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

struct rate {
	/* Bytes per second; 0 is no limit. */
	int64_t limit;
	/* When all bytes that were moved so far are paid for. */
	int64_t paid_ns;
};

/* Returns how many of n bytes may be moved at once: as many as are allowed in a
 * fiftieth of a second, at least one. A NULL, here and below, is no limit. */
size_t rate_piece(const struct rate *r, size_t n);

/* Returns when the next piece may be moved; deadline_none() if it may be moved
 * now. Call this before choosing what to poll; a pause that ended in between
 * would be missed. */
struct deadline rate_next(const struct rate *r);

/* Counts n bytes that were moved. After a pause, at most 200 ms of it are
 * caught up. */
void rate_spend(struct rate *r, size_t n);

#endif
