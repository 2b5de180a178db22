/*
 * How many answers a second one peer gets, so that a forged sender's address
 * makes no flood of them. A bucket a host in a table of fixed size; no
 * sockets, the times are the caller's.
 */
#ifndef UDP_RATE_LIMIT_H
#define UDP_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct addr;

struct rate_limit_bucket;

struct rate_limit {
	struct rate_limit_bucket *buckets; /* owned; NULL: no limit */
	int64_t gap_ns;   /* between answers when it is exhausted */
	int64_t burst_ns; /* what may be saved up: a second's worth */
	bool counts_turns;
	int64_t rest_ns; /* how long one is refused that has used it up */
};

/* per_second answers to one host; 0: no limit. rate_limit_release() is due. */
void rate_limit_start(struct rate_limit *r, int64_t per_second);

/*
 * Turns count, not answers: up to 16 at the same time are one. What may be
 * saved up is burst of them, and who has used it up rests for so long.
 */
void rate_limit_count_turns(
    struct rate_limit *r, int64_t burst, int64_t rest_ns);

/* Whether one more answer to this host is within its limit; counts it. */
bool rate_limit_allows(
    struct rate_limit *r, const struct addr *host, int64_t now_ns);

void rate_limit_release(struct rate_limit *r);

#endif
