/* The retry rules of a scan: timers, re-probes and local failures. */
#include "scan/retry.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "base/err.h"
#include "net/addr.h"
#include "scan/internal.h"
#include "scan/probe.h"
#include "scan/probe_socket.h"
#include "scan/ready.h"
#include "scan/rtt.h"

/* The maximum number of tries of one port at any loss rate. */
#define MAX_TRIES 8
/* The shortest timer of a silent probe. */
#define MIN_TIMER_US 25000
/* Local failures of a port, and the first and longest pause after one. */
#define MAX_FAILURES 12
#define PAUSE_MS 5
#define MAX_PAUSE_MS 500
/* How long an outage may last before ports are reported as unknown: if a probe
 * has been sent earlier, and if none has. */
#define OUTAGE_NS (6 * CLOCK_SECOND)
#define NO_ROUTE_NS (1 * CLOCK_SECOND)
/* A host that refuses a datagram sent this long after the last refused one. */
#define TOKEN_NS (2040 * CLOCK_MS)
/* The shortest pause between a refusal and the next round, the maximum number
 * of ports in a round, and the time within which they join it. */
#define MIN_GAP_NS (50 * CLOCK_MS)
#define MAX_ROUND 128
#define COALESCE_NS (4 * CLOCK_MS)

static int64_t
timeout_ns(const struct scan *s, const struct scan_host *h)
{
	int64_t limit_us = s->o->timeout_ms * 1000;

	if (rtt_is_known(&h->rtt) || !rtt_is_known(&s->rtt))
		return rtt_timeout_us(&h->rtt, limit_us) * 1000;
	/* The other hosts' round trips are a rough estimate. */
	return rtt_timeout_us(&s->rtt, limit_us / 2) * 2000;
}

/* The interval at which a silent probe is polled: over one round trip. */
static int64_t
poll_ns(const struct scan_host *h)
{
	int64_t us = RTT_MIN_US;

	if (rtt_is_known(&h->rtt) && (int64_t)h->rtt.srtt_us * 5 / 4 < us)
		us = (int64_t)h->rtt.srtt_us * 5 / 4;
	return (us > MIN_TIMER_US ? us : MIN_TIMER_US) * 1000;
}

/* The estimate may change until then, so the timer is short. */
void
retry_set_timer(struct scan *s, uint32_t id)
{
	const struct scan_host *h = scan_host(s, id);
	int64_t sent = scan_probe(s, id)->sent_ns, now = clock_now();
	int64_t expiry = sent + timeout_ns(s, h), interval = poll_ns(h);
	int64_t next = (sent + interval > now ? sent : now) + interval;

	probe_set_timer(&s->pool, id, expiry < next ? expiry : next);
}

void
retry_reset_timers(struct scan *s)
{
	uint32_t id;

	for (id = 0; id < s->pool.touched; id++)
		if (scan_probe(s, id)->state == PROBE_FLIGHT)
			retry_set_timer(s, id);
}

bool
retry_is_early(const struct scan *s, uint32_t id)
{
	const struct probe *p = scan_probe(s, id);

	return p->state != PROBE_LATE &&
	       clock_now() < p->sent_ns + timeout_ns(s, scan_host(s, id));
}

/* Whether so few slots are in use that another try costs nothing. */
static bool
has_spare_slots(const struct scan *s)
{
	return s->pool.used <= s->pool.capacity / 4;
}

/* The number of tries that a silent port gets at the current loss rate. */
static int
max_tries(const struct scan *s, uint32_t id)
{
	const struct scan_host *h = scan_host(s, id);
	bool is_stream = s->o->type == SOCK_STREAM;
	int tries = 2;

	if (s->o->retries >= 0)
		return (int)s->o->retries + 1;
	/* A re-probe was answered: several tries of a port may be lost. */
	if (h->lost > 1)
		tries = h->lost + 3;
	else if (is_stream ? h->is_up && has_spare_slots(s)
			   : !retry_is_limited(s, id))
		tries = 3;
	return tries < MAX_TRIES ? tries : MAX_TRIES;
}

bool
retry_is_exhausted(const struct scan *s, uint32_t id)
{
	return scan_probe(s, id)->tries >= max_tries(s, id);
}

bool
retry_extend(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	int64_t expiry = p->sent_ns + clock_ns(s->o->last_ms);

	if (p->state == PROBE_LATE || p->fd < 0 || clock_now() >= expiry)
		return false;
	p->state = PROBE_LATE;
	probe_set_timer(&s->pool, id, expiry);
	return true;
}

bool
retry_is_limited(const struct scan *s, uint32_t id)
{
	return scan_host(s, id)->refused_ns != 0;
}

void
retry_answered(struct scan *s, uint32_t id, bool is_refusal)
{
	struct scan_host *h = scan_host(s, id);
	int64_t sent_ns = scan_probe(s, id)->sent_ns;

	if (s->o->type != SOCK_DGRAM || s->o->retries >= 0)
		return;
	h->has_refused |= is_refusal;
	if (sent_ns > h->refused_ns && (is_refusal || h->refused_ns == 0))
		h->refused_ns = sent_ns;
}

bool
retry_is_inconclusive(const struct scan *s, uint32_t id)
{
	return retry_is_limited(s, id) &&
	       scan_probe(s, id)->sent_ns <
		   scan_host(s, id)->refused_ns + TOKEN_NS;
}

/* Reports once why the scan is slow. */
static void
report_limit(const struct scan *s, uint32_t id)
{
	struct scan_host *h = scan_host(s, id);
	char text[ADDR_IP_TEXT];
	struct addr a;

	if (!h->has_refused || h->is_reported)
		return;
	h->is_reported = true;
	probe_socket_address(s, id, &a);
	diag_note("%s limits its ICMP errors: silent ports are probed again "
		  "at its pace (--retries disables this)",
	    addr_format_ip(&a, text, sizeof(text)));
}

/* When the next round of a host's silent ports is sent: after as much time
 * again as the last refusal is ago. */
static int64_t
next_round(const struct scan_host *h, int64_t now)
{
	int64_t pause = now - h->refused_ns;

	if (pause < MIN_GAP_NS)
		pause = MIN_GAP_NS;
	if (now + pause > h->refused_ns + TOKEN_NS)
		pause = h->refused_ns + TOKEN_NS - now;
	return now + (pause > COALESCE_NS ? pause : COALESCE_NS);
}

void
retry_schedule(struct scan *s, uint32_t id)
{
	struct scan_host *h = scan_host(s, id);
	int64_t now = clock_now();

	if (!retry_is_limited(s, id)) {
		probe_wait(&s->pool, id);
		return;
	}
	if (h->round_ns <= now) {
		h->round_ns = next_round(h, now);
		h->round_size = 0;
	} else if (h->round_size == MAX_ROUND) {
		h->round_ns += MIN_GAP_NS;
		h->round_size = 0;
	}
	h->round_size++;
	probe_set_timer(&s->pool, id, h->round_ns);
	if (h->round_ns - now > TOKEN_NS / 4)
		report_limit(s, id);
}

/* Copies probe id to another slot for the next try; the older try continues. */
static void
copy_probe(struct scan *s, uint32_t id, uint32_t copy)
{
	struct probe *p = scan_probe(s, id), *next = scan_probe(s, copy);

	p->state = PROBE_OLDER;
	p->newer = copy;
	next->older = id;
	next->host = p->host;
	next->port = p->port;
	next->is_discovery = p->is_discovery;
	next->tries = p->tries;
	next->failures = p->failures;
	next->unsure_errnum = p->unsure_errnum;
}

uint32_t
retry_next(struct scan *s)
{
	uint32_t id = probe_waiting(&s->pool), copy = PROBE_NONE;
	struct probe *p = scan_probe(s, id);

	probe_unlink(&s->pool, id);
	if (p->fd >= 0 && retry_is_limited(s, id))
		probe_socket_drop(s, id);
	if (p->fd < 0)
		return id;
	if (has_spare_slots(s))
		copy = probe_alloc(&s->pool);
	if (copy != PROBE_NONE) {
		copy_probe(s, id, copy);
		return copy;
	}
	ready_set_ignore(s->set, id);
	if (!probe_socket_again(s, id, true))
		probe_socket_drop(s, id);
	return id;
}

/* Whether this machine lacks something that every probe needs. */
static bool
is_shortage(int errnum)
{
	return err_is_shortage(errnum) || errnum == EAGAIN ||
	       errnum == EADDRINUSE || errnum == EADDRNOTAVAIL;
}

/* Delays all probes and shrinks the window. */
static void
pause_all(struct scan *s, int64_t now)
{
	window_starve(&s->window, s->in_flight);
	s->pause.min = PAUSE_MS;
	s->pause.max = MAX_PAUSE_MS;
	s->resume_ns = now + clock_ns(backoff_next(&s->pause));
}

/*
 * Whether a shortage has lasted too long, over all ports. While probes are in
 * progress, their ends may still relieve it.
 */
static bool
has_shortage_expired(struct scan *s, int64_t now)
{
	if (s->shortage_ns == 0 || s->pool.timed > 0)
		s->shortage_ns = now;
	return now >= s->shortage_ns + OUTAGE_NS;
}

/* Delays a host's probes for as long as its outage has lasted. */
static void
pause_host(struct scan_host *h, int64_t now)
{
	int64_t pause_ns;

	if (h->failing_ns == 0)
		h->failing_ns = now;
	pause_ns = now - h->failing_ns;
	if (pause_ns < PAUSE_MS * CLOCK_MS)
		pause_ns = PAUSE_MS * CLOCK_MS;
	if (pause_ns > MAX_PAUSE_MS * CLOCK_MS)
		pause_ns = MAX_PAUSE_MS * CLOCK_MS;
	h->retry_ns = now + pause_ns;
}

/* Whether the outage of a host has lasted too long. */
static bool
has_outage_expired(const struct scan *s, const struct scan_host *h, int64_t now)
{
	return h->failing_ns != 0 &&
	       now >= h->failing_ns + (s->has_sent ? OUTAGE_NS : NO_ROUTE_NS);
}

bool
retry_failed(struct scan *s, uint32_t id, int errnum)
{
	struct probe *p = scan_probe(s, id);
	struct scan_host *h = scan_host(s, id);
	int64_t now = clock_now();

	if (is_shortage(errnum) && has_shortage_expired(s, now))
		return false;
	if (is_shortage(errnum))
		pause_all(s, now);
	else
		pause_host(h, now);
	p->failures++;
	if (has_outage_expired(s, h, now))
		return false;
	/* During an outage, the failure is not specific to one port. */
	if (p->failures > MAX_FAILURES &&
	    (h->failing_ns == 0 || now < h->failing_ns + NO_ROUTE_NS))
		return false;
	if (is_shortage(errnum))
		probe_wait(&s->pool, id);
	else
		probe_set_timer(&s->pool, id, h->retry_ns);
	return true;
}

bool
retry_must_wait(struct scan *s, uint32_t id)
{
	const struct scan_host *h = scan_host(s, id);
	int64_t now;

	if (h->failing_ns == 0)
		return false;
	now = clock_now();
	if (now >= h->retry_ns || has_outage_expired(s, h, now))
		return false;
	scan_probe(s, id)->state = PROBE_WAITING;
	probe_set_timer(&s->pool, id, h->retry_ns);
	return true;
}

void
retry_clear(struct scan *s, uint32_t id)
{
	scan_host(s, id)->failing_ns = 0;
	s->shortage_ns = 0;
	s->has_sent = true;
}
