/* How fast probes may leave: --rate, and bursts that spread a window. */
#ifndef SCAN_PACE_H
#define SCAN_PACE_H

#include <stdint.h>

#include "base/clock.h"
#include "base/deadline.h"

/*
 * A window of probes does not leave at once, which would overrun a queue on
 * the path: each tick allows a burst, by the size of the window. Half of it
 * may be re-probes.
 */
#define PACE_TICK_NS CLOCK_MS

struct pace {
	int64_t interval_ns; /* between probes by --rate; 0: any */
	int64_t next_ns;     /* when the next probe may leave by --rate */
	int64_t filled_ns;   /* when the bursts were filled */
	int64_t burst;       /* probes that may leave now */
	int64_t reprobes;    /* re-probes among them */
};

/* per_second 0: any rate. */
void pace_init(struct pace *p, int64_t per_second, int64_t now_ns);

/* Adds what has become free since the last call, for a window of that size. */
void pace_fill(struct pace *p, uint32_t window, int64_t now_ns);

/* Counts a probe against --rate. */
void pace_spend(struct pace *p, int64_t now_ns);

/* When the next probe may be sent. */
struct deadline pace_next(const struct pace *p);

#endif
