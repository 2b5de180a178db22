/* Pauses a scan that lacks local resources or whose network fails. */
#include "scan/retry.h"

#include <errno.h>

#include "scan/internal.h"

/* Failures on this side until a port is given up, and the first pause. */
#define MOST_FAILS 12
#define PAUSE_MS 5
#define PAUSE_MOST_MS 500
/* How long nothing can be sent to a host until its ports are given up: where
 * something could be sent before, to it or to another, and where nothing. */
#define OUTAGE_NS (6 * CLOCK_SECOND)
#define NO_ROUTE_NS (1 * CLOCK_SECOND)

/* Whether this machine lacks something that every probe needs. */
static bool
is_shortage(int errnum)
{
	return errnum == EMFILE || errnum == ENFILE || errnum == ENOBUFS ||
	       errnum == ENOMEM || errnum == EAGAIN || errnum == EADDRINUSE ||
	       errnum == EADDRNOTAVAIL;
}

/* All probes leave later, and fewer at once. */
static void
pause_all(struct scan *s, int64_t now)
{
	window_starve(&s->window, s->flying);
	s->pause_ms = s->pause_ms == 0 ? PAUSE_MS : s->pause_ms * 2;
	if (s->pause_ms > PAUSE_MOST_MS)
		s->pause_ms = PAUSE_MOST_MS;
	s->resume_ns = now + clock_ns(s->pause_ms);
}

/* The pause doubles: as long as it has lasted. */
static void
pause_host(struct scan_host *h, int64_t now)
{
	int64_t pause_ns;

	if (h->trouble_ns == 0)
		h->trouble_ns = now;
	pause_ns = now - h->trouble_ns;
	if (pause_ns < PAUSE_MS * CLOCK_MS)
		pause_ns = PAUSE_MS * CLOCK_MS;
	if (pause_ns > PAUSE_MOST_MS * CLOCK_MS)
		pause_ns = PAUSE_MOST_MS * CLOCK_MS;
	h->retry_ns = now + pause_ns;
}

/* Whether a host's network was given the time to come back. */
static bool
is_over(const struct scan *s, const struct scan_host *h, int64_t now)
{
	return h->trouble_ns != 0 &&
	       now >= h->trouble_ns + (s->has_left ? OUTAGE_NS : NO_ROUTE_NS);
}

bool
retry_after(struct scan *s, uint32_t id, int errnum)
{
	struct probe *p = scan_probe(s, id);
	struct scan_host *h = scan_host(s, id);
	int64_t now = clock_now();

	if (is_shortage(errnum))
		pause_all(s, now);
	else
		pause_host(h, now);
	p->fails++;
	if (is_over(s, h, now))
		return false;
	/* While an outage lasts, it is not one port that fails. */
	if (p->fails > MOST_FAILS &&
	    (h->trouble_ns == 0 || now < h->trouble_ns + NO_ROUTE_NS))
		return false;
	if (is_shortage(errnum))
		probe_wait(&s->pool, id);
	else
		probe_time(&s->pool, id, h->retry_ns);
	return true;
}

bool
retry_holds(struct scan *s, uint32_t id)
{
	const struct scan_host *h = scan_host(s, id);
	int64_t now;

	if (h->trouble_ns == 0)
		return false;
	now = clock_now();
	if (now >= h->retry_ns || is_over(s, h, now))
		return false;
	scan_probe(s, id)->state = PROBE_WAITING;
	probe_time(&s->pool, id, h->retry_ns);
	return true;
}

void
retry_end(struct scan *s, uint32_t id)
{
	scan_host(s, id)->trouble_ns = 0;
	s->has_left = true;
}
