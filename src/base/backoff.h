/* A pause between tries that doubles each time, up to a maximum. */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

/* All three in the same unit, the caller's. */
struct backoff {
	int64_t min, max;
	int64_t pause; /* the previous pause; 0: none yet, or restart at min */
};

/* Returns the next pause: min, then twice the previous one, at most max. */
static inline int64_t
backoff_next(struct backoff *b)
{
	if (b->pause == 0)
		b->pause = b->min;
	else
		b->pause = b->pause < b->max - b->pause ? 2 * b->pause : b->max;
	return b->pause;
}

#endif
