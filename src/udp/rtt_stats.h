/*
 * Round trips: which datagrams were sent, which replies belong to them, and
 * the statistics of it. No sockets; the times are the caller's.
 */
#ifndef UDP_RTT_STATS_H
#define UDP_RTT_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"

/* Datagrams that are remembered; more than can be on their way. */
#define RTT_STATS_RING 65536
/* Most that may be awaited at once. */
#define RTT_STATS_MAX (RTT_STATS_RING / 2)

/* One datagram that was sent. */
struct round_trip {
	int64_t sent_ns;
	int64_t replies; /* that came for it */
	bool is_over;    /* nothing more is awaited */
};

struct rtt_stats {
	struct round_trip *ring; /* owned; by number modulo RTT_STATS_RING */
	int64_t wanted;     /* replies to each; 0: any number until the limit */
	int64_t timeout_ns; /* after which one is given up; negative: never */
	uint64_t oldest;    /* number of the first that is awaited, from 0 */
	uint64_t awaited;   /* datagrams on their way */
	uint64_t silent;    /* of these, without any reply yet */

	/* Statistics. */
	uint64_t sent;       /* datagrams; the number of the next one */
	uint64_t received;   /* replies, of every kind */
	uint64_t answered;   /* datagrams with a reply in time */
	uint64_t failed;     /* given up with fewer replies than wanted */
	uint64_t duplicates; /* replies beyond those wanted */
	uint64_t late;       /* replies to what had been given up */
	int64_t min_ns, max_ns;
	double sum_ns, squares_ns;
	uint64_t samples; /* in the sums */
};

/* What a reply is. */
enum rtt_stats_kind { RTT_STATS_REPLY, RTT_STATS_DUPLICATE, RTT_STATS_LATE };

/* Begins. timeout_ms may be -1. rtt_stats_release() is due. */
void rtt_stats_start(struct rtt_stats *t, int64_t wanted, int64_t timeout_ms);

/* A datagram was sent; its number is t->sent before the call. */
void rtt_stats_sent(struct rtt_stats *t, int64_t now_ns);

/* The same for one to which no reply is awaited. */
void rtt_stats_sent_unawaited(struct rtt_stats *t);

/*
 * A reply came. number is that of its datagram, or -1: then it belongs to the
 * first that is awaited. *trip_ns gets the round trip's time, or -1 where it
 * belongs to none.
 */
enum rtt_stats_kind rtt_stats_received(
    struct rtt_stats *t, int64_t number, int64_t now_ns, int64_t *trip_ns);

/* Gives up what has waited too long. */
void rtt_stats_expire(struct rtt_stats *t, int64_t now_ns);

/* Datagrams to which no reply came in time; those still awaited do not count.
 */
uint64_t rtt_stats_lost(const struct rtt_stats *t);

/* When the first will have. */
struct deadline rtt_stats_deadline(const struct rtt_stats *t);

/* Mean and mean deviation (as ping tells it) in nanoseconds; 0 without any. */
double rtt_stats_mean(const struct rtt_stats *t);
double rtt_stats_deviation(const struct rtt_stats *t);

void rtt_stats_release(struct rtt_stats *t);

#endif
