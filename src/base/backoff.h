/* A pause between tries that doubles each time, up to a maximum. */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

/* All members have one unit, which the caller chooses. */
struct backoff {
	/* The first pause, and the longest. */
	int64_t min, max;
	/* The previous pause. With 0 the next one is min. */
	int64_t pause;
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
