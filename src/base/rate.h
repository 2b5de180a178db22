/* A limit of bytes per second: a token bucket, stored as the time at which the
 * bytes that were moved so far are paid for. */
#ifndef BASE_RATE_H
#define BASE_RATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

struct rate {
	int64_t limit; /* bytes per second; 0: none */
	int64_t paid_ns;
};

/* How many of n bytes may be moved at once: what a fiftieth of a second
 * allows, at least one. rate may be NULL, in all of these. */
size_t rate_piece(const struct rate *r, size_t n);

/* When the next piece may be moved; deadline_none() if it may be moved now. A
 * caller that polls gets this before it decides what to poll: otherwise a pause
 * that ends in between would neither be polled for nor be waited for. */
struct deadline rate_next(const struct rate *r);

/* Counts n bytes that were moved. At most 200 ms of a pause are made up for. */
void rate_spend(struct rate *r, size_t n);

#endif
