/* The congestion window of a scan. */
#include "scan/window.h"

void
window_init(struct window *w, uint32_t limit)
{
	w->limit = limit;
	w->size = limit < WINDOW_START ? limit : WINDOW_START;
	w->threshold = limit;
	w->credit = 0;
	w->held_ns = 0;
}

void
window_grow(struct window *w)
{
	if (w->size >= w->limit)
		return;
	if (w->size < w->threshold) {
		w->size++;
		return;
	}
	/* Grow by ten per round trip: a scan is too short for TCP's one. */
	w->credit += 10;
	if (w->credit >= w->size) {
		w->credit -= w->size;
		w->size++;
	}
}

void
window_halve(struct window *w, int64_t now_ns, int64_t hold_ns)
{
	if (now_ns < w->held_ns)
		return;
	w->held_ns = now_ns + hold_ns;
	w->size /= 2;
	if (w->size < WINDOW_MIN)
		w->size = w->limit < WINDOW_MIN ? w->limit : WINDOW_MIN;
	w->threshold = w->size;
	w->credit = 0;
}

void
window_starve(struct window *w, uint32_t in_flight)
{
	w->size = in_flight / 2 > WINDOW_MIN ? in_flight / 2 : WINDOW_MIN;
	if (w->size > w->limit)
		w->size = w->limit;
	w->threshold = w->size;
	w->credit = 0;
}
