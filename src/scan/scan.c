/* The main loop of a scan: begins hosts, sends probes, waits for answers. */
#include "scan/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/signals.h"
#include "scan/internal.h"
#include "scan/ports.h"

/* Descriptors for other uses: standard streams, name lookups, files. */
#define SPARE_FDS 24
/* The maximum number of probes in flight, whatever the descriptor limit is. */
#define MAX_PROBES 60000
/* Probes between two polls. */
#define MAX_RUN 1024
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

/* Whether the next port of a host may be probed now: with several hosts, the
 * first ports must show that it is up. */
static bool
may_begin(const struct scan *s, const struct scan_host *h)
{
	const struct port_list *ports = s->o->ports;

	return h->begun < ports->count &&
	       (h->begun < ports->discovery || ports->discovery == 0 ||
		   h->is_up || s->o->targets->hosts == 1);
}

static void
enqueue(struct scan *s, uint32_t slot)
{
	s->queue[(s->queue_first + s->queued++) % s->queue_size] = slot;
	s->hosts[slot].is_queued = true;
}

/* Begins the next host. Returns false if none is left. */
static bool
begin_host(struct scan *s)
{
	uint32_t slot = s->free_slot;
	uint64_t index;

	s->is_exhausted = !targets_walk_next(&s->walk, &index);
	if (s->is_exhausted)
		return false;
	if (slot == PROBE_NONE)
		slot = s->touched++;
	else
		s->free_slot = s->hosts[slot].next_free;
	memset(&s->hosts[slot], 0, sizeof(s->hosts[slot]));
	s->hosts[slot].index = index;
	s->hosts[slot].position = s->walk.at - 1;
	s->active++;
	enqueue(s, slot);
	return true;
}

/* After a change: the host goes on, or its other ports are skipped, or it has
 * ended. */
static void
update_host(struct scan *s, uint32_t slot)
{
	struct scan_host *h = &s->hosts[slot];
	struct scan_result r = {.host = h->index,
	    .slot = slot,
	    .count = s->o->ports->count - h->begun,
	    .reason = SCAN_SKIPPED,
	    .errnum = h->errnum};

	if (h->is_queued)
		return;
	if (may_begin(s, h)) {
		enqueue(s, slot);
		return;
	}
	if (r.count > 0 && h->discovery_left == 0) {
		h->begun = s->o->ports->count;
		s->o->result(s->o->context, &r);
	}
	if (h->undecided > 0 || h->begun < s->o->ports->count)
		return;
	s->o->host_done(s->o->context, slot);
	h->next_free = s->free_slot;
	h->position = UINT64_MAX;
	s->free_slot = slot;
	s->active--;
}

void
scan_host_is_up(struct scan *s, uint32_t slot)
{
	if (s->hosts[slot].is_up)
		return;
	s->hosts[slot].is_up = true;
	update_host(s, slot);
}

void
scan_report(struct scan *s, uint32_t slot, struct scan_result *r)
{
	r->host = s->hosts[slot].index;
	r->slot = slot;
	r->count = 1;
	s->hosts[slot].undecided--;
	s->o->result(s->o->context, r);
	update_host(s, slot);
}

/* Prepares the first try of a new port; PROBE_NONE if there is none now. */
static uint32_t
next_new(struct scan *s)
{
	struct scan_host *h;
	struct probe *p;
	uint32_t id, slot;

	if (s->queued == 0 && !begin_host(s))
		return PROBE_NONE;
	id = probe_alloc(&s->pool);
	if (id == PROBE_NONE)
		return PROBE_NONE;
	slot = s->queue[s->queue_first];
	h = &s->hosts[slot];
	p = scan_probe(s, id);
	p->slot = slot;
	p->port = ports_at(s->o->ports, h->index, h->begun);
	p->is_discovery = h->begun < s->o->ports->discovery;
	p->tries = p->failures = 0;
	p->unsure_errnum = 0;
	h->discovery_left += p->is_discovery;
	h->undecided++;
	h->begun++;
	if (!may_begin(s, h)) {
		s->queue_first = (s->queue_first + 1) % s->queue_size;
		s->queued--;
		h->is_queued = false;
	}
	return id;
}

/* When the next probe may be sent. */
static struct deadline
next_send(const struct scan *s)
{
	struct deadline resume = {.at_ns = s->resume_ns},
			d = pace_next(&s->pace);

	return d.at_ns < resume.at_ns ? resume : d;
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

	for (i = 0; i < MAX_RUN; i++) {
		if (s->in_flight >= s->pace.window)
			return deadline_none();
		next = next_send(s);
		if (next.at_ns > now || i == 0) {
			now = clock_now();
			pace_fill(&s->pace, now);
			next = next_send(s);
		}
		if (next.at_ns > now)
			return next;
		/* A re-probe, for up to half of the burst, or a new one. */
		if (probe_waiting(&s->pool) != PROBE_NONE &&
		    s->pace.reprobes > 0) {
			s->pace.reprobes--;
			id = retry_next(s);
		} else {
			id = next_new(s);
		}
		if (id == PROBE_NONE) {
			/* Waiting re-probes need a new burst. */
			next.at_ns = s->pace.filled_ns + PACE_TICK_NS;
			return probe_waiting(&s->pool) != PROBE_NONE
				   ? next
				   : deadline_none();
		}
		retry_send(s, id);
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
		retry_banner(s, id);
		return;
	}
	o = probe_poll(s, id);
	if (o.errnum == EINPROGRESS)
		return;
	probe_unlink(&s->pool, id);
	retry_outcome(s, id, o);
}

static bool
is_done(const struct scan *s)
{
	return s->is_exhausted && s->active == 0;
}

/* Waits and handles every ready socket. Returns the time up to which all that
 * had arrived was handled, or -1 with errno. */
static int64_t
wait_ready(struct scan *s, struct deadline wake)
{
	struct deadline now = {0};
	uint32_t ids[MAX_READY];
	int64_t looked_ns;
	int i, n;

	do {
		looked_ns = clock_now();
		n = ready_set_wait(s->set, ids, wake);
		for (i = 0; i < n; i++)
			handle_ready(s, ids[i]);
		if (n == 0 && wake.at_ns > looked_ns)
			looked_ns = wake.at_ns;
		wake = now;
	} while (n == MAX_READY && signals_stopped() == 0 &&
		 !deadline_passed(s->o->until));
	return n < 0 ? -1 : looked_ns;
}

/* Sends, waits, handles answers and timers. Returns 0, or -1 with *e. */
static int
run_round(struct scan *s, struct err *e)
{
	struct deadline wake = send_probes(s);
	int64_t looked_ns;
	uint32_t id;

	if (is_done(s))
		return 0;
	wake = deadline_first(wake, probe_deadline(&s->pool));
	wake =
	    deadline_first(wake, deadline_first(s->o->until, s->next_progress));
	looked_ns = wait_ready(s, wake);
	if (looked_ns < 0 && errno != EINTR)
		return err_sys(e, ERR_FAILED, errno, "waiting for answers");
	if (signals_stopped() != 0)
		return err_sys(e, ERR_FAILED, EINTR, "scan");
	while ((id = probe_expired(&s->pool, looked_ns)) != PROBE_NONE)
		retry_expired(s, id);
	if (deadline_passed(s->next_progress)) {
		s->next_progress = deadline_after(PROGRESS_MS);
		if (s->o->progress(s->o->context, e) < 0)
			return -1;
	}
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
	if (o->parallel > 0 && o->parallel < limit)
		limit = (uint32_t)o->parallel;
	s->set = ready_set_new(limit);
	if (s->set == NULL)
		return err_sys(
		    e, ERR_FAILED, errno, "preparing to wait for sockets");
	targets_walk_start(&s->walk, o->targets, &o->part);
	pace_init(&s->pace, limit, o->rate, clock_now());
	probe_pool_init(&s->pool, limit);
	/* A host that has begun has a probe, but for the one that is next. */
	s->queue_size = limit + 1;
	s->queue = mem_array(s->queue_size, sizeof(s->queue[0]));
	s->hosts = mem_array(s->queue_size, sizeof(s->hosts[0]));
	s->free_slot = PROBE_NONE;
	s->next_progress = deadline_after(PROGRESS_MS);
	return 0;
}

int
scan_run(const struct scan_options *o, struct scan_progress *end, struct err *e)
{
	struct scan s;
	uint32_t slot, id;
	int result = 0;

	if (start(&s, o, e) < 0)
		return -1;
	s.progress = end;
	*end = (struct scan_progress){.sent = 0};
	while (result == 0 && !is_done(&s))
		result = run_round(&s, e);
	end->next = s.walk.at;
	for (slot = 0; slot < s.touched; slot++)
		if (s.hosts[slot].position < end->next)
			end->next = s.hosts[slot].position;
	for (id = 0; id < s.pool.touched; id++)
		if (scan_probe(&s, id)->fd >= 0)
			probe_drop(&s, id);
	free(s.pool.probes);
	free(s.pool.links);
	ready_set_free(s.set);
	free(s.hosts);
	free(s.queue);
	return result;
}
