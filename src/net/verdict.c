#include "net/verdict.h"

#include <errno.h>

#include "base/diag.h"
#include "net/addr.h"
#include "net/scan_fast.h"
#include "net/scan_run.h"
#include "net/sock.h"
#include "net/targets.h"

/* The kernel repeats a SYN after a second: no telling what was answered. */
#define KARN_NS (CLOCK_SECOND * 95 / 100)
/* Tries of one port at most, however much is lost. */
#define MOST_TRIES 8
/* A silent probe is looked after no more often. */
#define PIECE_LEAST_US 25000
/* Failures on this side until a port is given up, and the first pause. */
#define MOST_FAILS 12
#define PAUSE_MS 5
#define PAUSE_MOST_MS 500

/* What an errno of connect(2) says about the port. */
static enum scan_reason
reason_of(int errnum)
{
	switch (errnum) {
	case 0:
		return SCAN_CONNECTED;
	case ECONNREFUSED:
	case ECONNRESET:
		return SCAN_REFUSED;
	case ETIMEDOUT:
		return SCAN_SILENT;
	case EHOSTUNREACH:
#ifdef EHOSTDOWN
	case EHOSTDOWN:
#endif
		return SCAN_HOST_UNREACH;
	case ENETUNREACH:
		return SCAN_NET_UNREACH;
	case EACCES:
		return SCAN_PROHIBITED;
	case ENOPROTOOPT:
		return SCAN_PROTO_UNREACH;
	default:
		return SCAN_LOCAL;
	}
}

/* Gives a slot back; its socket is kept where it can connect again. */
static void
give(struct scan *s, uint32_t id, bool under_way)
{
	struct probe *p = scan_probe(s, id);

	if (p->state == PROBE_FLIGHT)
		s->flying--;
	fast_set_ignore(s->set, id);
	if (p->fd >= 0 && !fast_connect_again(p->fd, under_way))
		scan_drop_socket(s, id);
	probe_give(&s->pool, id);
}

/* Gives back every try of id's port. */
static void
give_all(struct scan *s, uint32_t id, bool under_way)
{
	uint32_t other, next;

	for (other = scan_probe(s, id)->newer; other != PROBE_NONE;
	     other = next) {
		next = scan_probe(s, other)->newer;
		give(s, other, true);
	}
	for (other = scan_probe(s, id)->older; other != PROBE_NONE;
	     other = next) {
		next = scan_probe(s, other)->older;
		give(s, other, true);
	}
	give(s, id, under_way);
}

/* Tells what became of a pair. */
static void
tell(struct scan *s, uint64_t pair, enum scan_reason reason, int errnum,
    int64_t ns)
{
	struct scan_result r = {
	    .host = (uint32_t)(pair / s->o->port_count),
	    .port = s->o->ports[pair % s->o->port_count],
	    .reason = reason,
	    .errnum = errnum,
	    .ns = ns,
	};

	s->progress.decided++;
	if (reason == SCAN_CONNECTED)
		s->progress.open++;
	s->o->result(s->o->context, &r);
}

/* The outcome of one of a host's first probes. */
static void
count_lead(struct scan *s, uint64_t pair)
{
	struct scan_host *h = scan_host(s, pair);
	uint32_t index = (uint32_t)(pair % s->o->port_count), i;

	if (h->leads == 0)
		return;
	for (i = 0; i < s->order.lead_count; i++)
		if (s->order.leads[i] == index) {
			h->leads--;
			s->leads--;
		}
}

/* An answer from the host itself, to the try id. */
static void
learn(struct scan *s, uint32_t id, int64_t now)
{
	const struct probe *p = scan_probe(s, id);
	struct scan_host *h = scan_host(s, p->pair);
	int64_t ns = now - p->sent_ns;

	h->alive = true;
	if (ns < KARN_NS) {
		rtt_sample(&h->rtt, ns);
		rtt_sample(&s->rtt, ns);
	}
	if (p->tries > 1) {
		/* An earlier try was lost, or its answer. */
		if (p->tries > h->lost)
			h->lost = p->tries;
		window_cut(
		    &s->window, now, rtt_timeout_us(&h->rtt, INT64_MAX) * 1000);
	} else {
		window_grow(&s->window);
	}
}

/* Ends the tries of id's port with a verdict. */
static void
decide(struct scan *s, uint32_t id, enum scan_reason reason, int errnum)
{
	struct probe *p = scan_probe(s, id);
	uint64_t pair = p->pair;
	int64_t now = clock_now(), ns = now - p->sent_ns;

	if (reason == SCAN_CONNECTED || reason == SCAN_REFUSED)
		learn(s, id, now);
	if (p->state == PROBE_FLIGHT) {
		p->state = PROBE_WAITING;
		s->flying--;
	}
	if (reason == SCAN_CONNECTED)
		scan_drop_socket(s, id);
	give_all(s, id, reason == SCAN_SILENT);
	count_lead(s, pair);
	tell(s, pair, reason, errnum, ns);
}

/* This machine could not ask: later again, more slowly. */
static void
fail_local(struct scan *s, uint32_t id, int errnum)
{
	struct probe *p = scan_probe(s, id);

	if (p->state == PROBE_FLIGHT)
		s->flying--;
	p->state = PROBE_WAITING;
	window_starve(&s->window, s->flying);
	s->pause_ms = s->pause_ms == 0 ? PAUSE_MS : s->pause_ms * 2;
	if (s->pause_ms > PAUSE_MOST_MS)
		s->pause_ms = PAUSE_MOST_MS;
	s->resume_ns = clock_now() + s->pause_ms * CLOCK_MS;
	fast_set_ignore(s->set, id);
	if (p->fd >= 0)
		scan_drop_socket(s, id);
	p->tries--;
	if (++p->fails > MOST_FAILS)
		decide(s, id, SCAN_LOCAL, errnum);
	else
		probe_wait(&s->pool, id);
}

/* A step in -vv. */
static void
step(const struct scan *s, const struct probe *p, int errnum, const char *note)
{
	struct addr a;
	char text[ADDR_TEXT];

	if (!diag_shows(DIAG_STEP))
		return;
	scan_address(s, p->pair, &a);
	diag_step("connect", p->sent_ns, errnum, note, "%s%s",
	    addr_format(&a, text, sizeof(text)),
	    p->tries > 1 ? " once more" : "");
}

/*
 * Linux lets a socket connect to itself when its own ephemeral port is the
 * one it dials: nobody listens there, so that is a refusal.
 */
static bool
is_self_connect(const struct probe *p, const struct addr *a)
{
	struct addr local;

	sock_local(p->fd, &local);
	return addr_equal(&local, a);
}

/*
 * TCP goes on after an ICMP error that comes while connect(2) is at work; for
 * a scan it is the answer.
 */
int
verdict_ask(int fd, const struct addr *a)
{
	int errnum = fast_connect_result(fd, a), icmp;

	if (errnum == 0 || errnum == ECONNREFUSED)
		return errnum;
	icmp = fast_icmp_error(fd, a);
	if (icmp == 0)
		return errnum;
	if (errnum == EINPROGRESS)
		(void)fast_connect_again(fd, true);
	return icmp;
}

void
verdict_conclude(struct scan *s, uint32_t id, int errnum, const struct addr *a)
{
	struct probe *p = scan_probe(s, id);

	if (errnum == 0 && is_self_connect(p, a)) {
		scan_drop_socket(s, id);
		errnum = ECONNREFUSED;
	}
	step(s, p, errnum, "the three-way handshake is done");
	if (reason_of(errnum) == SCAN_LOCAL) {
		fail_local(s, id, errnum);
		return;
	}
	s->pause_ms = 0;
	decide(s, id, reason_of(errnum), errnum);
}

/* How often a silent port of the host is tried, as things stand. */
static int
tries_due(struct scan *s, const struct scan_host *h)
{
	int tries = 2;

	if (s->o->retries >= 0)
		return (int)s->o->retries + 1;
	/* Where re-probes were answered, more are lost than one of them. */
	if (h->lost > 1)
		tries = h->lost + 2;
	else if (h->alive && scan_is_plentiful(s))
		tries = 3;
	return tries < MOST_TRIES ? tries : MOST_TRIES;
}

static int64_t
timeout_ns(const struct scan *s, const struct scan_host *h)
{
	int64_t most = s->o->timeout_ms * 1000;

	if (rtt_is_known(&h->rtt) || !rtt_is_known(&s->rtt))
		return rtt_timeout_us(&h->rtt, most) * 1000;
	/* Its neighbours tell, roughly. */
	return rtt_timeout_us(&s->rtt, most / 2) * 2000;
}

/* How often a silent probe is looked after: about once a round trip. */
static int64_t
piece_ns(const struct scan_host *h)
{
	int64_t us = RTT_LEAST_US;

	if (rtt_is_known(&h->rtt) && 2 * (int64_t)h->rtt.srtt_us < us)
		us = 2 * (int64_t)h->rtt.srtt_us;
	return (us > PIECE_LEAST_US ? us : PIECE_LEAST_US) * 1000;
}

/* The estimate may change meanwhile, so the wait goes by short pieces. */
void
verdict_await(struct scan *s, uint32_t id)
{
	const struct probe *p = scan_probe(s, id);
	const struct scan_host *h = scan_host(s, p->pair);
	int64_t due = p->sent_ns + timeout_ns(s, h);
	int64_t next = clock_now() + piece_ns(h);

	probe_time(&s->pool, id, due < next ? due : next);
}

/* Nothing came for as long as it could have taken. */
static void
give_up(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);

	step(s, p, ETIMEDOUT, "");
	s->flying--;
	p->state = PROBE_WAITING;
	if (p->tries < tries_due(s, scan_host(s, p->pair)))
		probe_wait(&s->pool, id);
	else
		decide(s, id, SCAN_SILENT, ETIMEDOUT);
}

void
verdict_expire(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	struct addr a;
	int errnum;

	/* Silence is no loss as long as re-probes find nothing more. */
	if (p->tries == 1 && s->window.threshold == s->window.most)
		window_grow(&s->window);
	if (clock_now() < p->sent_ns + timeout_ns(s, scan_host(s, p->pair))) {
		verdict_await(s, id);
		return;
	}
	/* The answer may be there, and this process late to look. */
	scan_address(s, p->pair, &a);
	errnum = verdict_ask(p->fd, &a);
	if (errnum == EINPROGRESS)
		give_up(s, id);
	else
		verdict_conclude(s, id, errnum, &a);
}

void
verdict_skip(struct scan *s, uint64_t pair)
{
	tell(s, pair, SCAN_SKIPPED, 0, 0);
}
