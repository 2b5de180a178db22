/* Classifies the outcomes of probes as port states. */
#include "scan/classify.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "net/addr.h"
#include "scan/icmp_limit.h"
#include "scan/ready.h"
#include "scan/retry.h"
#include "scan/internal.h"
#include "net/sock.h"
#include "scan/targets.h"

/* The kernel repeats a SYN after a second: no telling what was answered. */
#define KARN_NS (CLOCK_SECOND * 95 / 100)
/* Tries of one port at most, however much is lost. */
#define MOST_TRIES 8
/* A silent probe is looked after no more often. */
#define PIECE_LEAST_US 25000

/* What an errno that came from there says about the port. */
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

/* Gives a slot back; its socket is kept where it can connect again. */
static void
give(struct scan *s, uint32_t id, bool under_way)
{
	struct probe *p = scan_probe(s, id);

	if (p->state == PROBE_FLIGHT)
		s->flying--;
	ready_set_ignore(s->set, id);
	/* A datagram socket may hold answers that would come too late. */
	if (p->fd >= 0 && (s->o->type == SOCK_DGRAM ||
			      !ready_connect_again(p->fd, under_way)))
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

/* Tells what became of a port, or of several. */
static void
tell(struct scan *s, const struct scan_result *r)
{
	s->progress.decided += r->count;
	if (scan_state_of(r->reason) == SCAN_OPEN)
		s->progress.open++;
	s->o->result(s->o->context, r);
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
classify_await(struct scan *s, uint32_t id)
{
	const struct probe *p = scan_probe(s, id);
	const struct scan_host *h = scan_host(s, id);
	int64_t due = p->sent_ns + timeout_ns(s, h);
	int64_t next = clock_now() + piece_ns(h);

	probe_time(&s->pool, id, due < next ? due : next);
}

/* The first answer of all tells how long the others may take. */
static void
await_anew(struct scan *s)
{
	uint32_t id;

	for (id = 0; id < s->pool.fresh; id++)
		if (scan_probe(s, id)->state == PROBE_FLIGHT)
			classify_await(s, id);
}

/* An answer from the host itself, to the try id. */
static void
learn(struct scan *s, uint32_t id, int64_t now)
{
	const struct probe *p = scan_probe(s, id);
	struct scan_host *h = scan_host(s, id);
	int64_t ns = now - p->sent_ns;

	bool is_first = !rtt_is_known(&s->rtt);

	h->alive = true;
	if (ns < KARN_NS) {
		rtt_sample(&h->rtt, ns);
		rtt_sample(&s->rtt, ns);
		if (is_first)
			await_anew(s);
	}
	if (p->tries > 1 && !icmp_limit_check_applies(s, id)) {
		/* An earlier try was lost, or its answer. */
		if (p->tries > h->lost)
			h->lost = p->tries;
		window_cut(
		    &s->window, now, rtt_timeout_us(&h->rtt, INT64_MAX) * 1000);
	} else {
		window_grow(&s->window);
	}
}

/* Ends the tries of id's port, and tells. */
static void
settle(struct scan *s, uint32_t id, struct scan_result *r)
{
	struct probe *p = scan_probe(s, id);

	if (p->state == PROBE_FLIGHT) {
		p->state = PROBE_WAITING;
		s->flying--;
	}
	if (scan_state_of(r->reason) == SCAN_OPEN)
		scan_drop_socket(s, id);
	if (p->is_lead) {
		scan_host(s, id)->leads--;
		s->leads--;
	}
	r->host = p->host;
	r->port = p->port;
	r->count = 1;
	give_all(s, id, r->reason == SCAN_SILENT);
	tell(s, r);
}

/* Ends them with a verdict. */
static void
decide(struct scan *s, uint32_t id, enum scan_reason reason, int errnum)
{
	int64_t now = clock_now();
	struct scan_result r = {
	    .reason = reason,
	    .errnum = errnum,
	    .ns = now - scan_probe(s, id)->sent_ns,
	};

	if (scan_state_of(reason) == SCAN_OPEN)
		icmp_limit_check_answered(s, id);
	if (reason == SCAN_REFUSED)
		icmp_limit_check_refused(s, id, now - r.ns);
	if (reason == SCAN_REFUSED || scan_state_of(reason) == SCAN_OPEN)
		learn(s, id, now);
	settle(s, id, &r);
}

/* The port is open: what does the service say? */
static void
await_banner(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	int64_t now = clock_now();

	learn(s, id, now);
	if (p->state == PROBE_FLIGHT)
		s->flying--;
	p->state = PROBE_BANNER;
	p->took_ns = now - p->sent_ns;
	probe_time(&s->pool, id, now + clock_ns(s->o->banner_ms));
	(void)ready_set_watch(s->set, id, p->fd, POLLIN);
	classify_banner(s, id);
}

/* Ends the wait with what was said, if anything. */
static void
end_banner(struct scan *s, uint32_t id, const void *bytes, size_t n)
{
	struct scan_result r = {
	    .reason = SCAN_CONNECTED,
	    .ns = scan_probe(s, id)->took_ns,
	    .banner = n > 0 ? bytes : NULL,
	    .banner_size = n,
	};

	settle(s, id, &r);
}

void
classify_banner(struct scan *s, uint32_t id)
{
	char bytes[SCAN_BANNER];
	ssize_t n;

	do {
		n = recv(
		    scan_probe(s, id)->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return;
	end_banner(s, id, bytes, n > 0 ? (size_t)n : 0);
}

/* This machine could not ask: later again. */
static void
fail_local(struct scan *s, uint32_t id, int errnum)
{
	struct probe *p = scan_probe(s, id);

	if (p->state == PROBE_FLIGHT)
		s->flying--;
	p->state = PROBE_WAITING;
	ready_set_ignore(s->set, id);
	if (p->fd >= 0)
		scan_drop_socket(s, id);
	p->tries--;
	if (retry_after(s, id, errnum))
		return;
	scan_host(s, id)->errnum = errnum;
	decide(s, id, SCAN_LOCAL, errnum);
}

/* A step in -vv. */
static void
step(const struct scan *s, uint32_t id, int errnum, const char *note)
{
	const struct probe *p = scan_probe(s, id);
	struct addr a;
	char text[ADDR_TEXT];

	if (!diag_shows(DIAG_STEP))
		return;
	scan_address(s, id, &a);
	diag_step(s->o->type == SOCK_STREAM ? "connect" : "datagram",
	    p->sent_ns, errnum, note, "%s%s",
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

/* What has left and met something. */
static void
conclude(struct scan *s, uint32_t id, int errnum)
{
	s->pause_ms = 0;
	if (errnum == 0 && s->o->banner_ms > 0 && s->o->type == SOCK_STREAM)
		await_banner(s, id);
	else
		decide(s, id, reason_of(s, errnum), errnum);
}

/* How often a silent port is tried, as things stand. */
static int
tries_due(const struct scan *s, uint32_t id)
{
	const struct scan_host *h = scan_host(s, id);
	bool is_stream = s->o->type == SOCK_STREAM;
	int tries = 2;

	if (s->o->retries >= 0)
		return (int)s->o->retries + 1;
	/* Where re-probes were answered, more are lost than one of them. */
	if (h->lost > 1)
		tries = h->lost + 2;
	else if (is_stream ? h->alive && scan_is_plentiful(s)
			   : !icmp_limit_check_applies(s, id))
		tries = 3;
	return tries < MOST_TRIES ? tries : MOST_TRIES;
}

/* The last try goes on, out of the window, for as long as the user said. */
static bool
is_waited_for(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	int64_t due = p->sent_ns + clock_ns(s->o->last_ms);

	if (p->state == PROBE_LATE || p->fd < 0 || clock_now() >= due)
		return false;
	p->state = PROBE_LATE;
	probe_time(&s->pool, id, due);
	return true;
}

/* Nothing came for as long as it could have taken; or what came is to be made
 * sure of. */
static void
give_up(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	int errnum = p->unsure != 0 ? p->unsure : ETIMEDOUT;

	if (p->state == PROBE_FLIGHT)
		s->flying--;
	if (icmp_limit_check_is_withheld(s, id))
		p->tries--;
	if (p->tries >= tries_due(s, id)) {
		if (p->unsure == 0 && is_waited_for(s, id))
			return;
		step(s, id, errnum, "");
		p->state = PROBE_WAITING;
		decide(s, id, reason_of(s, errnum), errnum);
		return;
	}
	step(s, id, errnum, "");
	p->state = PROBE_WAITING;
	if (icmp_limit_check_applies(s, id))
		icmp_limit_check_again(s, id);
	else
		probe_wait(&s->pool, id);
}

void
classify_probe(
    struct scan *s, uint32_t id, struct scan_outcome o, const struct addr *a)
{
	struct probe *p = scan_probe(s, id);

	if (o.errnum == 0 && s->o->type == SOCK_STREAM &&
	    is_self_connect(p, a)) {
		scan_drop_socket(s, id);
		o.errnum = ECONNREFUSED;
		o.origin = SCAN_THERE;
	}
	if (o.origin == SCAN_EITHER) {
		/* Its error was taken: asked again it would seem to be open. */
		scan_drop_socket(s, id);
		p->unsure = o.errnum;
		give_up(s, id);
		return;
	}
	step(s, id, o.errnum,
	    s->o->type == SOCK_STREAM ? "the three-way handshake is done"
				      : "an answer came");
	if (o.origin == SCAN_HERE || reason_of(s, o.errnum) == SCAN_LOCAL)
		fail_local(s, id, o.errnum);
	else
		conclude(s, id, o.errnum);
}

/* Whether probe id goes on: its host's answers may take longer by now. */
static bool
is_early(struct scan *s, uint32_t id)
{
	const struct probe *p = scan_probe(s, id);

	return p->state != PROBE_LATE &&
	       clock_now() < p->sent_ns + timeout_ns(s, scan_host(s, id));
}

void
classify_expire(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	struct scan_outcome o;
	struct addr a;

	if (p->state == PROBE_CHECK) {
		icmp_limit_check_expire(s, id);
		return;
	}
	if (p->state == PROBE_WAITING) {
		probe_wait(&s->pool, id);
		return;
	}
	if (p->state == PROBE_BANNER) {
		end_banner(s, id, NULL, 0);
		return;
	}
	/* Silence is no loss as long as re-probes find nothing more. */
	if (p->tries == 1 && s->window.threshold == s->window.most)
		window_grow(&s->window);
	if (is_early(s, id)) {
		classify_await(s, id);
		return;
	}
	/* The answer may be there, and this process late to look. */
	scan_address(s, id, &a);
	o = scan_ask(s, p->fd, &a);
	if (o.errnum == EINPROGRESS)
		give_up(s, id);
	else
		classify_probe(s, id, o, &a);
}

void
classify_skip(struct scan *s, uint32_t host, uint32_t count)
{
	struct scan_result r = {
	    .host = host,
	    .count = count,
	    .reason = SCAN_SKIPPED,
	    .errnum = s->hosts[host].errnum,
	};

	tell(s, &r);
}
