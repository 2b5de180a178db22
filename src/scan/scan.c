/* The main loop of a scan: sends probes and waits for answers. */
#include "scan/scan.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/sock.h"
#include "net/signals.h"
#include "scan/classify.h"
#include "scan/internal.h"
#include "scan/order.h"
#include "scan/pace.h"
#include "scan/ports.h"
#include "scan/probe.h"
#include "scan/probe_socket.h"
#include "scan/ready.h"
#include "scan/retry.h"
#include "scan/targets.h"
#include "scan/window.h"

/* Descriptors for other uses: standard streams, name lookups, files. */
#define SPARE_FDS 24
/* The maximum number of probes in flight, whatever the descriptor limit is. */
#define MAX_PROBES 60000
/* Probes or skipped ports between two polls. */
#define MAX_RUN 1024
/* The maximum number of sockets that one poll reports. */
#define MAX_READY 256
#define PROGRESS_MS 100

uint32_t
scan_capacity(void)
{
	struct rlimit limit = {.rlim_cur = 64 + SPARE_FDS};
	rlim_t fds;

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	fds = limit.rlim_cur < MAX_PROBES + SPARE_FDS ? limit.rlim_cur
						      : MAX_PROBES + SPARE_FDS;
	return fds > SPARE_FDS ? (uint32_t)fds - SPARE_FDS : 1;
}

/* Sends the try id, unless its host must wait. */
static void
start_try(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	struct ready_outcome o;

	if (retry_must_wait(s, id))
		return;
	p->tries++;
	p->state = PROBE_FLIGHT;
	s->in_flight++;
	o = probe_socket_send(s, id);
	if (o.origin != READY_LOCAL)
		retry_clear(s, id);
	if (o.errnum == EINPROGRESS) {
		s->pace.burst--;
		if (ready_set_watch(s->set, id, p->fd,
			s->o->type == SOCK_STREAM ? POLLOUT : POLLIN) == 0) {
			s->shortage_ns = 0;
			retry_set_timer(s, id);
			return;
		}
		o.errnum = errno;
		o.origin = READY_LOCAL;
	}
	classify_outcome(s, id, o);
}

/* Whether hosts that answer no discovery probe are skipped. */
static bool
may_skip(const struct scan *s)
{
	return !s->o->no_skip && s->targets->hosts > 1;
}

static bool
is_skipped(const struct scan *s, const struct scan_host *h)
{
	return may_skip(s) && h->had_discovery && h->discovery_left == 0 &&
	       !h->is_up;
}

/* For order_restrict(): keeps a host, or reports it as skipped. */
static bool
keep_host(void *context, uint32_t host)
{
	struct scan *s = context;
	const struct port_list *list = s->order.options.ports;

	if (!is_skipped(s, &s->hosts[host]))
		return true;
	classify_skipped(s, host, list->count - list->discovery_count);
	return false;
}

/*
 * The next port of the order to be probed. Returns false at the end or, for
 * now, after skipping many ports: the loop has to poll.
 */
static bool
next_port(struct scan *s, struct order_target *t, bool *is_discovery)
{
	int i;

	if (may_skip(s) && !s->is_discovered &&
	    !order_is_discovering(&s->order)) {
		s->is_discovered = true;
		if (s->order.has_discovery && !order_is_shard(&s->order))
			order_restrict(&s->order, keep_host, s);
	}
	for (i = 0; i < MAX_RUN; i++) {
		s->is_exhausted = !order_next(&s->order, t, is_discovery);
		if (s->is_exhausted)
			return false;
		if (*is_discovery || !is_skipped(s, &s->hosts[t->host]))
			return true;
		classify_skipped(s, t->host, 1);
	}
	s->is_skipping = true;
	return false;
}

/* Whether a new port may be probed now. */
static bool
may_begin(const struct scan *s)
{
	/* First it must be known which hosts are up. */
	return s->discovery_left == 0 || order_is_discovering(&s->order) ||
	       !may_skip(s);
}

/* Prepares the first try of a new port; PROBE_NONE if there is none now. */
static uint32_t
next_new(struct scan *s)
{
	struct order_target t;
	struct probe *p;
	uint32_t id = may_begin(s) ? probe_alloc(&s->pool) : PROBE_NONE;
	bool is_discovery;

	if (id == PROBE_NONE)
		return PROBE_NONE;
	if (!next_port(s, &t, &is_discovery)) {
		probe_free(&s->pool, id);
		return PROBE_NONE;
	}
	p = scan_probe(s, id);
	p->host = t.host;
	p->port = t.port;
	p->is_discovery = is_discovery;
	p->tries = p->failures = 0;
	p->unsure_errnum = 0;
	if (is_discovery) {
		scan_host(s, id)->had_discovery = true;
		scan_host(s, id)->discovery_left++;
		s->discovery_left++;
	}
	return id;
}

/* The next probe: a re-probe, for up to half of the burst, or a new one. */
static uint32_t
next_probe(struct scan *s)
{
	if (probe_waiting(&s->pool) != PROBE_NONE && s->pace.reprobes > 0) {
		s->pace.reprobes--;
		return retry_next(s);
	}
	return s->is_exhausted ? PROBE_NONE : next_new(s);
}

/* When the next probe may be sent. */
static struct deadline
next_send(const struct scan *s)
{
	struct deadline resume = {.at_ns = s->resume_ns},
			d = pace_next(&s->pace);

	return d.at_ns < resume.at_ns ? resume : d;
}

/* When to call send_probes() again if there is no probe to send. */
static struct deadline
next_tick(const struct scan *s)
{
	struct deadline d = {.at_ns = s->pace.filled_ns + PACE_TICK_NS},
			now = {0};

	if (s->is_skipping)
		return now;
	return probe_waiting(&s->pool) == PROBE_NONE ? deadline_none() : d;
}

/*
 * Sends the probes that may be sent now. Returns when to call it again even if
 * nothing has been received.
 */
static struct deadline
send_probes(struct scan *s)
{
	struct deadline next = {0};
	int64_t now = 0;
	uint32_t id;
	int i;

	s->is_skipping = false;
	for (i = 0; i < MAX_RUN; i++) {
		if (s->in_flight >= s->window.size)
			return deadline_none();
		next = next_send(s);
		if (next.at_ns > now || i == 0) {
			now = clock_now();
			pace_fill(&s->pace, s->window.size, now);
			next = next_send(s);
		}
		if (next.at_ns > now)
			return next;
		id = next_probe(s);
		if (id == PROBE_NONE)
			return next_tick(s);
		start_try(s, id);
	}
	return next;
}

/* The socket of id may be ready. */
static void
handle_ready(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	struct ready_outcome o;

	if (p->state == PROBE_FREE || p->fd < 0)
		return;
	if (p->state == PROBE_BANNER) {
		classify_banner(s, id);
		return;
	}
	o = probe_socket_poll(s, id);
	if (o.errnum == EINPROGRESS)
		return;
	probe_unlink(&s->pool, id);
	classify_outcome(s, id, o);
}

static int
report_progress(struct scan *s, struct err *e)
{
	if (!deadline_passed(s->next_progress))
		return 0;
	s->next_progress = deadline_after(PROGRESS_MS);
	return s->o->progress(s->o->context, &s->progress, e);
}

static bool
is_done(const struct scan *s)
{
	return s->is_exhausted && s->pool.used == 0;
}

/* Waits and handles every ready socket. Returns 0, or -1 with errno. */
static int
wait_ready(struct scan *s, struct deadline wake)
{
	struct deadline now = {0};
	uint32_t ids[MAX_READY];
	int i, n;

	do {
		n = ready_set_wait(s->set, ids, MAX_READY, wake);
		for (i = 0; i < n; i++)
			handle_ready(s, ids[i]);
		wake = now;
	} while (n == MAX_READY && signals_stopped() == 0 &&
		 !deadline_passed(s->o->until));
	return n < 0 ? -1 : 0;
}

/* Sends, waits, handles answers and timers. Returns 0, or -1 with *e. */
static int
run_round(struct scan *s, struct err *e)
{
	struct deadline wake = send_probes(s);
	uint32_t id;
	int64_t now;

	if (is_done(s))
		return 0;
	wake = deadline_first(wake, probe_deadline(&s->pool));
	wake =
	    deadline_first(wake, deadline_first(s->o->until, s->next_progress));
	if (wait_ready(s, wake) < 0 && errno != EINTR)
		return err_sys(e, ERR_FAILED, errno, "waiting for answers");
	if (signals_stopped() != 0)
		return err_sys(e, ERR_FAILED, EINTR, "scan");
	now = clock_now();
	while ((id = probe_expired(&s->pool, now)) != PROBE_NONE)
		classify_expired(s, id);
	if (report_progress(s, e) < 0)
		return -1;
	if (deadline_passed(s->o->until))
		return deadline_error(s->o->until, "", e);
	return 0;
}

static int
start(struct scan *s, const struct scan_options *o, struct err *e)
{
	uint32_t limit = scan_capacity();

	memset(s, 0, sizeof(*s));
	s->o = o;
	s->order = *o->order;
	s->targets = s->order.options.targets;
	if (o->parallel > 0 && o->parallel < limit)
		limit = (uint32_t)o->parallel;
	s->set = ready_set_new(limit);
	if (s->set == NULL)
		return err_sys(
		    e, ERR_FAILED, errno, "preparing to wait for sockets");
	s->progress.start_ns = clock_now();
	pace_init(&s->pace, o->rate, s->progress.start_ns);
	probe_pool_init(&s->pool, limit);
	window_init(&s->window, limit);
	s->hosts = mem_array(s->targets->hosts, sizeof(s->hosts[0]));
	s->next_progress =
	    o->progress != NULL ? deadline_after(PROGRESS_MS) : deadline_none();
	return 0;
}

static void
finish(struct scan *s)
{
	uint32_t id;

	for (id = 0; id < s->pool.touched; id++)
		if (scan_probe(s, id)->fd >= 0)
			probe_socket_drop(s, id);
	probe_pool_release(&s->pool);
	ready_set_free(s->set);
	free(s->hosts);
	order_release(&s->order);
}

int
scan_run(const struct scan_options *o, struct scan_progress *end, struct err *e)
{
	struct scan s;
	int result = 0;

	if (start(&s, o, e) < 0)
		return -1;
	while (result == 0 && !is_done(&s))
		result = run_round(&s, e);
	*end = s.progress;
	finish(&s);
	return result;
}
