/*
 * Round-trip statistics: which datagrams were sent, which replies belong to
 * them, how many were lost, and how long replies took. The caller provides the
 * times.
 */
#ifndef UDP_RTT_STATS_H
#define UDP_RTT_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/rtt.h"

/* The number of datagrams remembered: more than may be awaited. */
#define RTT_STATS_RING 65536
/* How many may be awaited at once. */
#define RTT_STATS_MAX (RTT_STATS_RING / 2)

/* One datagram that was sent. */
struct rtt_stats_entry {
	int64_t sent_ns;
	int64_t replies; /* received so far */
	bool is_done;    /* no more replies are awaited */
};

struct rtt_stats {
	struct rtt_stats_entry
	    *ring;      /* owned; index: number modulo RTT_STATS_RING */
	int64_t wanted; /* replies to each; 0: any number until the timeout;
			   negative: none is awaited */
	int64_t
	    timeout_ns;  /* after which a datagram has failed; negative: none */
	uint64_t oldest; /* number of the first awaited one, from 0 */
	uint64_t awaited; /* datagrams for which replies are awaited */
	uint64_t silent;  /* those of them without a reply */

	/* Statistics. */
	uint64_t sent;       /* datagrams; the number of the next one */
	uint64_t received;   /* replies of all kinds */
	uint64_t answered;   /* datagrams with a reply in time */
	uint64_t failed;     /* timed out with fewer replies than wanted */
	uint64_t duplicates; /* replies beyond those wanted */
	uint64_t late;       /* replies after the timeout */
	struct rtt times;
};

/* The kinds of replies. */
enum rtt_stats_kind { RTT_STATS_REPLY, RTT_STATS_DUPLICATE, RTT_STATS_LATE };

/* timeout_ms may be -1. Call rtt_stats_release() afterwards. */
void rtt_stats_start(struct rtt_stats *t, int64_t wanted, int64_t timeout_ms);

/* Records a sent datagram; its number is t->sent before the call. */
void rtt_stats_sent(struct rtt_stats *t, int64_t now_ns);

/* Whether no more datagrams can be awaited. */
bool rtt_stats_is_full(const struct rtt_stats *t);

/*
 * Records a reply to the datagram of that number, or for -1 to the first
 * awaited one. Sets *rtt_ns to the round-trip time, or -1 if the reply belongs
 * to no datagram.
 */
enum rtt_stats_kind rtt_stats_received(
    struct rtt_stats *t, int64_t number, int64_t now_ns, int64_t *rtt_ns);

/* Counts datagrams that have timed out as failed. */
void rtt_stats_expire(struct rtt_stats *t, int64_t now_ns);

/* Datagrams without a reply in time, except those still awaited. */
uint64_t rtt_stats_lost(const struct rtt_stats *t);

/* When the first awaited datagram times out. */
struct deadline rtt_stats_deadline(const struct rtt_stats *t);

/*
 * The statistics as two or three lines. dropped is the number of replies that
 * found the receive buffer full.
 */
const char *rtt_stats_text(const struct rtt_stats *t, uint64_t dropped);

void rtt_stats_release(struct rtt_stats *t);

#endif
