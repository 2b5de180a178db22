/* Limits the answers to one host and detects reply loops. */
#include "udp/rate_limit.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/addr.h"
#include "udp/dgram.h"

/* The sets of the table and the hosts in each; the oldest is replaced. */
#define SETS 4096
#define SET_HOSTS 4
/* How many answers at the same time make up one turn. */
#define TURN 16
/* The number of messages remembered; a power of two. */
#define SEEN 65536
/* How many bytes of a message are compared: if each server of a loop appends
 * something, its end always differs. */
#define HEAD 32

struct rate_limit_bucket {
	struct addr host; /* len 0: unused */
	int64_t full_ns;  /* when the bucket will be full again */
	int64_t ignored_until_ns;
	int64_t turn_ns;     /* time of the current turn */
	unsigned turn_count; /* answers in that turn after the first */
};

void
rate_limit_start(struct rate_limit *r, int64_t per_second, bool answers_vary)
{
	memset(r, 0, sizeof(*r));
	if (per_second == RATE_LIMIT_NONE)
		return;
	r->buckets = mem_array(SETS * SET_HOSTS, sizeof(r->buckets[0]));
	if (per_second != RATE_LIMIT_DEFAULT) {
		r->gap_ns = CLOCK_SECOND / per_second;
		r->burst_ns = CLOCK_SECOND - r->gap_ns;
		return;
	}
	r->gap_ns = CLOCK_SECOND / RATE_LIMIT_TURNS;
	r->burst_ns = (RATE_LIMIT_BURST - 1) * r->gap_ns;
	r->ignore_ns = RATE_LIMIT_IGNORE_MS * CLOCK_MS;
	if (!answers_vary)
		r->seen = mem_array(SEEN, sizeof(r->seen[0]));
}

/* One multiplication hashes eight bytes: it runs for every datagram. */
static uint64_t
mix(uint64_t hash, const void *bytes, size_t n)
{
	const unsigned char *at = bytes;
	uint64_t word;
	size_t some;

	for (; n > 0; n -= some, at += some) {
		some = n < sizeof(word) ? n : sizeof(word);
		word = some;
		memcpy(&word, at, some);
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return hash;
}

/* Whether the sender has sent this message before. Remembers it. */
static bool
is_repeated(
    struct rate_limit *r, const struct dgram *d, const struct addr *remote)
{
	uint64_t hash = mix(d->length < HEAD ? d->length : HEAD, d->bytes,
	    d->length < HEAD ? d->length : HEAD);
	uint32_t *seen, print;

	hash = mix(hash, &remote->u, remote->len);
	seen = &r->seen[hash % SEEN];
	print = (uint32_t)(hash >> 32) | 1;
	if (*seen == print)
		return true;
	*seen = print;
	return false;
}

/* The index of a host's set: FNV-1a over its address. */
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
	return hash % SETS * SET_HOSTS;
}

/* The host's bucket, or the one of its set that has been full longest. */
static struct rate_limit_bucket *
find_bucket(struct rate_limit *r, const struct addr *host)
{
	struct rate_limit_bucket *set = &r->buckets[set_of(host)],
				 *oldest = set;
	int i;

	for (i = 0; i < SET_HOSTS; i++) {
		if (set[i].host.len != 0 && addr_same_host(&set[i].host, host))
			return &set[i];
		if (set[i].full_ns < oldest->full_ns)
			oldest = &set[i];
	}
	oldest->host = *host;
	oldest->full_ns = oldest->ignored_until_ns = INT64_MIN;
	oldest->turn_ns = INT64_MIN;
	return oldest;
}

/* Whether the bucket allows one more answer. Counts it. */
static bool
spend(const struct rate_limit *r, struct rate_limit_bucket *b, int64_t now_ns)
{
	if (b->full_ns < now_ns)
		b->full_ns = now_ns;
	if (now_ns < b->ignored_until_ns)
		return false;
	if (r->ignore_ns > 0 && b->turn_ns == now_ns &&
	    ++b->turn_count % TURN != 0)
		return true;
	if (b->full_ns - now_ns > r->burst_ns) {
		b->ignored_until_ns = now_ns + r->ignore_ns;
		return false;
	}
	b->full_ns += r->gap_ns;
	if (b->turn_ns != now_ns)
		b->turn_count = 0;
	b->turn_ns = now_ns;
	return true;
}

bool
rate_limit_allows(struct rate_limit *r, const struct dgram *d,
    const struct addr *remote, int64_t now_ns)
{
	if (r->buckets == NULL ||
	    (r->seen != NULL && !is_repeated(r, d, remote)))
		return true;
	return spend(r, find_bucket(r, remote), now_ns);
}

void
rate_limit_release(struct rate_limit *r)
{
	free(r->buckets);
	free(r->seen);
	memset(r, 0, sizeof(*r));
}
