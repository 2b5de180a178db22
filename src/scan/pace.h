/* How fast probes may be sent: --rate, and bursts that spread a window. */
#ifndef SCAN_PACE_H
#define SCAN_PACE_H

#include <stdint.h>

#include "base/clock.h"
#include "base/deadline.h"

/*
 * A window of probes is not sent at once, which would overrun a queue on the
 * path. Each tick allows a burst whose size depends on the window; half of it
 * may be re-probes.
 */
#define PACE_TICK_NS CLOCK_MS

struct pace {
	int64_t interval_ns; /* between probes, from --rate; 0: no limit */
	int64_t next_ns;     /* next probe that --rate allows */
	int64_t filled_ns;   /* when burst was last filled */
	int64_t burst;       /* probes that may be sent now */
	int64_t reprobes;    /* re-probes among them */
};

/* per_second is the limit of --rate; 0: none. */
void pace_init(struct pace *p, int64_t per_second, int64_t now_ns);

/* Adds what the time since the last call allows, for a window of that size. */
void pace_fill(struct pace *p, uint32_t window, int64_t now_ns);

/* Counts a probe against --rate. */
void pace_spend(struct pace *p, int64_t now_ns);

/* When the next probe may be sent. */
struct deadline pace_next(const struct pace *p);

#endif
