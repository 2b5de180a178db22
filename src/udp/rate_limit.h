/*
 * Limits a server's answers to one host, so that a forged source address cannot
 * cause a flood of them and two servers cannot answer each other's answers
 * forever. The limit is a number per second or, by default, one that only ends
 * such loops. A loop repeats the same messages as fast as it can; clients do
 * not. By default turns are counted: a turn is a set of datagrams that arrived
 * together, at least one of which its sender has sent before.
 *
 * The table has a fixed size, with one bucket per host. The caller provides the
 * times.
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

/* The default: how many turns of repeated messages a host has per second, how
 * many it may save up, and how long it is ignored after it has used them up. */
#define RATE_LIMIT_TURNS 1000
#define RATE_LIMIT_BURST 30000
#define RATE_LIMIT_IGNORE_MS 1000

struct rate_limit {
	struct rate_limit_bucket *buckets; /* owned; NULL: no limit */
	int64_t gap_ns;    /* between answers of an exhausted bucket */
	int64_t burst_ns;  /* capacity of a bucket, in time */
	int64_t ignore_ns; /* how long an exhausted host is ignored, or 0 */
	uint32_t *seen;    /* owned: message hashes; NULL: all count */
};

/*
 * Starts a limit of per_second answers to one host, or one of the two above. If
 * answers_vary is set, equal messages have different answers, so the default
 * limit counts every message. Call rate_limit_release() afterwards.
 */
void rate_limit_start(
    struct rate_limit *r, int64_t per_second, bool answers_vary);

/*
 * Whether the limit allows one more answer to remote, the sender of d (not an
 * IPv4-mapped address). Counts the answer.
 */
bool rate_limit_allows(struct rate_limit *r, const struct dgram *d,
    const struct addr *remote, int64_t now_ns);

void rate_limit_release(struct rate_limit *r);

#endif
