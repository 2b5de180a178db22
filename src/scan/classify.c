/*
 * Decides the state of a port. The outcome of a probe becomes a reason, and
 * each reason belongs to one state.
 */
#include "scan/classify.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "base/step.h"
#include "net/addr.h"
#include "net/sock.h"
#include "scan/internal.h"
#include "scan/probe.h"
#include "scan/probe_socket.h"
#include "scan/retry.h"
#include "scan/rtt.h"
#include "scan/window.h"

/* The kernel retransmits a SYN after 1 s: later answers are ambiguous. */
#define KARN_NS (CLOCK_SECOND * 95 / 100)

static const struct {
	const char *name;
	enum scan_state state;
} reasons[SCAN_REASONS] = {
    [SCAN_CONNECTED] = {"connected", SCAN_OPEN},
    [SCAN_ANSWERED] = {"answered", SCAN_OPEN},
    [SCAN_REFUSED] = {"refused", SCAN_CLOSED},
    [SCAN_SILENT] = {"no answer", SCAN_FILTERED},
    [SCAN_NO_REPLY] = {"no answer", SCAN_OPEN_FILTERED},
    [SCAN_HOST_UNREACH] = {"host unreachable", SCAN_FILTERED},
    [SCAN_NET_UNREACH] = {"network unreachable", SCAN_FILTERED},
    [SCAN_PROHIBITED] = {"prohibited", SCAN_FILTERED},
    [SCAN_PROTO_UNREACH] = {"protocol unreachable", SCAN_FILTERED},
    [SCAN_LOCAL] = {"failed on this side", SCAN_UNKNOWN},
    [SCAN_SKIPPED] = {"host skipped", SCAN_UNKNOWN},
};

enum scan_state
classify_state(enum scan_reason reason)
{
	return reasons[reason].state;
}

const char *
classify_reason_name(enum scan_reason reason)
{
	return reasons[reason].name;
}

const char *
classify_state_name(enum scan_state state)
{
	static const char *const names[] = {
	    "open", "closed", "filtered", "open|filtered", "unknown"};

	return names[state];
}

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

/* Stops counting a probe as in flight. */
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
	if (p->fd >= 0 && (s->o->type == SOCK_DGRAM ||
			      !probe_socket_again(s, id, in_progress)))
		probe_socket_drop(s, id);
	probe_free(&s->pool, id);
}

/* Frees every try of id's port. */
static void
free_tries(struct scan *s, uint32_t id, bool in_progress)
{
	uint32_t other, next;

	for (other = scan_probe(s, id)->newer; other != PROBE_NONE;
	     other = next) {
		next = scan_probe(s, other)->newer;
		free_try(s, other, true);
	}
	for (other = scan_probe(s, id)->older; other != PROBE_NONE;
	     other = next) {
		next = scan_probe(s, other)->older;
		free_try(s, other, true);
	}
	free_try(s, id, in_progress);
}

/* Updates the estimates after the host itself answered the try id. */
static void
update_estimates(struct scan *s, uint32_t id, int64_t now)
{
	const struct probe *p = scan_probe(s, id);
	struct scan_host *h = scan_host(s, id);
	bool is_first = !rtt_is_known(&s->rtt);

	h->is_up = true;
	if (now - p->sent_ns < KARN_NS) {
		rtt_sample(&h->rtt, now - p->sent_ns);
		rtt_sample(&s->rtt, now - p->sent_ns);
		if (is_first)
			retry_reset_timers(s);
	}
	if (p->tries == 1 || retry_is_limited(s, id)) {
		window_grow(&s->window);
		return;
	}
	/* An earlier try or its answer was lost. */
	if (p->tries > h->lost)
		h->lost = p->tries;
	window_halve(
	    &s->window, now, rtt_timeout_us(&h->rtt, INT64_MAX) * 1000);
}

/* Reports the port of id and frees all its tries. */
static void
report(struct scan *s, uint32_t id, struct scan_result *r)
{
	struct probe *p = scan_probe(s, id);

	end_flight(s, id);
	if (classify_state(r->reason) == SCAN_OPEN)
		probe_socket_drop(s, id);
	if (p->is_discovery) {
		scan_host(s, id)->discovery_left--;
		s->discovery_left--;
	}
	r->host = p->host;
	r->port = p->port;
	r->count = 1;
	free_tries(s, id, r->reason == SCAN_SILENT);
	s->o->result(s->o->context, r);
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

	if (reason == SCAN_REFUSED || classify_state(reason) == SCAN_OPEN) {
		retry_answered(s, id, reason == SCAN_REFUSED);
		update_estimates(s, id, now);
	}
	report(s, id, &r);
}

/* The port is open: starts to wait for the first bytes of the service. */
static void
await_banner(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	int64_t now = clock_now();

	update_estimates(s, id, now);
	end_flight(s, id);
	p->state = PROBE_BANNER;
	p->answer_ns = now - p->sent_ns;
	probe_set_timer(&s->pool, id, now + clock_ns(s->o->banner_ms));
	(void)ready_set_watch(s->set, id, p->fd, POLLIN);
	classify_banner(s, id);
}

/* Ends the wait and reports the n bytes received, perhaps none. */
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
classify_banner(struct scan *s, uint32_t id)
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

/* Schedules another try after a local failure, or reports the port. */
static void
fail_locally(struct scan *s, uint32_t id, int errnum)
{
	struct probe *p = scan_probe(s, id);

	end_flight(s, id);
	p->state = PROBE_WAITING;
	ready_set_ignore(s->set, id);
	if (p->fd >= 0)
		probe_socket_drop(s, id);
	p->tries--;
	if (retry_failed(s, id, errnum))
		return;
	scan_host(s, id)->errnum = errnum;
	decide(s, id, errnum, SCAN_LOCAL);
}

/* Reports the outcome of a try as a step of -vv. */
static void
report_step(const struct scan *s, uint32_t id, int errnum)
{
	/* Without a socket, connect(2) was not called. */
	if (s->o->type != SOCK_DGRAM && scan_probe(s, id)->connects > 0)
		probe_socket_report(s, id, errnum);
}

/* The try timed out, or its outcome is unsure. */
static void
handle_silence(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	int errnum = p->unsure_errnum != 0 ? p->unsure_errnum : ETIMEDOUT;
	bool is_exhausted;

	end_flight(s, id);
	if (retry_is_inconclusive(s, id))
		p->tries--;
	is_exhausted = retry_is_exhausted(s, id);
	if (is_exhausted && p->unsure_errnum == 0 && retry_extend(s, id))
		return;
	report_step(s, id, errnum);
	p->state = PROBE_WAITING;
	if (is_exhausted)
		decide(s, id, errnum, reason_of(s, errnum));
	else
		retry_schedule(s, id);
}

void
classify_outcome(struct scan *s, uint32_t id, struct ready_outcome o)
{
	struct probe *p = scan_probe(s, id);
	bool is_stream = s->o->type == SOCK_STREAM;

	if (o.errnum == 0)
		report_step(s, id, 0);
	if (o.errnum == 0 && is_stream && sock_is_self_connect(p->fd)) {
		probe_socket_drop(s, id);
		o.errnum = ECONNREFUSED;
		o.origin = READY_REMOTE;
	}
	if (o.origin == READY_UNSURE) {
		if (is_stream)
			probe_socket_report(s, id, o.errnum);
		/* The error is cleared: another poll would report success. */
		probe_socket_drop(s, id);
		p->unsure_errnum = o.errnum;
		handle_silence(s, id);
		return;
	}
	if (o.errnum != 0)
		report_step(s, id, o.errnum);
	if (o.origin == READY_LOCAL || reason_of(s, o.errnum) == SCAN_LOCAL) {
		fail_locally(s, id, o.errnum);
		return;
	}
	s->pause.pause = 0;
	if (o.errnum == 0 && s->o->banner_ms > 0 && is_stream)
		await_banner(s, id);
	else
		decide(s, id, o.errnum, reason_of(s, o.errnum));
}

/* The timer of a probe in flight has expired. */
static void
expire_flight(struct scan *s, uint32_t id)
{
	struct ready_outcome o;

	/* Silence is not a loss until a re-probe has been answered. */
	if (scan_probe(s, id)->tries == 1 &&
	    s->window.threshold == s->window.limit)
		window_grow(&s->window);
	if (retry_is_early(s, id)) {
		retry_set_timer(s, id);
		return;
	}
	/* The answer may have arrived while this process was busy. */
	o = probe_socket_poll(s, id);
	if (o.errnum == EINPROGRESS)
		handle_silence(s, id);
	else
		classify_outcome(s, id, o);
}

void
classify_expired(struct scan *s, uint32_t id)
{
	switch (scan_probe(s, id)->state) {
	case PROBE_WAITING:
		probe_wait(&s->pool, id);
		break;
	case PROBE_BANNER:
		end_banner(s, id, NULL, 0);
		break;
	default:
		expire_flight(s, id);
	}
}

void
classify_skipped(struct scan *s, uint32_t host, uint32_t count)
{
	struct scan_result r = {
	    .host = host,
	    .count = count,
	    .reason = SCAN_SKIPPED,
	    .errnum = s->hosts[host].errnum,
	};

	s->o->result(s->o->context, &r);
}
