/* The congestion window, the rate and the timeouts of a scan. */
#include <string.h>

#include "scan/internal.h"

#define MIN_BURST 16
#define MAX_BURST 128
/* At most this much of a late wake-up is made up for. */
#define SLACK_NS (20 * CLOCK_MS)
#define HOUR_US (INT64_C(3600) * 1000000)

void
pace_init(struct pace *p, uint32_t limit, int64_t per_second, int64_t now_ns)
{
	memset(p, 0, sizeof(*p));
	p->limit = p->threshold = limit;
	p->window = limit < PACE_START ? limit : PACE_START;
	p->next_ns = now_ns;
	if (per_second > 0)
		p->interval_ns = CLOCK_SECOND / per_second;
}

void
pace_grow(struct pace *p)
{
	if (p->window >= p->limit)
		return;
	if (p->window < p->threshold) {
		p->window++;
		return;
	}
	/* Grow by ten per round trip: a scan is too short for TCP's one. */
	p->credit += 10;
	if (p->credit >= p->window) {
		p->credit -= p->window;
		p->window++;
	}
}

void
pace_shrink(struct pace *p, uint32_t size)
{
	if (size < PACE_MIN)
		size = PACE_MIN;
	p->window = p->threshold = size < p->limit ? size : p->limit;
	p->credit = 0;
}

void
pace_halve(struct pace *p, int64_t now_ns, int64_t hold_ns)
{
	if (now_ns < p->held_ns)
		return;
	p->held_ns = now_ns + hold_ns;
	pace_shrink(p, p->window / 2);
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
pace_fill(struct pace *p, int64_t now_ns)
{
	int64_t per_tick = p->window / 8;
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

/* RFC 6298 2.2 and 2.3: alpha is 1/8, beta 1/4. */
void
pace_sample(struct pace_rtt *r, int64_t ns)
{
	int64_t us = ns / 1000, error;

	if (us < 1)
		us = 1;
	if (us > HOUR_US)
		us = HOUR_US;
	if (r->srtt_us == 0) {
		r->srtt_us = (uint32_t)us;
		r->rttvar_us = (uint32_t)(us / 2);
		return;
	}
	error = us - (int64_t)r->srtt_us;
	if (error < 0)
		error = -error;
	r->rttvar_us = (uint32_t)((3 * (int64_t)r->rttvar_us + error) / 4);
	r->srtt_us = (uint32_t)((7 * (int64_t)r->srtt_us + us) / 8);
}

int64_t
pace_timeout_us(const struct pace_rtt *r, int64_t limit_us)
{
	int64_t us = PACE_TIMEOUT_US;

	if (r->srtt_us != 0)
		us = (int64_t)r->srtt_us + 4 * (int64_t)r->rttvar_us;
	if (us < PACE_MIN_TIMEOUT_US)
		us = PACE_MIN_TIMEOUT_US;
	return us < limit_us ? us : limit_us;
}
