/* Limits how fast a scan sends its probes. */
#include "scan/pace.h"

#define MIN_BURST 16
#define MAX_BURST 128
/* At most this much of a late wake-up is made up for. */
#define SLACK_NS (20 * CLOCK_MS)

void
pace_init(struct pace *p, int64_t per_second, int64_t now_ns)
{
	struct pace fresh = {.next_ns = now_ns};

	*p = fresh;
	if (per_second > 0)
		p->interval_ns = CLOCK_SECOND / per_second;
}

/* Adds what the ticks allow. After a late wake-up, at most two ticks count. */
static void
add_burst(int64_t *burst, int64_t per_tick, int64_t ticks)
{
	*burst += per_tick * (ticks < 2 ? ticks : 2);
	if (*burst > 2 * per_tick)
		*burst = 2 * per_tick;
}

void
pace_fill(struct pace *p, uint32_t window, int64_t now_ns)
{
	int64_t per_tick = window / 8;
	int64_t ticks = (now_ns - p->filled_ns) / PACE_TICK_NS;

	if (per_tick < MIN_BURST)
		per_tick = MIN_BURST;
	if (per_tick > MAX_BURST)
		per_tick = MAX_BURST;
	if (ticks <= 0)
		return;
	add_burst(&p->burst, per_tick, ticks);
	add_burst(&p->reprobes, per_tick / 2, ticks);
	p->filled_ns = ticks > 2 ? now_ns : p->filled_ns + ticks * PACE_TICK_NS;
}

void
pace_spend(struct pace *p, int64_t now_ns)
{
	if (p->interval_ns == 0)
		return;
	if (p->next_ns < now_ns - SLACK_NS)
		p->next_ns = now_ns - SLACK_NS;
	p->next_ns += p->interval_ns;
}

struct deadline
pace_next(const struct pace *p)
{
	struct deadline d = {.at_ns = p->interval_ns == 0 ? 0 : p->next_ns};

	if (p->burst <= 0 && d.at_ns < p->filled_ns + PACE_TICK_NS)
		d.at_ns = p->filled_ns + PACE_TICK_NS;
	return d;
}
