/*
 * Round-trip statistics: which datagrams were sent, which replies belong to
 * them, how many were lost and how long replies took. No sockets; the times are
 * the caller's.
 */
#ifndef UDP_RTT_STATS_H
#define UDP_RTT_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

/* Datagrams that are remembered; more than can be awaited. */
#define RTT_STATS_RING 65536
/* How many may be awaited at once. */
#define RTT_STATS_MAX (RTT_STATS_RING / 2)

/* One datagram that was sent. */
struct rtt_stats_entry {
	int64_t sent_ns;
	int64_t replies; /* received for it */
	bool is_over;    /* nothing more is awaited */
};

struct rtt_stats {
	struct rtt_stats_entry
	    *ring;      /* owned; by number modulo RTT_STATS_RING */
	int64_t wanted; /* replies to each; 0: any number until the limit */
	int64_t
	    timeout_ns;  /* after which one counts as failed; negative: never */
	uint64_t oldest; /* number of the first that is awaited, from 0 */
	uint64_t awaited; /* datagrams for which replies are awaited */
	uint64_t silent;  /* of these, without any reply yet */

	/* Statistics. */
	uint64_t sent;       /* datagrams; the number of the next one */
	uint64_t received;   /* replies, of every kind */
	uint64_t answered;   /* datagrams with a reply in time */
	uint64_t failed;     /* timed out with fewer replies than wanted */
	uint64_t duplicates; /* replies beyond those wanted */
	uint64_t late;       /* replies to what had timed out */
	int64_t min_ns, max_ns;
	double sum_ns, squares_ns;
	uint64_t samples; /* in the sums */
};

/* What a reply is. */
enum rtt_stats_kind { RTT_STATS_REPLY, RTT_STATS_DUPLICATE, RTT_STATS_LATE };

/* timeout_ms may be -1. Call rtt_stats_release() afterwards. */
void rtt_stats_start(struct rtt_stats *t, int64_t wanted, int64_t timeout_ms);

/* Forgets everything that was sent and received. */
void rtt_stats_restart(struct rtt_stats *t, int64_t wanted);

/* A datagram was sent; its number is t->sent before the call. */
void rtt_stats_sent(struct rtt_stats *t, int64_t now_ns);

/* The same for one to which no reply is awaited. */
void rtt_stats_sent_unawaited(struct rtt_stats *t);

/* Whether no other datagram can be remembered. */
bool rtt_stats_is_full(const struct rtt_stats *t);

/*
 * A reply was received. number is that of its datagram; or -1 for the first
 * that is awaited. *rtt_ns gets the round-trip time, or -1 where it belongs to
 * no datagram.
 */
enum rtt_stats_kind rtt_stats_received(
    struct rtt_stats *t, int64_t number, int64_t now_ns, int64_t *rtt_ns);

/* Counts what has waited too long as failed. */
void rtt_stats_expire(struct rtt_stats *t, int64_t now_ns);

/* Datagrams without a reply in time; those still awaited do not count. */
uint64_t rtt_stats_lost(const struct rtt_stats *t);

/* When the first that is awaited will have waited too long. */
struct deadline rtt_stats_deadline(const struct rtt_stats *t);

/* Mean and mean deviation (as of ping) in nanoseconds; 0 without any. */
double rtt_stats_mean(const struct rtt_stats *t);
double rtt_stats_deviation(const struct rtt_stats *t);

/* Enough for rtt_stats_format(). */
#define RTT_STATS_TEXT 512

/*
 * The statistics for people, two or three lines. dropped: replies that the
 * receive buffer had no space for. Returns buf.
 */
const char *rtt_stats_format(
    const struct rtt_stats *t, uint64_t dropped, char *buf, size_t size);

void rtt_stats_release(struct rtt_stats *t);

#endif
