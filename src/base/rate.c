/* A limit of bytes per second. */
#include "base/rate.h"

#define PIECES 50
#define CREDIT_MS 200

size_t
rate_piece(const struct rate *r, size_t n)
{
	uint64_t piece;

	if (r == NULL || r->limit == 0)
		return n;
	piece = (uint64_t)r->limit / PIECES + 1;
	return n < piece ? n : (size_t)piece;
}

struct deadline
rate_next(const struct rate *r)
{
	if (r == NULL || r->limit == 0 || r->paid_ns <= clock_now())
		return deadline_none();
	return (struct deadline){.at_ns = r->paid_ns};
}

void
rate_spend(struct rate *r, size_t n)
{
	int64_t earliest_ns = clock_now() - CREDIT_MS * CLOCK_MS;

	if (r == NULL || r->limit == 0)
		return;
	if (r->paid_ns == 0)
		r->paid_ns = clock_now();
	if (r->paid_ns < earliest_ns)
		r->paid_ns = earliest_ns;
	r->paid_ns += (int64_t)((double)n * 1e9 / (double)r->limit);
}
