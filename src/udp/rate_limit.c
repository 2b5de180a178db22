/* Token buckets that limit the answers per second to each host. */
#include "udp/rate_limit.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/addr.h"

/* Sets of the table, and hosts in each: the oldest gives way. */
#define SETS 4096
#define WAYS 4
/* Answers at one time that are a turn. */
#define TURN 16

struct rate_limit_bucket {
	struct addr host; /* len 0: free */
	int64_t full_ns;  /* when the bucket will be full again */
	int64_t rests_until_ns;
	int64_t turn_ns; /* when it was last allowed */
	unsigned turn;   /* how many more at that time */
};

void
rate_limit_start(struct rate_limit *r, int64_t per_second)
{
	memset(r, 0, sizeof(*r));
	if (per_second <= 0)
		return;
	r->buckets = mem_array(SETS * WAYS, sizeof(r->buckets[0]));
	r->gap_ns = CLOCK_SECOND / per_second;
	r->burst_ns = CLOCK_SECOND - r->gap_ns;
}

void
rate_limit_count_turns(struct rate_limit *r, int64_t burst, int64_t rest_ns)
{
	r->counts_turns = true;
	r->burst_ns = (burst - 1) * r->gap_ns;
	r->rest_ns = rest_ns;
}

/* Where a host's set begins: FNV-1a over its address. */
static size_t
set_of(const struct addr *host)
{
	const unsigned char *bytes = (const void *)&host->u.in6.sin6_addr;
	size_t n = sizeof(host->u.in6.sin6_addr), i;
	uint32_t hash = 2166136261U;

	if (addr_family(host) == AF_INET) {
		bytes = (const void *)&host->u.in4.sin_addr;
		n = sizeof(host->u.in4.sin_addr);
	} else if (addr_family(host) != AF_INET6) {
		bytes = (const void *)&host->u;
		n = host->len;
	}
	for (i = 0; i < n; i++)
		hash = (hash ^ bytes[i]) * 16777619U;
	return hash % SETS * WAYS;
}

/* The host's bucket, or the one of its set that has rested longest. */
static struct rate_limit_bucket *
find(struct rate_limit *r, const struct addr *host)
{
	struct rate_limit_bucket *set = &r->buckets[set_of(host)],
				 *oldest = set;
	int i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].host.len != 0 && addr_same_host(&set[i].host, host))
			return &set[i];
		if (set[i].full_ns < oldest->full_ns)
			oldest = &set[i];
	}
	oldest->host = *host;
	oldest->full_ns = oldest->rests_until_ns = INT64_MIN;
	oldest->turn_ns = INT64_MIN;
	return oldest;
}

bool
rate_limit_allows(struct rate_limit *r, const struct addr *host, int64_t now_ns)
{
	struct rate_limit_bucket *b;

	if (r->buckets == NULL)
		return true;
	b = find(r, host);
	if (b->full_ns < now_ns)
		b->full_ns = now_ns;
	if (now_ns < b->rests_until_ns)
		return false;
	if (r->counts_turns && b->turn_ns == now_ns && ++b->turn % TURN != 0)
		return true;
	if (b->full_ns - now_ns > r->burst_ns) {
		b->rests_until_ns = now_ns + r->rest_ns;
		return false;
	}
	b->full_ns += r->gap_ns;
	if (b->turn_ns != now_ns)
		b->turn = 0;
	b->turn_ns = now_ns;
	return true;
}

void
rate_limit_release(struct rate_limit *r)
{
	free(r->buckets);
	r->buckets = NULL;
}
