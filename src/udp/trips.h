/*
 * Round trips: which datagrams were sent, which replies belong to them, and
 * the statistics of it. No sockets; the times are the caller's.
 */
#ifndef UDP_TRIPS_H
#define UDP_TRIPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* Datagrams that are remembered; more than can be on their way. */
#define TRIPS_RING 65536
/* Most that may be awaited at once. */
#define TRIPS_MOST (TRIPS_RING / 2)

/* One datagram that was sent. */
struct trip {
	int64_t sent_ns;
	int64_t replies; /* that came for it */
	bool is_over;    /* nothing more is awaited */
};

struct trips {
	struct trip *ring;  /* owned; by number modulo TRIPS_RING */
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
enum trips_kind { TRIPS_REPLY, TRIPS_DUPLICATE, TRIPS_LATE };

/* Begins. timeout_ms may be -1. trips_release() is due. */
void trips_start(struct trips *t, int64_t wanted, int64_t timeout_ms);

/* A datagram was sent; its number is t->sent before the call. */
void trips_sent(struct trips *t, int64_t now_ns);

/* The same for one to which no reply is awaited. */
void trips_sent_only(struct trips *t);

/*
 * A reply came. number is that of its datagram, or -1: then it belongs to the
 * first that is awaited. *trip_ns gets the round trip's time, or -1 where it
 * belongs to none.
 */
enum trips_kind trips_received(
    struct trips *t, int64_t number, int64_t now_ns, int64_t *trip_ns);

/* Gives up what has waited too long. */
void trips_expire(struct trips *t, int64_t now_ns);

/* Datagrams to which no reply came in time; those still awaited do not count.
 */
uint64_t trips_lost(const struct trips *t);

/* When the first will have. */
struct deadline trips_deadline(const struct trips *t);

/* Mean and mean deviation (as ping tells it) in nanoseconds; 0 without any. */
double trips_mean(const struct trips *t);
double trips_deviation(const struct trips *t);

void trips_release(struct trips *t);

#endif
