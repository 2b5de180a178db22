/* Congestion window and rate limit of a scan. */
#include "scan/window.h"

void
window_init(struct window *w, uint32_t most)
{
	w->most = most;
	w->size = most < WINDOW_START ? most : WINDOW_START;
	w->threshold = most;
	w->credit = 0;
	w->held_ns = 0;
}

void
window_grow(struct window *w)
{
	if (w->size >= w->most)
		return;
	if (w->size < w->threshold) {
		w->size++;
		return;
	}
	/* A tenth a round trip: a scan is too short for TCP's one. */
	w->credit += 10;
	if (w->credit >= w->size) {
		w->credit -= w->size;
		w->size++;
	}
}

bool
window_cut(struct window *w, int64_t now_ns, int64_t hold_ns)
{
	if (now_ns < w->held_ns)
		return false;
	w->held_ns = now_ns + hold_ns;
	w->size /= 2;
	if (w->size < WINDOW_LEAST)
		w->size = w->most < WINDOW_LEAST ? w->most : WINDOW_LEAST;
	w->threshold = w->size;
	w->credit = 0;
	return true;
}

void
window_starve(struct window *w, uint32_t in_flight)
{
	w->size = in_flight / 2 > WINDOW_LEAST ? in_flight / 2 : WINDOW_LEAST;
	if (w->size > w->most)
		w->size = w->most;
	w->threshold = w->size;
	w->credit = 0;
}

void
burst_fill(struct burst *b, const struct window *w, int share, int64_t now_ns)
{
	int64_t tick = w->size / 8, ticks = (now_ns - b->at_ns) / BURST_TICK_NS;

	if (tick < BURST_LEAST)
		tick = BURST_LEAST;
	if (tick > BURST_MOST)
		tick = BURST_MOST;
	tick /= share;
	if (ticks <= 0)
		return;
	/* A late wake-up is made good once. */
	b->left += tick * (ticks < 2 ? ticks : 2);
	if (b->left > 2 * tick)
		b->left = 2 * tick;
	b->at_ns = ticks > 2 ? now_ns : b->at_ns + ticks * BURST_TICK_NS;
}

void
pace_init(struct pace *p, int64_t per_second, int64_t now_ns)
{
	p->interval_ns = per_second > 0 ? CLOCK_SECOND / per_second : 0;
	p->next_ns = now_ns;
}

bool
pace_is_ready(const struct pace *p, int64_t now_ns)
{
	return now_ns >= p->next_ns;
}

void
pace_take(struct pace *p, int64_t now_ns)
{
	if (p->interval_ns == 0)
		return;
	if (p->next_ns < now_ns - PACE_SLACK_NS)
		p->next_ns = now_ns - PACE_SLACK_NS;
	p->next_ns += p->interval_ns;
}
