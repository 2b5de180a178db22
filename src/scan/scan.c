/*
 * A scan: begins hosts, sends probes, waits for answers, and decides which
 * state a port has, or whether it is probed again.
 *
 * A silent port is probed again before it is reported as filtered, and more
 * often if answers are lost. A probe that this machine cannot send is tried
 * again after a pause: a shortage of what every probe needs (descriptors,
 * buffers, ports) delays the whole scan, a failing network delays only the
 * probes to its hosts.
 *
 * Many hosts limit their ICMP errors (RFC 1812 4.3.2.8), with a token for each:
 * while there is none, a closed UDP port is silent. Therefore silence after a
 * datagram counts only if no refusal was received for as long as any host needs
 * for a token. Otherwise the port is probed again, in rounds of all silent
 * ports of the host whose pauses double after each refusal. A host that answers
 * but has refused nothing may have spent its tokens on others.
 */
#include "scan/scan.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/backoff.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "net/addr.h"
#include "net/ready.h"
#include "net/signals.h"
#include "net/sock.h"
#include "scan/ports.h"
#include "scan/probe.h"

/* Descriptors for other uses: standard streams, name lookups, files. */
#define SPARE_FDS 24
/* The maximum number of probes in flight, whatever the descriptor limit is. */
#define MAX_PROBES 60000
/* Probes between two polls. */
#define MAX_RUN 1024
#define PROGRESS_MS 100

/* The kernel retransmits a SYN after 1 s: later answers are ambiguous. */
#define KARN_NS (CLOCK_SECOND * 95 / 100)
/* The maximum number of tries of one port at any loss rate. */
#define MAX_TRIES 8
/* The shortest timer of a try without an answer. */
#define MIN_TIMER_NS (25 * CLOCK_MS)
/* Local failures of a port, and the first and longest pause after one. */
#define MAX_FAILURES 12
#define PAUSE_MS 5
#define MAX_PAUSE_MS 500
/* Ports are reported as unknown after an outage of OUTAGE_NS if a probe was
 * sent before it; after NO_ROUTE_NS if none was, or if probes to other hosts
 * are being sent. */
#define OUTAGE_NS (6 * CLOCK_SECOND)
#define NO_ROUTE_NS (1 * CLOCK_SECOND)
/* Any host refuses a datagram that is sent this long after the last refused
 * one: it has a token again. */
#define TOKEN_NS (2040 * CLOCK_MS)
/* The shortest pause between a refusal and the next round, the maximum number
 * of ports in a round, and the time within which they join it. */
#define MIN_GAP_NS (50 * CLOCK_MS)
#define MAX_ROUND 128
#define COALESCE_NS (4 * CLOCK_MS)
/* One of this many probes to a distant host is polled at once. */
#define FAR_SAMPLE 64

/* The initial window, as many packets as short queues hold, and the minimum. */
#define PACE_START 500
#define PACE_MIN 4
/*
 * A window of probes is not sent at once, which would overrun a queue on the
 * path. Each tick allows a burst whose size depends on the window; half of it
 * may be re-probes.
 */
#define PACE_TICK_NS CLOCK_MS
#define MIN_BURST 16
#define MAX_BURST 128
/* The longest delay of this process that is caught up with --rate. */
#define SLACK_NS (20 * CLOCK_MS)
/* The timeout before the first sample, and the minimum. */
#define FIRST_TIMEOUT_NS (1000 * CLOCK_MS)
#define MIN_TIMEOUT_NS (100 * CLOCK_MS)
/* The number of buckets in the timer wheel, and the time that one covers. */
#define WHEEL_BUCKETS 1024
#define WHEEL_TICK_NS (2 * CLOCK_MS)

#define NONE UINT32_MAX /* No try, or no slot. */

enum try_state {
	TRY_FREE,    /* The slot holds no try. */
	TRY_FLIGHT,  /* It was sent, and its timer has not expired. */
	TRY_WAITING, /* It waits to be sent, at once or after a pause. */
	TRY_LATE,    /* It is the last try, and waits for the time of -w. */
	TRY_OLDER,   /* It timed out, and a newer try is in progress. */
	TRY_BANNER   /* The port is open, and the service may send a banner. */
};

/* One try of a port. Its socket is polled until the state of the port is
 * decided. */
struct scan_try {
	struct probe probe;
	/* TRY_BANNER: the answer took this long. */
	int64_t answer_ns;
	/* The timer expires at this time; 0: no timer is set. */
	int64_t expires_ns;
	/* The host has this slot. */
	uint32_t slot;
	/* The tries of the same port before and after this one, or NONE. */
	uint32_t older, newer;
	/* An earlier try failed with this errno, perhaps because of this
	 * machine; 0: none did. */
	int unsure_errnum;
	uint8_t state; /* enum try_state */
	/* The port has been tried this many times, with this try. */
	uint8_t tries;
	/* This many tries of the port have failed on this machine. */
	uint8_t failures;
	/* The port is one of those that show whether the host is up. */
	bool is_discovery;
};

struct try_link {
	uint32_t prev, next;
};

/*
 * The tries: a fixed number of slots, each known by its index, and the lists
 * they are in: free slots, tries that wait to be sent, and tries with a timer.
 * The timers are in a timer wheel: each step has the same cost for any number
 * of tries.
 */
struct try_pool {
	/* The pool owns both arrays: capacity tries, and a link for each of
	 * them, with the heads of the lists after them. */
	struct scan_try *tries;
	struct try_link *links;
	uint32_t capacity;
	uint32_t touched; /* The slots from this one on were never used. */
	uint32_t used;    /* This many slots are not free. */
	uint32_t timed;   /* This many tries are in the wheel. */
	int64_t tick;     /* The wheel has been emptied up to this tick. */
};

/*
 * How fast probes are sent. The window starts small, doubles each round trip
 * while nothing is lost, and is halved when a re-probe is answered after the
 * first probe was not, or when this machine runs out of a resource.
 */
struct pace {
	/* At most this many probes are in flight; at most limit ever are. */
	uint32_t window, limit;
	/* Below it each answer grows the window by 1; above it, answers are
	 * counted in credit until they suffice. */
	uint32_t threshold, credit;
	/* The window is not halved again before this time. */
	int64_t held_ns;
	/* --rate demands this time between two probes; 0: it was not given. */
	int64_t interval_ns;
	/* No probe is sent before this time, because of --rate or a shortage.
	 */
	int64_t next_ns;
	/* The burst was filled at this time. It permits this many probes now,
	 * and this many re-probes among them. */
	int64_t filled_ns, burst, reprobes;
};

/*
 * The round-trip times of a host. Karn's rule is applied before a sample is
 * added: a time that may belong to a retransmission is not a sample.
 */
struct rtt_estimate {
	int64_t srtt_ns;   /* The smoothed time; 0: there is no sample yet. */
	int64_t rttvar_ns; /* Its variation. */
};

/* A host whose ports are being probed. */
struct scan_host {
	uint64_t index;    /* It has this index in the targets. */
	uint64_t position; /* The walk found it here; UINT64_MAX: it is done. */
	uint32_t begun;    /* This many ports have been probed or skipped. */
	uint32_t undecided; /* This many of them have no result. */
	struct rtt_estimate rtt;
	uint8_t discovery_left; /* This many discovery ports have no result. */
	uint8_t lost;       /* The highest number of a try that was answered. */
	uint8_t round_size; /* This many silent ports are in the round. */
	bool is_queued;     /* Its next port may be probed. */
	bool is_up;         /* It has answered a probe. */
	bool is_far;        /* Answers take time: polling at once is useless. */
	bool has_refused;   /* It has refused a datagram. */
	bool is_reported;   /* The user knows that it limits its refusals. */
	int errnum; /* The last port could not be probed because of it. */
	uint32_t next_free; /* While its slot is free: the next free slot. */
	int64_t failing_ns; /* No probe could be sent since; 0: all could. */
	int64_t retry_ns;   /* Until then no probe is sent after a failure. */
	int64_t refused_ns; /* It refused a datagram that was sent then. */
	int64_t round_ns;   /* Its silent ports are probed again then. */
};

struct scan {
	const struct scan_options *o;
	struct prober prober;
	struct try_pool pool;
	struct pace pace;
	uint32_t in_flight; /* This many tries are in TRY_FLIGHT. */

	struct targets_walk walk; /* It goes on with the hosts not begun yet. */
	struct scan_host *hosts;  /* The scan owns this array of slots. */
	uint32_t touched;   /* The slots from this one on were not used. */
	uint32_t free_slot; /* The list of free slots begins here. */
	uint32_t active;    /* This many hosts have begun and not ended. */
	/* The scan owns this ring of the slots of hosts whose next port may be
	 * probed. */
	uint32_t *queue;
	uint32_t queue_size, queue_first, queued;

	bool counts_syns;        /* --rate counts the SYNs of the system. */
	int64_t timeout_ns;      /* No answer is awaited for longer. */
	int64_t last_ns;         /* The last try waits for at least this. */
	struct rtt_estimate rtt; /* The hosts' answers so far took this long. */
	int64_t sent_ns;         /* The last probe was sent then; or 0. */
	int64_t shortage_ns;     /* A resource is short since then; 0: none. */
	struct backoff pause;    /* After shortages, in milliseconds. */
	struct scan_progress *progress; /* The caller owns it. */
	struct deadline next_progress;  /* progress() is called again then. */
};

static void pool_init(struct try_pool *pool, uint32_t capacity);
static uint32_t pool_expired(struct try_pool *pool, int64_t now_ns);
static struct deadline pool_deadline(const struct try_pool *pool);
static struct deadline send_probes(struct scan *s);
static void handle_ready(struct scan *s, uint32_t id);
static void handle_expired(struct scan *s, uint32_t id);

static bool
is_done(const struct scan *s)
{
	return s->walk.at == s->walk.end && s->active == 0;
}

/* Waits for answers, and handles every ready socket. Returns a time: all that
 * arrived before it was handled; or -1 with errno. */
static int64_t
wait_ready(struct scan *s, struct deadline wake)
{
	uint32_t ids[MAX_READY];
	int64_t looked_ns;
	int i, n;

	do {
		looked_ns = clock_now();
		n = ready_set_wait(s->prober.set, ids, wake);
		for (i = 0; i < n; i++)
			handle_ready(s, ids[i]);
		if (n == 0 && wake.at_ns > looked_ns)
			looked_ns = wake.at_ns;
		wake = (struct deadline){.at_ns = 0};
	} while (n == MAX_READY && signals_stopped() == 0 &&
		 !deadline_passed(s->o->until));
	return n < 0 ? -1 : looked_ns;
}

/* Sends probes, waits, and handles answers and timers. Returns 0, or -1 with
 * *e. */
static int
run_round(struct scan *s, struct err *e)
{
	struct deadline wake = send_probes(s);
	int64_t looked_ns;
	uint32_t id;

	if (is_done(s))
		return 0;
	wake = deadline_first(wake, pool_deadline(&s->pool));
	wake =
	    deadline_first(wake, deadline_first(s->o->until, s->next_progress));
	looked_ns = wait_ready(s, wake);
	if (looked_ns < 0 && errno != EINTR)
		return err_sys(e, ERR_FAILED, errno, "waiting for answers");
	if (signals_stopped() != 0)
		return err_sys(e, ERR_FAILED, EINTR, "scan");
	while ((id = pool_expired(&s->pool, looked_ns)) != NONE)
		handle_expired(s, id);
	if (deadline_passed(s->next_progress)) {
		s->next_progress = deadline_after(PROGRESS_MS);
		if (s->o->progress(s->o->context, e) < 0)
			return -1;
	}
	if (deadline_passed(s->o->until))
		return deadline_error(s->o->until, "", e);
	return 0;
}

int
scan_run(const struct scan_options *o, struct scan_progress *end, struct err *e)
{
	struct scan s = {.o = o,
	    .prober = {.targets = o->targets,
		.type = o->type,
		.interface = o->interface},
	    .progress = end,
	    .free_slot = NONE,
	    .pause = {.min = PAUSE_MS, .max = MAX_PAUSE_MS}};
	uint32_t limit = scan_capacity(), slot, id;
	int64_t max_ns;
	int result = 0;

	if (o->parallel > 0 && o->parallel < limit)
		limit = (uint32_t)o->parallel;
	s.prober.set = ready_set_new(limit, false);
	if (s.prober.set == NULL)
		return err_sys(
		    e, ERR_FAILED, errno, "preparing to wait for sockets");
	*end = (struct scan_progress){.sent = 0};
	pool_init(&s.pool, limit);
	targets_walk_start(&s.walk, o->targets, &o->part);
	s.pace = (struct pace){.limit = limit,
	    .threshold = limit,
	    .window = limit < PACE_START ? limit : PACE_START,
	    .interval_ns = o->rate > 0 ? CLOCK_SECOND / o->rate : 0,
	    .next_ns = clock_now()};
	/* So that each SYN is counted, a try ends before one is repeated. */
	s.counts_syns = o->rate > 0 && o->type == SOCK_STREAM;
	max_ns = s.counts_syns ? KARN_NS : INT64_MAX;
	s.timeout_ns = num_clamp(clock_ns(o->timeout_ms), 0, max_ns);
	s.last_ns = num_clamp(clock_ns(o->last_ms), 0, max_ns);
	/* Every host that has begun has a probe, except for the next one. */
	s.queue_size = limit + 1;
	s.queue = mem_array(s.queue_size, sizeof(s.queue[0]));
	s.hosts = mem_array(s.queue_size, sizeof(s.hosts[0]));
	s.next_progress = deadline_after(PROGRESS_MS);
	while (result == 0 && !is_done(&s))
		result = run_round(&s, e);
	end->next = s.walk.at;
	for (slot = 0; slot < s.touched; slot++)
		if (s.hosts[slot].position < end->next)
			end->next = s.hosts[slot].position;
	for (id = 0; id < s.pool.touched; id++)
		probe_drop(&s.prober, &s.pool.tries[id].probe);
	ready_set_free(s.prober.set);
	free(s.pool.tries);
	free(s.pool.links);
	free(s.hosts);
	free(s.queue);
	return result;
}

/* The pace. */

/* Grows the window after an answer, or silence as before: no sign of loss. */
static void
pace_grow(struct pace *pace)
{
	if (pace->window >= pace->limit)
		return;
	if (pace->window < pace->threshold) {
		pace->window++;
		return;
	}
	/* Grow by ten per round trip: a scan is too short for TCP's one. */
	pace->credit += 10;
	if (pace->credit >= pace->window) {
		pace->credit -= pace->window;
		pace->window++;
	}
}

/* Shrinks the window to size, after a resource shortage. */
static void
pace_shrink(struct pace *pace, uint32_t size)
{
	pace->window = (uint32_t)num_clamp(size, PACE_MIN, pace->limit);
	pace->threshold = pace->window;
	pace->credit = 0;
}

/* Halves the window after a lost probe, at most once in hold_ns. */
static void
pace_halve(struct pace *pace, int64_t now_ns, int64_t hold_ns)
{
	if (now_ns < pace->held_ns)
		return;
	pace->held_ns = now_ns + hold_ns;
	pace_shrink(pace, pace->window / 2);
}

/* Adds what the ticks permit. After a late wake-up, only two ticks count. */
static void
add_burst(int64_t *burst, int64_t per_tick, int64_t ticks)
{
	*burst += per_tick * (ticks < 2 ? ticks : 2);
	if (*burst > 2 * per_tick)
		*burst = 2 * per_tick;
}

/* Adds to the burst what the time since the last call permits. Returns the time
 * from which the next probe may be sent. */
static struct deadline
pace_next(struct pace *pace, int64_t now_ns)
{
	int64_t per_tick = num_clamp(pace->window / 8, MIN_BURST, MAX_BURST);
	int64_t ticks = (now_ns - pace->filled_ns) / PACE_TICK_NS;
	struct deadline d = {.at_ns = pace->next_ns};

	if (ticks > 0) {
		add_burst(&pace->burst, per_tick, ticks);
		add_burst(&pace->reprobes, per_tick / 2, ticks);
		pace->filled_ns =
		    ticks > 2 ? now_ns : pace->filled_ns + ticks * PACE_TICK_NS;
	}
	if (pace->burst <= 0 && d.at_ns < pace->filled_ns + PACE_TICK_NS)
		d.at_ns = pace->filled_ns + PACE_TICK_NS;
	return d;
}

/* Counts a probe against --rate. */
static void
pace_spend(struct pace *pace, int64_t now_ns)
{
	if (pace->interval_ns == 0)
		return;
	if (pace->next_ns < now_ns - SLACK_NS)
		pace->next_ns = now_ns - SLACK_NS;
	pace->next_ns += pace->interval_ns;
}

/* Adds a sample (RFC 6298 2.2 and 2.3: alpha is 1/8, beta 1/4). */
static void
rtt_sample(struct rtt_estimate *rtt, int64_t ns)
{
	if (ns < 1)
		ns = 1;
	if (rtt->srtt_ns == 0) {
		rtt->srtt_ns = ns;
		rtt->rttvar_ns = ns / 2;
		return;
	}
	rtt->rttvar_ns = (3 * rtt->rttvar_ns + llabs(ns - rtt->srtt_ns)) / 4;
	rtt->srtt_ns = (7 * rtt->srtt_ns + ns) / 8;
}

/*
 * The timeout of RFC 6298 in nanoseconds: FIRST_TIMEOUT_NS without a sample,
 * otherwise srtt + 4 rttvar and at least MIN_TIMEOUT_NS; in both cases at
 * most limit_ns.
 */
static int64_t
rtt_timeout(const struct rtt_estimate *rtt, int64_t limit_ns)
{
	int64_t ns = rtt->srtt_ns != 0 ? rtt->srtt_ns + 4 * rtt->rttvar_ns
				       : FIRST_TIMEOUT_NS;

	return num_clamp(ns, MIN_TIMEOUT_NS, limit_ns);
}

/* The pool of tries. Its lists are the free slots, the waiting tries, then the
 * buckets of the wheel. */
enum { LIST_FREE, LIST_WAITING, LIST_WHEEL };

#define LISTS (LIST_WHEEL + WHEEL_BUCKETS)

static uint32_t
head(const struct try_pool *pool, int list)
{
	return pool->capacity + (uint32_t)list;
}

static uint32_t
first(const struct try_pool *pool, int list)
{
	uint32_t id = pool->links[head(pool, list)].next;

	return id == head(pool, list) ? NONE : id;
}

/* Inserts id before another link. */
static void
insert(struct try_pool *pool, uint32_t id, uint32_t before)
{
	struct try_link *l = pool->links;

	l[id].next = before;
	l[id].prev = l[before].prev;
	l[l[before].prev].next = id;
	l[before].prev = id;
}

static int
bucket_of(int64_t tick)
{
	return LIST_WHEEL + (int)(tick % WHEEL_BUCKETS);
}

/* Prepares an empty pool. */
static void
pool_init(struct try_pool *pool, uint32_t capacity)
{
	uint32_t i, h;

	pool->capacity = capacity;
	pool->tick = clock_now() / WHEEL_TICK_NS;
	pool->tries = mem_array(capacity, sizeof(pool->tries[0]));
	pool->links =
	    mem_array((size_t)capacity + LISTS, sizeof(pool->links[0]));
	for (i = 0; i < LISTS; i++) {
		h = head(pool, (int)i);
		pool->links[h].prev = pool->links[h].next = h;
	}
}

/* Removes a try from its list. */
static void
pool_unlink(struct try_pool *pool, uint32_t id)
{
	struct try_link *l = pool->links;

	l[l[id].prev].next = l[id].next;
	l[l[id].next].prev = l[id].prev;
	l[id].prev = l[id].next = id;
	if (pool->tries[id].expires_ns != 0) {
		pool->tries[id].expires_ns = 0;
		pool->timed--;
	}
}

/* Returns a slot, the one that was freed last, or NONE if all are used. */
static uint32_t
pool_alloc(struct try_pool *pool)
{
	uint32_t id = first(pool, LIST_FREE);

	if (id != NONE) {
		pool_unlink(pool, id);
	} else if (pool->touched < pool->capacity) {
		id = pool->touched++;
		pool->links[id].prev = pool->links[id].next = id;
		pool->tries[id].probe = (struct probe){.id = id, .fd = -1};
	} else {
		return NONE;
	}
	pool->tries[id].older = pool->tries[id].newer = NONE;
	pool->tries[id].expires_ns = 0;
	pool->used++;
	return id;
}

/* Frees the slot of a try, which keeps its socket. */
static void
pool_free(struct try_pool *pool, uint32_t id)
{
	pool_unlink(pool, id);
	pool->tries[id].state = TRY_FREE;
	insert(pool, id, pool->links[head(pool, LIST_FREE)].next);
	pool->used--;
}

/* Appends a try to those that wait to be sent. */
static void
pool_wait(struct try_pool *pool, uint32_t id)
{
	pool_unlink(pool, id);
	insert(pool, id, head(pool, LIST_WAITING));
}

/* Returns the first try that waits, or NONE. */
static uint32_t
pool_waiting(const struct try_pool *pool)
{
	return first(pool, LIST_WAITING);
}

/* Sets the timer of a try, and removes it from any other list. */
static void
pool_set_timer(struct try_pool *pool, uint32_t id, int64_t expires_ns)
{
	int64_t tick = expires_ns / WHEEL_TICK_NS + 1;

	pool_unlink(pool, id);
	/* A later time than the wheel covers takes more than one turn. */
	tick = num_clamp(tick, pool->tick + 1, pool->tick + WHEEL_BUCKETS - 1);
	insert(pool, id, head(pool, bucket_of(tick)));
	pool->tries[id].expires_ns = expires_ns;
	pool->timed++;
}

/* Unlinks and returns a try whose timer has expired, or returns NONE. */
static uint32_t
pool_expired(struct try_pool *pool, int64_t now_ns)
{
	int64_t now = now_ns / WHEEL_TICK_NS;
	uint32_t id;

	if (pool->timed == 0 && pool->tick < now)
		pool->tick = now;
	for (;; pool->tick++) {
		while ((id = first(pool, bucket_of(pool->tick))) != NONE) {
			if (pool->tries[id].expires_ns <= now_ns) {
				pool_unlink(pool, id);
				return id;
			}
			/* It takes another turn of the wheel. */
			pool_set_timer(pool, id, pool->tries[id].expires_ns);
		}
		if (pool->tick >= now)
			return NONE;
	}
}

/* Returns when to call pool_expired() next. */
static struct deadline
pool_deadline(const struct try_pool *pool)
{
	struct deadline d = deadline_none();
	int i;

	for (i = 0; pool->timed > 0 && i < WHEEL_BUCKETS; i++) {
		if (first(pool, bucket_of(pool->tick + i)) == NONE)
			continue;
		d.at_ns = (pool->tick + i) * WHEEL_TICK_NS;
		break;
	}
	return d;
}

/* The try with index id. */
static struct scan_try *
try_at(const struct scan *s, uint32_t id)
{
	return &s->pool.tries[id];
}

/* The host of try id. */
static struct scan_host *
host_of(const struct scan *s, uint32_t id)
{
	return &s->hosts[s->pool.tries[id].slot];
}

uint32_t
scan_capacity(void)
{
	return (uint32_t)num_clamp(
	    (int64_t)fd_raise_limit() - SPARE_FDS, 1, MAX_PROBES);
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

/* Begins the next host in a free slot. Returns false if none is left. */
static bool
begin_host(struct scan *s)
{
	uint32_t slot = s->free_slot;
	uint64_t index;

	if (!targets_walk_next(&s->walk, &index))
		return false;
	if (slot == NONE)
		slot = s->touched++;
	else
		s->free_slot = s->hosts[slot].next_free;
	s->hosts[slot] =
	    (struct scan_host){.index = index, .position = s->walk.at - 1};
	s->active++;
	enqueue(s, slot);
	return true;
}

/* Called after a change of the host: queues its next port, skips all of its
 * other ports if none has answered, or frees its slot if all are decided. */
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
	if (h->undecided > 0)
		return;
	s->o->host_done(s->o->context, slot);
	h->next_free = s->free_slot;
	h->position = UINT64_MAX;
	s->free_slot = slot;
	s->active--;
}

/* Maps an errno from the remote side to a reason. */
static enum scan_reason
reason_of(const struct scan *s, int errnum)
{
	bool is_stream = s->o->type == SOCK_STREAM;

	if (errnum == 0)
		return is_stream ? SCAN_CONNECTED : SCAN_ANSWERED;
	switch (err_find(errnum, ERR_AT_TCP)->origin) {
	case ERR_BY_PEER:
		return is_stream ? SCAN_CONNECTED : SCAN_REFUSED;
	case ERR_BY_REFUSAL:
		return SCAN_REFUSED;
	case ERR_BY_SILENCE:
		return is_stream ? SCAN_SILENT : SCAN_NO_REPLY;
	case ERR_BY_ICMP:
		return errnum == ENETUNREACH   ? SCAN_NET_UNREACH
		       : errnum == EACCES      ? SCAN_PROHIBITED
		       : errnum == ENOPROTOOPT ? SCAN_PROTO_UNREACH
					       : SCAN_HOST_UNREACH;
	case ERR_BY_SYSTEM:
		break;
	}
	return SCAN_LOCAL;
}

static bool
is_open(enum scan_reason reason)
{
	return reason == SCAN_CONNECTED || reason == SCAN_ANSWERED;
}

static int64_t
timeout_ns(const struct scan *s, const struct scan_host *h)
{
	if (h->rtt.srtt_ns != 0 || s->rtt.srtt_ns == 0)
		return rtt_timeout(&h->rtt, s->timeout_ns);
	/* The other hosts' round trips are a rough estimate. */
	return rtt_timeout(&s->rtt, s->timeout_ns / 2) * 2;
}

/*
 * Sets the timer of a try that may still be answered. The estimate may change
 * until then, so the try is polled in between, after over one round trip.
 */
static void
await_answer(struct scan *s, uint32_t id)
{
	const struct scan_host *h = host_of(s, id);
	int64_t sent = try_at(s, id)->probe.sent_ns, now = clock_now();
	int64_t expiry = sent + timeout_ns(s, h), next;
	int64_t interval = MIN_TIMEOUT_NS;

	if (h->rtt.srtt_ns != 0)
		interval =
		    num_clamp(h->rtt.srtt_ns * 5 / 4, MIN_TIMER_NS, interval);
	next = (sent + interval > now ? sent : now) + interval;
	pool_set_timer(&s->pool, id, expiry < next ? expiry : next);
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
	const struct scan_host *h = host_of(s, id);
	bool is_stream = s->o->type == SOCK_STREAM;
	int tries = 2;

	/* A re-probe was answered: several tries of a port may be lost. */
	if (h->lost > 1)
		tries = h->lost + 3 < MAX_TRIES ? h->lost + 3 : MAX_TRIES;
	else if (is_stream ? h->is_up && has_spare_slots(s) : !is_limited(h))
		tries = 3;
	return try_at(s, id)->tries >= tries;
}

/* Stops counting a try as in flight. */
static void
clear_flight(struct scan *s, uint32_t id)
{
	struct scan_try *t = try_at(s, id);

	if (t->state != TRY_FLIGHT)
		return;
	t->state = TRY_WAITING;
	s->in_flight--;
}

/* Reports the result of the port of id, and frees all its tries. */
static void
finish_port(struct scan *s, uint32_t id, struct scan_result *r)
{
	struct scan_try *t = try_at(s, id);
	struct scan_host *h = host_of(s, id);
	uint32_t slot = t->slot, other, next;
	struct probe *probe;
	bool in_progress;

	if (is_open(r->reason))
		probe_drop(&s->prober, &t->probe);
	h->discovery_left -= t->is_discovery;
	h->undecided--;
	r->host = h->index;
	r->slot = slot;
	r->port = t->probe.port;
	r->count = 1;
	for (other = id; try_at(s, other)->older != NONE;)
		other = try_at(s, other)->older;
	for (; other != NONE; other = next) {
		next = try_at(s, other)->newer;
		probe = &try_at(s, other)->probe;
		clear_flight(s, other);
		in_progress = other != id || r->reason == SCAN_SILENT;
		/* Late answers may still arrive at a socket of datagrams. */
		if (s->o->type == SOCK_DGRAM)
			probe_drop(&s->prober, probe);
		else
			probe_reuse(&s->prober, probe, in_progress);
		pool_free(&s->pool, other);
	}
	s->o->result(s->o->context, r);
	update_host(s, slot);
}

/* Updates the estimates after the host itself has answered a try. */
static void
update_estimates(struct scan *s, uint32_t id, bool is_refusal, int64_t now)
{
	const struct scan_try *t = try_at(s, id);
	struct scan_host *h = host_of(s, id);
	bool is_first = s->rtt.srtt_ns == 0;
	uint32_t other;

	if (s->o->type == SOCK_DGRAM) {
		h->has_refused |= is_refusal;
		if (t->probe.sent_ns > h->refused_ns &&
		    (is_refusal || !is_limited(h)))
			h->refused_ns = t->probe.sent_ns;
	}
	if (now - t->probe.sent_ns < KARN_NS) {
		rtt_sample(&h->rtt, now - t->probe.sent_ns);
		rtt_sample(&s->rtt, now - t->probe.sent_ns);
		/* Silence for over one round trip lets the window grow. */
		for (other = 0; is_first && other < s->pool.touched; other++)
			if (try_at(s, other)->state == TRY_FLIGHT)
				await_answer(s, other);
	}
	if (t->tries == 1 || is_limited(h)) {
		pace_grow(&s->pace);
	} else {
		/* An earlier try or its answer was lost. */
		if (t->tries > h->lost)
			h->lost = t->tries;
		pace_halve(&s->pace, now, rtt_timeout(&h->rtt, INT64_MAX));
	}
	if (!h->is_up) {
		h->is_up = true;
		update_host(s, t->slot);
	}
}

/* Decides the state of the port of id, and reports it. by is the sender of an
 * ICMP error, or NULL. */
static void
decide(struct scan *s, uint32_t id, int errnum, enum scan_reason reason,
    const struct addr *by)
{
	int64_t now = clock_now();
	struct scan_result r = {
	    .reason = reason,
	    .errnum = errnum,
	    .by = by,
	    .ns = now - try_at(s, id)->probe.sent_ns,
	};

	if (reason == SCAN_REFUSED || is_open(reason))
		update_estimates(s, id, reason == SCAN_REFUSED, now);
	finish_port(s, id, &r);
}

/* Reports an open port with its banner, the n bytes received, perhaps none. */
static void
finish_banner(struct scan *s, uint32_t id, const void *bytes, size_t n)
{
	struct scan_result r = {
	    .reason = SCAN_CONNECTED,
	    .ns = try_at(s, id)->answer_ns,
	    .banner = n > 0 ? bytes : NULL,
	    .banner_size = n,
	};

	finish_port(s, id, &r);
}

/* Reads the banner of an open port, if there is one yet. */
static void
read_banner(struct scan *s, uint32_t id)
{
	char bytes[SCAN_BANNER];
	ssize_t n;

	do {
		n = sock_recv(try_at(s, id)->probe.fd, bytes, sizeof(bytes),
		    MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return;
	finish_banner(s, id, bytes, n > 0 ? (size_t)n : 0);
}

/* The port is open: starts to wait for the first bytes of the service. */
static void
await_banner(struct scan *s, uint32_t id)
{
	struct scan_try *t = try_at(s, id);
	int64_t now = clock_now();

	update_estimates(s, id, false, now);
	clear_flight(s, id);
	t->state = TRY_BANNER;
	t->answer_ns = now - t->probe.sent_ns;
	pool_set_timer(&s->pool, id, now + clock_ns(s->o->banner_ms));
	(void)ready_set_watch(s->prober.set, id, t->probe.fd, POLLIN);
	read_banner(s, id);
}

/*
 * Adds a try to the next round of its host's silent ports, which waits as long
 * as has passed since the last refusal.
 */
static void
join_round(struct scan *s, uint32_t id)
{
	struct scan_host *h = host_of(s, id);
	int64_t now = clock_now(), pause = now - h->refused_ns;
	struct addr a;

	pause = num_clamp(pause, MIN_GAP_NS, h->refused_ns + TOKEN_NS - now);
	if (h->round_ns <= now) {
		h->round_ns = now + (pause > COALESCE_NS ? pause : COALESCE_NS);
		h->round_size = 0;
	} else if (h->round_size == MAX_ROUND) {
		h->round_ns += MIN_GAP_NS;
		h->round_size = 0;
	}
	h->round_size++;
	pool_set_timer(&s->pool, id, h->round_ns);
	/* Why the scan is slow. */
	if (pause <= TOKEN_NS / 4 || !h->has_refused || h->is_reported)
		return;
	h->is_reported = true;
	targets_host(s->o->targets, h->index, 0, &a);
	diag_note("%s limits its ICMP errors: silent ports are probed again "
		  "at its pace",
	    addr_ip_text(&a));
}

/* Called when a try timed out, or its outcome is unsure: extends it to the time
 * of -w, outside the window, schedules another try, or reports the port. */
static void
handle_silence(struct scan *s, uint32_t id)
{
	struct scan_try *t = try_at(s, id);
	const struct scan_host *h = host_of(s, id);
	int errnum = t->unsure_errnum != 0 ? t->unsure_errnum : ETIMEDOUT;
	int64_t expiry = t->probe.sent_ns + s->last_ns;
	bool is_last;

	clear_flight(s, id);
	/* Silence shows nothing while the host may lack a token. */
	if (is_limited(h) && t->probe.sent_ns < h->refused_ns + TOKEN_NS)
		t->tries--;
	is_last = has_had_all_tries(s, id);
	if (is_last && t->unsure_errnum == 0 && t->state != TRY_LATE &&
	    t->probe.fd >= 0 && clock_now() < expiry) {
		t->state = TRY_LATE;
		pool_set_timer(&s->pool, id, expiry);
		return;
	}
	probe_report(&s->prober, &t->probe, errnum);
	t->state = TRY_WAITING;
	if (s->counts_syns)
		probe_drop(&s->prober, &t->probe);
	if (is_last)
		decide(s, id, errnum, reason_of(s, errnum), NULL);
	else if (is_limited(h))
		join_round(s, id);
	else
		pool_wait(&s->pool, id);
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
 * it has lasted too long, over all ports. While probes are in progress, it has
 * not: each one that ends frees what it used.
 */
static bool
pause_all(struct scan *s, int64_t now)
{
	int64_t resume_ns;

	if (s->shortage_ns == 0 || s->pool.timed > 0)
		s->shortage_ns = now;
	if (now >= s->shortage_ns + OUTAGE_NS)
		return false;
	pace_shrink(&s->pace, s->in_flight / 2);
	resume_ns = now + clock_ns(backoff_next(&s->pause));
	if (s->pace.next_ns < resume_ns)
		s->pace.next_ns = resume_ns;
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

/* Whether a probe has a broadcast or multicast address: no host has it, so
 * every try fails. */
static bool
is_broadcast(const struct scan *s, const struct probe *p)
{
	struct addr a, local;

	targets_host(s->o->targets, p->host, p->port, &a);
	return addr_is_multicast(&a) ||
	       (addr_family(&a) == AF_INET && !sock_route(&a, 0, &local) &&
		   sock_route(&a, SO_BROADCAST, &local));
}

/* Schedules another try after a local failure. Returns false if it has failed
 * for too long. */
static bool
try_again(struct scan *s, uint32_t id, int errnum)
{
	struct scan_try *t = try_at(s, id);
	struct scan_host *h = host_of(s, id);
	int64_t now = clock_now();

	if (h->failing_ns == 0 && (errnum == ENETUNREACH || errnum == EACCES) &&
	    is_broadcast(s, &t->probe))
		return false;
	if (is_shortage(errnum)) {
		if (!pause_all(s, now))
			return false;
	} else {
		/* The pause grows with the outage of the host. */
		if (h->failing_ns == 0)
			h->failing_ns = now;
		h->retry_ns =
		    now + num_clamp(now - h->failing_ns, PAUSE_MS * CLOCK_MS,
			      MAX_PAUSE_MS * CLOCK_MS);
	}
	t->failures++;
	if (has_outage_expired(s, h, now))
		return false;
	/* During an outage, the failure is not specific to one port. */
	if (t->failures > MAX_FAILURES &&
	    (h->failing_ns == 0 || now < h->failing_ns + NO_ROUTE_NS))
		return false;
	if (is_shortage(errnum))
		pool_wait(&s->pool, id);
	else
		pool_set_timer(&s->pool, id, h->retry_ns);
	return true;
}

/* Handles the outcome of try id: reports its port, or schedules another try. */
static void
handle_outcome(struct scan *s, uint32_t id, struct probe_outcome o)
{
	struct scan_try *t = try_at(s, id);
	enum scan_reason reason;

	probe_report(&s->prober, &t->probe, o.errnum);
	/* Nobody else has the port: it is closed. */
	if (o.errnum == 0 && sock_is_self_connect(t->probe.fd)) {
		probe_drop(&s->prober, &t->probe);
		o.errnum = ECONNREFUSED;
		o.origin = PROBE_REMOTE;
	}
	if (o.origin == PROBE_UNSURE) {
		/* The error is cleared: another poll would report success. */
		probe_drop(&s->prober, &t->probe);
		t->unsure_errnum = o.errnum;
		handle_silence(s, id);
		return;
	}
	reason = reason_of(s, o.errnum);
	if (o.origin == PROBE_LOCAL || reason == SCAN_LOCAL) {
		clear_flight(s, id);
		t->state = TRY_WAITING;
		s->progress->errnum = o.errnum;
		probe_drop(&s->prober, &t->probe);
		t->tries--;
		if (try_again(s, id, o.errnum))
			return;
		host_of(s, id)->errnum = o.errnum;
		decide(s, id, o.errnum, SCAN_LOCAL, NULL);
		return;
	}
	s->pause.pause = 0;
	if (reason == SCAN_CONNECTED && s->o->banner_ms > 0)
		await_banner(s, id);
	else
		decide(s, id, o.errnum, reason,
		    s->prober.icmp.errnum != 0 ? &s->prober.icmp.sender : NULL);
}

/* Handles the expired timer of try id: extends it, schedules another try, or
 * reports the port. */
static void
handle_expired(struct scan *s, uint32_t id)
{
	const struct scan_try *t = try_at(s, id);

	if (t->state == TRY_WAITING) {
		pool_wait(&s->pool, id);
		return;
	}
	if (t->state == TRY_BANNER) {
		finish_banner(s, id, NULL, 0);
		return;
	}
	/* Silence is not a loss until a re-probe has been answered. */
	if (t->tries == 1 && s->pace.threshold == s->pace.limit)
		pace_grow(&s->pace);
	/* The estimate may have grown. */
	if (t->state != TRY_LATE &&
	    clock_now() < t->probe.sent_ns + timeout_ns(s, host_of(s, id)))
		await_answer(s, id);
	else
		handle_silence(s, id);
}

/* Sends the try id, unless its host must wait. */
static void
send_try(struct scan *s, uint32_t id)
{
	struct scan_try *t = try_at(s, id);
	struct scan_host *h = host_of(s, id);
	struct probe_outcome o;
	int64_t now;

	if (h->failing_ns != 0) {
		now = clock_now();
		if (now < h->retry_ns && !has_outage_expired(s, h, now)) {
			t->state = TRY_WAITING;
			pool_set_timer(&s->pool, id, h->retry_ns);
			return;
		}
	}
	t->tries++;
	t->state = TRY_FLIGHT;
	s->in_flight++;
	s->progress->sent++;
	o = probe_send(&s->prober, &t->probe);
	pace_spend(&s->pace, t->probe.sent_ns);
	/* Without a poll it is not known whether the host can be reached. */
	if (o.errnum == EINPROGRESS &&
	    (!h->is_far || s->progress->sent % FAR_SAMPLE == 0)) {
		o = probe_poll(&s->prober, &t->probe);
		h->is_far = o.errnum == EINPROGRESS;
	}
	if (o.origin != PROBE_LOCAL) {
		h->failing_ns = s->shortage_ns = 0;
		s->progress->errnum = 0;
		s->sent_ns = t->probe.sent_ns;
	}
	if (o.errnum == EINPROGRESS) {
		s->pace.burst--;
		if (ready_set_watch(s->prober.set, id, t->probe.fd,
			s->o->type == SOCK_STREAM ? POLLOUT : POLLIN) == 0) {
			s->shortage_ns = 0;
			await_answer(s, id);
			return;
		}
		o.errnum = errno;
		o.origin = PROBE_LOCAL;
	}
	handle_outcome(s, id, o);
}

/*
 * Returns the next try that waits, which the caller must send now. The earlier
 * try remains open for a late answer if there are slots for both.
 */
static uint32_t
next_retry(struct scan *s)
{
	uint32_t id = pool_waiting(&s->pool), copy = NONE;
	struct scan_try *t = try_at(s, id), *next;

	pool_unlink(&s->pool, id);
	if (is_limited(host_of(s, id)))
		probe_drop(&s->prober, &t->probe);
	if (t->probe.fd < 0)
		return id;
	if (has_spare_slots(s))
		copy = pool_alloc(&s->pool);
	if (copy != NONE) {
		next = try_at(s, copy);
		t->state = TRY_OLDER;
		t->newer = copy;
		next->older = id;
		next->probe.host = t->probe.host;
		next->slot = t->slot;
		next->probe.port = t->probe.port;
		next->is_discovery = t->is_discovery;
		next->tries = t->tries;
		next->failures = t->failures;
		next->unsure_errnum = t->unsure_errnum;
		return copy;
	}
	probe_reuse(&s->prober, &t->probe, true);
	return id;
}

/* Prepares the first try of a new port; NONE if there is none now. */
static uint32_t
next_new(struct scan *s)
{
	struct scan_host *h;
	struct scan_try *t;
	uint32_t id, slot;

	if (s->queued == 0 && !begin_host(s))
		return NONE;
	id = pool_alloc(&s->pool);
	if (id == NONE)
		return NONE;
	slot = s->queue[s->queue_first];
	h = &s->hosts[slot];
	t = try_at(s, id);
	t->probe.host = h->index;
	t->slot = slot;
	t->probe.port = ports_at(s->o->ports, h->index, h->begun);
	t->is_discovery = h->begun < s->o->ports->discovery;
	t->tries = t->failures = 0;
	t->unsure_errnum = 0;
	h->discovery_left += t->is_discovery;
	h->undecided++;
	h->begun++;
	if (!may_begin(s, h)) {
		s->queue_first = (s->queue_first + 1) % s->queue_size;
		s->queued--;
		h->is_queued = false;
	}
	return id;
}

/*
 * Sends the probes that may be sent now. Returns when to call it again even if
 * nothing has been received.
 */
static struct deadline
send_probes(struct scan *s)
{
	struct deadline next = {0};
	int64_t now = clock_now();
	uint32_t id;
	int i;

	for (i = 0; i < MAX_RUN; i++) {
		if (s->in_flight >= s->pace.window)
			return deadline_none();
		next = pace_next(&s->pace, now);
		if (next.at_ns > now) {
			now = clock_now();
			next = pace_next(&s->pace, now);
		}
		if (next.at_ns > now)
			return next;
		/* A re-probe, for up to half of the burst, or a new one. */
		if (pool_waiting(&s->pool) != NONE && s->pace.reprobes > 0) {
			s->pace.reprobes--;
			id = next_retry(s);
		} else {
			id = next_new(s);
		}
		if (id == NONE) {
			/* Waiting re-probes need a new burst. */
			next.at_ns = s->pace.filled_ns + PACE_TICK_NS;
			return pool_waiting(&s->pool) != NONE ? next
							      : deadline_none();
		}
		send_try(s, id);
	}
	return next;
}

/* Called when the socket of id may be ready. */
static void
handle_ready(struct scan *s, uint32_t id)
{
	struct scan_try *t = try_at(s, id);
	struct probe_outcome o;

	if (t->state == TRY_FREE || t->probe.fd < 0)
		return;
	if (t->state == TRY_BANNER) {
		read_banner(s, id);
		return;
	}
	o = probe_poll(&s->prober, &t->probe);
	if (o.errnum == EINPROGRESS)
		return;
	pool_unlink(&s->pool, id);
	handle_outcome(s, id, o);
}
