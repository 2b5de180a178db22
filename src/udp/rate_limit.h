/*
 * The limit of a server's answers to one host, so that neither a forged source
 * address makes a flood of them nor two servers answer each other's answers
 * for ever: a number per second, or by default a limit that only ends such
 * loops. A loop repeats the same messages as fast as it can; clients do not.
 * What counts by default is a turn: datagrams that arrived together, at least
 * one of which its sender has sent before.
 *
 * One bucket per host in a table of fixed size. No sockets; the times are the
 * caller's.
 */
#ifndef UDP_RATE_LIMIT_H
#define UDP_RATE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr;
struct dgram;
struct rate_limit_bucket;

/* Instead of a number of answers per second: the default, or no limit. */
#define RATE_LIMIT_DEFAULT (-1)
#define RATE_LIMIT_NONE 0

/* The default: turns of repeated messages that a host has per second, how many
 * it may save up, and how long it is ignored once it has used them up. */
#define RATE_LIMIT_TURNS 1000
#define RATE_LIMIT_BURST 30000
#define RATE_LIMIT_REST_MS 1000

struct rate_limit {
	struct rate_limit_bucket *buckets; /* owned; NULL: no limit */
	int64_t gap_ns;   /* between answers when it is exhausted */
	int64_t burst_ns; /* what may be saved up, in time */
	int64_t rest_ns;  /* how long a host that has used it up is ignored; by
			     default, when turns count, else 0 */
	uint32_t *seen;   /* owned: fingerprints of messages; NULL: every one
			     counts */
};

/*
 * Starts a limit of per_second answers to one host, or one of the two above.
 * With answers_vary answers differ even to equal messages, so the default limit
 * counts every message. Call rate_limit_release() afterwards.
 */
void rate_limit_start(
    struct rate_limit *r, int64_t per_second, bool answers_vary);

/*
 * Whether one more answer to the sender of d, remote (without IPv4 in IPv6), is
 * within the limit of its host; counts it.
 */
bool rate_limit_allows(struct rate_limit *r, const struct dgram *d,
    const struct addr *remote, int64_t now_ns);

void rate_limit_release(struct rate_limit *r);

#endif
