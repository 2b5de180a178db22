/* The outcomes of tries: states of ports, re-probes and local failures. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "base/err.h"
#include "net/addr.h"
#include "net/sock.h"
#include "scan/internal.h"
#include "scan/scan.h"
/* The kernel retransmits a SYN after 1 s: later answers are ambiguous. */
#define KARN_NS (CLOCK_SECOND * 95 / 100)
/* The maximum number of tries of one port at any loss rate. */
#define MAX_TRIES 8
/* The shortest timer of a silent probe. */
#define MIN_TIMER_US 25000
/* Local failures of a port, and the first and longest pause after one. */
#define MAX_FAILURES 12
#define PAUSE_MS 5
#define MAX_PAUSE_MS 500
/* How long an outage may last before ports are reported as unknown: if a probe
 * has been sent before it, and if none has or others are being sent. */
#define OUTAGE_NS (6 * CLOCK_SECOND)
#define NO_ROUTE_NS (1 * CLOCK_SECOND)
/* A host that refuses a datagram sent this long after the last refused one. */
#define TOKEN_NS (2040 * CLOCK_MS)
/* The shortest pause between a refusal and the next round, the maximum number
 * of ports in a round, and the time within which they join it. */
#define MIN_GAP_NS (50 * CLOCK_MS)
#define MAX_ROUND 128
#define COALESCE_NS (4 * CLOCK_MS)

/* Maps an errno from the remote side to a reason. */
static enum scan_reason
reason_of(const struct scan *s, int errnum)
{
	bool is_stream = s->o->type == SOCK_STREAM;

	switch (errnum) {
	case 0:
		return is_stream ? SCAN_CONNECTED : SCAN_ANSWERED;
	case ECONNREFUSED:
	case ECONNRESET:
		return SCAN_REFUSED;
	case ETIMEDOUT:
		return is_stream ? SCAN_SILENT : SCAN_NO_REPLY;
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

static bool
is_open(enum scan_reason reason)
{
	return reason == SCAN_CONNECTED || reason == SCAN_ANSWERED;
}

static int64_t
timeout_ns(const struct scan *s, const struct scan_host *h)
{
	int64_t limit_us = s->o->timeout_ms * 1000;

	if (h->rtt.srtt_us != 0 || s->rtt.srtt_us == 0)
		return pace_timeout_us(&h->rtt, limit_us) * 1000;
	/* The other hosts' round trips are a rough estimate. */
	return pace_timeout_us(&s->rtt, limit_us / 2) * 2000;
}

/*
 * Sets the timer of a try that may still be answered. The estimate may change
 * until then, so the try is polled in between, after over one round trip.
 */
static void
set_timer(struct scan *s, uint32_t id)
{
	const struct scan_host *h = scan_host(s, id);
	int64_t sent = scan_probe(s, id)->sent_ns, now = clock_now();
	int64_t expiry = sent + timeout_ns(s, h), next;
	int64_t interval = PACE_MIN_TIMEOUT_US;

	if (h->rtt.srtt_us != 0 && (int64_t)h->rtt.srtt_us * 5 / 4 < interval)
		interval = (int64_t)h->rtt.srtt_us * 5 / 4;
	interval = (interval > MIN_TIMER_US ? interval : MIN_TIMER_US) * 1000;
	next = (sent + interval > now ? sent : now) + interval;
	probe_set_timer(&s->pool, id, expiry < next ? expiry : next);
}

/* Whether so few slots are in use that another try costs nothing. */
static bool
has_spare_slots(const struct scan *s)
{
	return s->pool.used <= s->pool.capacity / 4;
}

/* Whether the host limits its ICMP errors, or may do so. */
static bool
is_limited(const struct scan_host *h)
{
	return h->refused_ns != 0;
}

/* Whether a silent port has had all its tries at the current loss rate. */
static bool
has_had_all_tries(const struct scan *s, uint32_t id)
{
	const struct scan_host *h = scan_host(s, id);
	bool is_stream = s->o->type == SOCK_STREAM;
	int tries = 2;

	/* A re-probe was answered: several tries of a port may be lost. */
	if (h->lost > 1)
		tries = h->lost + 3 < MAX_TRIES ? h->lost + 3 : MAX_TRIES;
	else if (is_stream ? h->is_up && has_spare_slots(s) : !is_limited(h))
		tries = 3;
	return scan_probe(s, id)->tries >= tries;
}

/* Stops counting a try as in flight. */
static void
end_flight(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);

	if (p->state != PROBE_FLIGHT)
		return;
	p->state = PROBE_WAITING;
	s->in_flight--;
}

/* Frees a slot, but keeps its socket if it can connect again. */
static void
free_try(struct scan *s, uint32_t id, bool in_progress)
{
	struct probe *p = scan_probe(s, id);

	end_flight(s, id);
	ready_set_ignore(s->set, id);
	/* Late answers may still arrive on a datagram socket. */
	if (p->fd >= 0 &&
	    (s->o->type == SOCK_DGRAM || !probe_again(s, id, in_progress)))
		probe_drop(s, id);
	probe_free(&s->pool, id);
}

/* Reports the port of id and frees all its tries. */
static void
report(struct scan *s, uint32_t id, struct scan_result *r)
{
	struct probe *p = scan_probe(s, id);
	uint32_t slot = p->slot, other, next;

	if (is_open(r->reason))
		probe_drop(s, id);
	scan_host(s, id)->discovery_left -= p->is_discovery;
	r->port = p->port;
	for (other = p->newer; other != PROBE_NONE; other = next) {
		next = scan_probe(s, other)->newer;
		free_try(s, other, true);
	}
	for (other = p->older; other != PROBE_NONE; other = next) {
		next = scan_probe(s, other)->older;
		free_try(s, other, true);
	}
	free_try(s, id, r->reason == SCAN_SILENT);
	scan_report(s, slot, r);
}

/* Updates the estimates after the host itself has answered a try. */
static void
update_estimates(struct scan *s, uint32_t id, bool is_refusal, int64_t now)
{
	const struct probe *p = scan_probe(s, id);
	struct scan_host *h = scan_host(s, id);
	bool is_first = s->rtt.srtt_us == 0;
	uint32_t other;

	if (s->o->type == SOCK_DGRAM) {
		h->has_refused |= is_refusal;
		if (p->sent_ns > h->refused_ns &&
		    (is_refusal || !is_limited(h)))
			h->refused_ns = p->sent_ns;
	}
	if (now - p->sent_ns < KARN_NS) {
		pace_sample(&h->rtt, now - p->sent_ns);
		pace_sample(&s->rtt, now - p->sent_ns);
		/* The first sample holds for all probes in flight. */
		for (other = 0; is_first && other < s->pool.touched; other++)
			if (scan_probe(s, other)->state == PROBE_FLIGHT)
				set_timer(s, other);
	}
	if (p->tries == 1 || is_limited(h)) {
		pace_grow(&s->pace);
	} else {
		/* An earlier try or its answer was lost. */
		if (p->tries > h->lost)
			h->lost = p->tries;
		pace_halve(
		    &s->pace, now, pace_timeout_us(&h->rtt, INT64_MAX) * 1000);
	}
	scan_host_is_up(s, p->slot);
}

/* Decides the state of id's port and reports it. */
static void
decide(struct scan *s, uint32_t id, int errnum, enum scan_reason reason)
{
	int64_t now = clock_now();
	struct scan_result r = {
	    .reason = reason,
	    .errnum = errnum,
	    .ns = now - scan_probe(s, id)->sent_ns,
	};

	if (reason == SCAN_REFUSED || is_open(reason))
		update_estimates(s, id, reason == SCAN_REFUSED, now);
	report(s, id, &r);
}

/* Reports an open port with the n bytes received, perhaps none. */
static void
end_banner(struct scan *s, uint32_t id, const void *bytes, size_t n)
{
	struct scan_result r = {
	    .reason = SCAN_CONNECTED,
	    .ns = scan_probe(s, id)->answer_ns,
	    .banner = n > 0 ? bytes : NULL,
	    .banner_size = n,
	};

	report(s, id, &r);
}

void
retry_banner(struct scan *s, uint32_t id)
{
	char bytes[SCAN_BANNER];
	ssize_t n;

	do {
		n = sock_recv(
		    scan_probe(s, id)->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return;
	end_banner(s, id, bytes, n > 0 ? (size_t)n : 0);
}

/* The port is open: starts to wait for the first bytes of the service. */
static void
await_banner(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	int64_t now = clock_now();

	update_estimates(s, id, false, now);
	end_flight(s, id);
	p->state = PROBE_BANNER;
	p->answer_ns = now - p->sent_ns;
	probe_set_timer(&s->pool, id, now + clock_ns(s->o->banner_ms));
	(void)ready_set_watch(s->set, id, p->fd, POLLIN);
	retry_banner(s, id);
}

/*
 * Adds a try to the next round of its host's silent ports, which is sent after
 * as much time again as the last refusal is ago.
 */
static void
join_round(struct scan *s, uint32_t id)
{
	struct scan_host *h = scan_host(s, id);
	int64_t now = clock_now(), pause = now - h->refused_ns;
	struct addr a;

	if (pause < MIN_GAP_NS)
		pause = MIN_GAP_NS;
	if (now + pause > h->refused_ns + TOKEN_NS)
		pause = h->refused_ns + TOKEN_NS - now;
	if (h->round_ns <= now) {
		h->round_ns = now + (pause > COALESCE_NS ? pause : COALESCE_NS);
		h->round_size = 0;
	} else if (h->round_size == MAX_ROUND) {
		h->round_ns += MIN_GAP_NS;
		h->round_size = 0;
	}
	h->round_size++;
	probe_set_timer(&s->pool, id, h->round_ns);
	/* Why the scan is slow. */
	if (pause <= TOKEN_NS / 4 || !h->has_refused || h->is_reported)
		return;
	h->is_reported = true;
	probe_address(s, id, &a);
	diag_note("%s limits its ICMP errors: silent ports are probed again "
		  "at its pace",
	    addr_ip_text(&a));
}

/* The try timed out, or its outcome is unsure: waits for as long as -w asks,
 * outside the window, schedules another try, or reports the port. */
static void
handle_silence(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	const struct scan_host *h = scan_host(s, id);
	int errnum = p->unsure_errnum != 0 ? p->unsure_errnum : ETIMEDOUT;
	int64_t expiry = p->sent_ns + clock_ns(s->o->last_ms);
	bool is_last;

	end_flight(s, id);
	/* Silence shows nothing while the host may lack a token. */
	if (is_limited(h) && p->sent_ns < h->refused_ns + TOKEN_NS)
		p->tries--;
	is_last = has_had_all_tries(s, id);
	if (is_last && p->unsure_errnum == 0 && p->state != PROBE_LATE &&
	    p->fd >= 0 && clock_now() < expiry) {
		p->state = PROBE_LATE;
		probe_set_timer(&s->pool, id, expiry);
		return;
	}
	probe_report(s, id, errnum);
	p->state = PROBE_WAITING;
	if (is_last)
		decide(s, id, errnum, reason_of(s, errnum));
	else if (is_limited(h))
		join_round(s, id);
	else
		probe_wait(&s->pool, id);
}

/* Whether this machine lacks something that every probe needs. */
static bool
is_shortage(int errnum)
{
	return err_is_shortage(errnum) || errnum == EAGAIN ||
	       errnum == EADDRINUSE || errnum == EADDRNOTAVAIL;
}

/*
 * Delays all probes after a shortage and shrinks the window. Returns false if
 * it has lasted too long, over all ports; while probes are in progress, their
 * ends may still relieve it.
 */
static bool
pause_all(struct scan *s, int64_t now)
{
	if (s->shortage_ns == 0 || s->pool.timed > 0)
		s->shortage_ns = now;
	if (now >= s->shortage_ns + OUTAGE_NS)
		return false;
	pace_shrink(&s->pace, s->in_flight / 2);
	s->pause.min = PAUSE_MS;
	s->pause.max = MAX_PAUSE_MS;
	s->resume_ns = now + clock_ns(backoff_next(&s->pause));
	return true;
}

/*
 * Whether the outage of a host has lasted too long. While probes to others are
 * sent, it is not the network of this machine that fails.
 */
static bool
has_outage_expired(const struct scan *s, const struct scan_host *h, int64_t now)
{
	bool is_general = s->sent_ns != 0 && s->sent_ns < h->failing_ns;

	return h->failing_ns != 0 &&
	       now >= h->failing_ns + (is_general ? OUTAGE_NS : NO_ROUTE_NS);
}

/* Schedules another try after a local failure. Returns false if it has failed
 * for too long. */
static bool
try_again(struct scan *s, uint32_t id, int errnum)
{
	struct probe *p = scan_probe(s, id);
	struct scan_host *h = scan_host(s, id);
	int64_t now = clock_now(), pause_ns;

	if (h->failing_ns == 0 && (errnum == ENETUNREACH || errnum == EACCES) &&
	    probe_is_broadcast(s, id))
		return false;
	if (is_shortage(errnum)) {
		if (!pause_all(s, now))
			return false;
	} else {
		/* The host's probes wait for as long as its outage lasts. */
		if (h->failing_ns == 0)
			h->failing_ns = now;
		pause_ns = now - h->failing_ns;
		if (pause_ns < PAUSE_MS * CLOCK_MS)
			pause_ns = PAUSE_MS * CLOCK_MS;
		if (pause_ns > MAX_PAUSE_MS * CLOCK_MS)
			pause_ns = MAX_PAUSE_MS * CLOCK_MS;
		h->retry_ns = now + pause_ns;
	}
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

void
retry_outcome(struct scan *s, uint32_t id, struct ready_outcome o)
{
	struct probe *p = scan_probe(s, id);
	bool is_stream = s->o->type == SOCK_STREAM;

	if (o.errnum == 0)
		probe_report(s, id, 0);
	/* Nobody else has the port: it is closed. */
	if (o.errnum == 0 && sock_is_self_connect(p->fd)) {
		probe_drop(s, id);
		o.errnum = ECONNREFUSED;
		o.origin = READY_REMOTE;
	}
	if (o.origin == READY_UNSURE) {
		probe_report(s, id, o.errnum);
		/* The error is cleared: another poll would report success. */
		probe_drop(s, id);
		p->unsure_errnum = o.errnum;
		handle_silence(s, id);
		return;
	}
	if (o.errnum != 0)
		probe_report(s, id, o.errnum);
	if (o.origin == READY_LOCAL || reason_of(s, o.errnum) == SCAN_LOCAL) {
		/* Another try follows, unless it has failed for too long. */
		end_flight(s, id);
		p->state = PROBE_WAITING;
		s->progress->errnum = o.errnum;
		ready_set_ignore(s->set, id);
		if (p->fd >= 0)
			probe_drop(s, id);
		p->tries--;
		if (try_again(s, id, o.errnum))
			return;
		scan_host(s, id)->errnum = o.errnum;
		decide(s, id, o.errnum, SCAN_LOCAL);
		return;
	}
	s->pause.pause = 0;
	if (o.errnum == 0 && s->o->banner_ms > 0 && is_stream)
		await_banner(s, id);
	else
		decide(s, id, o.errnum, reason_of(s, o.errnum));
}

void
retry_expired(struct scan *s, uint32_t id)
{
	const struct probe *p = scan_probe(s, id);

	if (p->state == PROBE_WAITING) {
		probe_wait(&s->pool, id);
		return;
	}
	if (p->state == PROBE_BANNER) {
		end_banner(s, id, NULL, 0);
		return;
	}
	/* Silence is not a loss until a re-probe has been answered. */
	if (p->tries == 1 && s->pace.threshold == s->pace.limit)
		pace_grow(&s->pace);
	/* The estimate may have grown. */
	if (p->state != PROBE_LATE &&
	    clock_now() < p->sent_ns + timeout_ns(s, scan_host(s, id)))
		set_timer(s, id);
	else
		handle_silence(s, id);
}

void
retry_send(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	struct scan_host *h = scan_host(s, id);
	struct ready_outcome o;
	int64_t now;

	if (h->failing_ns != 0) {
		now = clock_now();
		if (now < h->retry_ns && !has_outage_expired(s, h, now)) {
			p->state = PROBE_WAITING;
			probe_set_timer(&s->pool, id, h->retry_ns);
			return;
		}
	}
	p->tries++;
	p->state = PROBE_FLIGHT;
	s->in_flight++;
	o = probe_send(s, id);
	if (o.origin != READY_LOCAL) {
		h->failing_ns = s->shortage_ns = 0;
		s->progress->errnum = 0;
		s->sent_ns = p->sent_ns;
	}
	if (o.errnum == EINPROGRESS) {
		s->pace.burst--;
		if (ready_set_watch(s->set, id, p->fd,
			s->o->type == SOCK_STREAM ? POLLOUT : POLLIN) == 0) {
			s->shortage_ns = 0;
			set_timer(s, id);
			return;
		}
		o.errnum = errno;
		o.origin = READY_LOCAL;
	}
	retry_outcome(s, id, o);
}

uint32_t
retry_next(struct scan *s)
{
	uint32_t id = probe_waiting(&s->pool), copy = PROBE_NONE;
	struct probe *p = scan_probe(s, id), *next;

	probe_unlink(&s->pool, id);
	if (p->fd >= 0 && is_limited(scan_host(s, id)))
		probe_drop(s, id);
	if (p->fd < 0)
		return id;
	if (has_spare_slots(s))
		copy = probe_alloc(&s->pool);
	if (copy != PROBE_NONE) {
		next = scan_probe(s, copy);
		p->state = PROBE_OLDER;
		p->newer = copy;
		next->older = id;
		next->slot = p->slot;
		next->port = p->port;
		next->is_discovery = p->is_discovery;
		next->tries = p->tries;
		next->failures = p->failures;
		next->unsure_errnum = p->unsure_errnum;
		return copy;
	}
	ready_set_ignore(s->set, id);
	if (!probe_again(s, id, true))
		probe_drop(s, id);
	return id;
}
