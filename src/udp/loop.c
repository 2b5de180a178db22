/* Limits answers per host, and detects loops between two servers. */
#include "udp/loop.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/addr.h"
#include "udp/dgram.h"

/* Messages that are remembered; a power of two. */
#define SEEN 65536
/* How much of a message counts: where each server adds something, its end is
 * different each time. */
#define HEAD 32

void
loop_start(struct loop *l, int64_t max_rate, bool counts_all)
{
	memset(l, 0, sizeof(*l));
	l->max_rate = max_rate;
	l->counts_all = counts_all;
	if (max_rate != LOOP_DEFAULT) {
		rate_limit_start(&l->rate, max_rate);
		return;
	}
	rate_limit_start(&l->rate, LOOP_RATE);
	rate_limit_count_turns(&l->rate, LOOP_BURST, LOOP_REST_MS * CLOCK_MS);
	l->seen = mem_array(SEEN, sizeof(l->seen[0]));
}

/* A multiplication for eight bytes: every datagram goes this way. */
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

/* Whether its sender has sent this before; remembers it. */
static bool
is_repeated(struct loop *l, const struct dgram *d, const struct addr *remote)
{
	uint64_t hash = mix(d->length < HEAD ? d->length : HEAD, d->bytes,
	    d->length < HEAD ? d->length : HEAD);
	uint32_t *seen, print;

	hash = mix(hash, &remote->u, remote->len);
	seen = &l->seen[hash % SEEN];
	print = (uint32_t)(hash >> 32) | 1;
	if (*seen == print)
		return true;
	*seen = print;
	return false;
}

bool
loop_allows(struct loop *l, const struct dgram *d, const struct addr *remote,
    int64_t now_ns)
{
	if (l->seen != NULL && !is_repeated(l, d, remote) && !l->counts_all)
		return true;
	return rate_limit_allows(&l->rate, remote, now_ns);
}

void
loop_release(struct loop *l)
{
	rate_limit_release(&l->rate);
	free(l->seen);
	l->seen = NULL;
}
