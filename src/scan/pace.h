/*
 * How fast a scan probes: how many probes may be in flight, how fast they may
 * be sent, and how long to wait for an answer.
 */
#ifndef SCAN_PACE_H
#define SCAN_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/deadline.h"

/* The initial window, as many packets as short queues hold, and the minimum. */
#define PACE_START 500
#define PACE_MIN 4

/*
 * A window of probes is not sent at once, which would overrun a queue on the
 * path. Each tick allows a burst whose size depends on the window; half of it
 * may be re-probes.
 */
#define PACE_TICK_NS CLOCK_MS

/*
 * The window starts small, doubles each round trip while nothing is lost, and
 * is halved when a re-probe is answered after the first probe was not, or when
 * this machine runs out of a resource.
 */
struct pace {
	uint32_t window;     /* probes that may be in flight */
	uint32_t limit;      /* maximum window */
	uint32_t threshold;  /* below it, each answer grows the window by 1 */
	uint32_t credit;     /* above it: credit of answers since it grew */
	int64_t held_ns;     /* the window is not halved again earlier */
	int64_t interval_ns; /* between probes, from --rate; 0: no limit */
	int64_t next_ns;     /* next probe that --rate allows */
	int64_t filled_ns;   /* when burst was last filled */
	int64_t burst;       /* probes that may be sent now */
	int64_t reprobes;    /* re-probes among them */
};

/* per_second is the limit of --rate; 0: none. */
void pace_init(
    struct pace *p, uint32_t limit, int64_t per_second, int64_t now_ns);

/* Grows the window after an answer, or silence as before: no sign of loss. */
void pace_grow(struct pace *p);

/* Halves the window after a lost probe, at most once in hold_ns. */
void pace_halve(struct pace *p, int64_t now_ns, int64_t hold_ns);

/* Shrinks the window to half of in_flight after a resource shortage. */
void pace_starve(struct pace *p, uint32_t in_flight);

/* Adds what the time since the last call allows. */
void pace_fill(struct pace *p, int64_t now_ns);

/* Counts a probe against --rate. */
void pace_spend(struct pace *p, int64_t now_ns);

/* When the next probe may be sent. */
struct deadline pace_next(const struct pace *p);

/* The timeout before the first sample, and the minimum. */
#define PACE_TIMEOUT_US 1000000
#define PACE_MIN_TIMEOUT_US 100000

/*
 * The round-trip times of a host, in microseconds to save space. The caller
 * applies Karn's rule: a time that may belong to a retransmission is not a
 * sample.
 */
struct pace_rtt {
	uint32_t srtt_us;   /* smoothed; 0: no sample yet */
	uint32_t rttvar_us; /* its variation */
};

/* Adds a sample of ns nanoseconds; more than an hour counts as an hour. */
void pace_sample(struct pace_rtt *r, int64_t ns);

/*
 * The timeout of RFC 6298 in microseconds: PACE_TIMEOUT_US without a sample,
 * otherwise srtt + 4 rttvar and at least PACE_MIN_TIMEOUT_US; in both cases at
 * most limit_us.
 */
int64_t pace_timeout_us(const struct pace_rtt *r, int64_t limit_us);

#endif
