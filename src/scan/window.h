/*
 * How many probes may be in flight, and how fast they may leave. The window
 * is earned: it begins small, doubles a round trip while nothing is lost, and
 * is halved when a re-probe is answered that the first probe was not, or when
 * this machine runs out of something.
 */
#ifndef SCAN_WINDOW_H
#define SCAN_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* Where it begins, and what it never falls below. */
#define WINDOW_START 256
#define WINDOW_LEAST 4

struct window {
	uint32_t size;      /* probes that may be in flight */
	uint32_t most;      /* what descriptors allow */
	uint32_t threshold; /* below it grows by one an answer */
	uint32_t credit;    /* above it: answers since it grew */
	int64_t held_ns;    /* not cut again before that */
};

void window_init(struct window *w, uint32_t most);

/* A probe ended without a sign of loss: answered, or silent as before. */
void window_grow(struct window *w);

/* Loss was seen at now_ns; at most one cut in hold_ns. True when it cut. */
bool window_cut(struct window *w, int64_t now_ns, int64_t hold_ns);

/* This machine could not carry one more than so many: half of that. */
void window_starve(struct window *w, uint32_t in_flight);

/*
 * A window of probes does not leave at once: a queue on the way would be
 * overrun. So many a millisecond, by the size of the window.
 */
struct burst {
	int64_t at_ns; /* when it was filled */
	int64_t left;  /* probes that may leave now */
};

#define BURST_TICK_NS CLOCK_MS
#define BURST_LEAST 16
#define BURST_MOST 128

/* What has become free since; share 2 gives half of it. */
void burst_fill(
    struct burst *b, const struct window *w, int share, int64_t now_ns);

/* A cap on probes a second. */
struct pace {
	int64_t interval_ns; /* 0: no cap */
	int64_t next_ns;     /* when the next one may leave */
};

/* Late wake-ups are caught up with within this time, and no longer. */
#define PACE_SLACK_NS (20 * CLOCK_MS)

/* per_second 0: no cap. */
void pace_init(struct pace *p, int64_t per_second, int64_t now_ns);
bool pace_is_ready(const struct pace *p, int64_t now_ns);
void pace_take(struct pace *p, int64_t now_ns);

#endif
