/* A pause between attempts that doubles each time. */
#include "base/backoff.h"

int64_t
backoff_next(struct backoff *b)
{
	if (b->pause == 0)
		b->pause = b->min;
	else
		b->pause = b->pause < b->max - b->pause ? 2 * b->pause : b->max;
	return b->pause;
}
