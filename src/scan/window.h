/*
 * How many probes may be in flight. The window is earned: it begins small,
 * doubles each round trip while nothing is lost, and is halved when a re-probe
 * is answered after the first probe was not, or when this machine runs out of
 * something.
 */
#ifndef SCAN_WINDOW_H
#define SCAN_WINDOW_H

#include <stdint.h>

/* Its first size, and its smallest. */
#define WINDOW_START 256
#define WINDOW_MIN 4

struct window {
	uint32_t size;      /* probes that may be in flight */
	uint32_t limit;     /* by the number of descriptors */
	uint32_t threshold; /* below it, the window grows with each answer */
	uint32_t credit;    /* above it: answers since it grew */
	int64_t held_ns;    /* it is not halved again before that */
};

void window_init(struct window *w, uint32_t limit);

/* A probe ended without a sign of loss: answered, or silent as before. */
void window_grow(struct window *w);

/* A probe was lost. The window is halved at most once in hold_ns. */
void window_halve(struct window *w, int64_t now_ns, int64_t hold_ns);

/* This machine has no resources for more than in_flight: half of that. */
void window_starve(struct window *w, uint32_t in_flight);

#endif
