/*
 * How many probes may be in flight. The window starts small, doubles each round
 * trip while nothing is lost, and is halved when a re-probe is answered after
 * the first probe was not, or when this machine runs out of a resource.
 */
#ifndef SCAN_WINDOW_H
#define SCAN_WINDOW_H

#include <stdint.h>

/* The initial size, as many packets as short queues hold, and the minimum. */
#define WINDOW_START 500
#define WINDOW_MIN 4

struct window {
	uint32_t size;      /* probes that may be in flight */
	uint32_t limit;     /* maximum size */
	uint32_t threshold; /* below it, each answer grows the window by 1 */
	uint32_t credit;    /* above it: credit of answers since it grew */
	int64_t held_ns;    /* it is not halved again earlier */
};

void window_init(struct window *w, uint32_t limit);

/* Grows the window after an answer, or silence as before: no sign of loss. */
void window_grow(struct window *w);

/* Halves the window after a lost probe, at most once in hold_ns. */
void window_halve(struct window *w, int64_t now_ns, int64_t hold_ns);

/* Shrinks the window to half of in_flight after a resource shortage. */
void window_starve(struct window *w, uint32_t in_flight);

#endif
