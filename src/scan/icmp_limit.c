/* Hosts that limit their ICMP errors: when silence counts, when to re-probe. */
#include "scan/icmp_limit.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "net/addr.h"
#include "scan/internal.h"
#include "scan/probe.h"
#include "scan/probe_socket.h"
#include "scan/rtt.h"
#include "scan/targets.h"

/* The maximum number of probes in one round. */
#define MAX_ROUND 128
/* Probes sent within this time belong together: at most one or two tokens
 * arrive meanwhile. */
#define SAME_NS (90 * CLOCK_MS)
/* The pause between rounds, if one is needed. */
#define MIN_GAP_NS (50 * CLOCK_MS)
#define MAX_GAP_NS (2040 * CLOCK_MS)
/* Longest pauses without a refusal after which silence counts again. */
#define MAX_SILENT_GAPS 6
/* Probes scheduled within this time share a round. */
#define COALESCE_NS (4 * CLOCK_MS)

/* The size of rounds, from the scan's pace; the same for all hosts. */
struct rules {
	int64_t same_ns;    /* probes sent within it belong together */
	uint16_t max_round; /* probes */
};

/* What is known about a host; initially all zeros. */
struct limit {
	int64_t refused_ns[2]; /* when the last two refused probes were sent */
	int64_t round_ns;      /* when the round being filled will be sent */
	int64_t gap_ns;        /* between rounds */
	int64_t adjust_ns;     /* next adjustment of gap_ns */
	uint16_t closed;       /* a port that refused a probe */
	uint16_t members;      /* probes in the round */
	uint16_t refusals;     /* since the last adjustment */
	uint32_t silent_gaps;  /* adjustments in a row without a refusal */
	bool is_known;         /* a probe was refused: closed is set */
	bool is_suspected;     /* the host is up and may be limiting refusals */
	bool is_reported;      /* the user has been informed of the delay */
};

struct icmp_limits {
	struct rules rules;
	struct limit hosts[];
};

/*
 * The rules for probes sent every interval_ns (0: no limit) with at most limit
 * probes in flight. The slower the scan, the smaller the rounds.
 */
static struct rules
make_rules(int64_t interval_ns, uint32_t limit)
{
	struct rules rules = {SAME_NS, MAX_ROUND};
	int64_t at_once;

	if (limit < rules.max_round)
		rules.max_round = (uint16_t)limit;
	if (interval_ns <= 0)
		return rules;
	at_once = SAME_NS / interval_ns - ICMP_LIMIT_CHECKS;
	if (at_once < rules.max_round)
		rules.max_round = at_once < 1 ? 1 : (uint16_t)at_once;
	if (at_once < 1)
		rules.same_ns = (ICMP_LIMIT_CHECKS + 1) * interval_ns;
	return rules;
}

/* Records the refusal of a probe sent at sent_ns. */
static void
add_refusal(struct limit *l, uint16_t port, int64_t sent_ns)
{
	if (sent_ns >= l->refused_ns[0]) {
		l->refused_ns[1] = l->refused_ns[0];
		l->refused_ns[0] = sent_ns;
	} else if (sent_ns > l->refused_ns[1]) {
		l->refused_ns[1] = sent_ns;
	}
	l->closed = port;
	l->is_known = true;
	l->silent_gaps = 0;
	if (l->refusals < UINT16_MAX)
		l->refusals++;
}

/* Ignores silence for that many pauses of MAX_GAP_NS without a refusal. */
static void
suspect(struct limit *l, uint32_t pauses)
{
	if (l->is_known || l->is_suspected)
		return;
	l->is_suspected = true;
	l->gap_ns = MAX_GAP_NS;
	l->silent_gaps = MAX_SILENT_GAPS - pauses;
}

/* Whether silence after a probe sent at sent_ns is conclusive. */
static bool
is_conclusive(const struct limit *l, const struct rules *rules, int64_t sent_ns)
{
	if (!(l->is_known || l->is_suspected) ||
	    l->silent_gaps >= MAX_SILENT_GAPS)
		return true;
	return l->refused_ns[1] >= sent_ns &&
	       l->refused_ns[0] < sent_ns + rules->same_ns;
}

/*
 * Fewer refusals than checks in the last rounds show that the pause is too
 * short; many more show that it is too long. Refusals of first probes show
 * nothing.
 */
static void
adjust_gap(struct limit *l, int64_t now_ns)
{
	if (l->adjust_ns == 0)
		l->refusals = ICMP_LIMIT_CHECKS;
	if (l->refusals == 0 && l->gap_ns == MAX_GAP_NS)
		l->silent_gaps++;
	if (l->refusals < ICMP_LIMIT_CHECKS)
		l->gap_ns *= 2;
	else if (l->refusals > 2 * ICMP_LIMIT_CHECKS)
		l->gap_ns /= 2;
	if (l->gap_ns < MIN_GAP_NS)
		l->gap_ns = l->refusals < ICMP_LIMIT_CHECKS ? MIN_GAP_NS : 0;
	if (l->gap_ns > MAX_GAP_NS)
		l->gap_ns = MAX_GAP_NS;
	l->refusals = 0;
	l->adjust_ns = now_ns + (l->gap_ns > 0 ? l->gap_ns : MIN_GAP_NS);
}

/*
 * Up to half of gap_ns, to be added to it: otherwise another scan of the same
 * host at a fixed pace could spend the tokens just before each round. The last
 * digits of the time are random enough.
 */
static int64_t
jitter(int64_t gap_ns, int64_t now_ns)
{
	return gap_ns / 1024 * (now_ns / 1024 % 512);
}

/*
 * Adds a probe to a round and returns when that round is sent. Sets *is_first
 * if the probe is the first of the round, which then needs checks.
 */
static int64_t
join_round(
    struct limit *l, const struct rules *rules, int64_t now_ns, bool *is_first)
{
	if (now_ns >= l->adjust_ns)
		adjust_gap(l, now_ns);
	*is_first = l->round_ns < now_ns || l->members >= rules->max_round;
	if (!*is_first) {
		l->members++;
		return l->round_ns;
	}
	l->members = 1;
	l->round_ns += l->gap_ns + jitter(l->gap_ns, now_ns);
	if (l->round_ns < now_ns + COALESCE_NS)
		l->round_ns = now_ns + COALESCE_NS;
	return l->round_ns;
}

void
icmp_limit_start(struct scan *s, uint32_t limit)
{
	uint32_t hosts = s->targets->hosts, i;

	if (s->o->type != SOCK_DGRAM || s->o->retries >= 0)
		return;
	s->icmp_limits =
	    mem_array(1, sizeof(*s->icmp_limits) +
			     (size_t)hosts * sizeof(s->icmp_limits->hosts[0]));
	s->icmp_limits->rules = make_rules(s->pace.interval_ns, limit);
	/* Other shards probe the same hosts and spend their tokens. */
	for (i = 0; order_is_shard(&s->order) && i < hosts; i++)
		suspect(&s->icmp_limits->hosts[i], MAX_SILENT_GAPS / 2);
}

void
icmp_limit_release(struct scan *s)
{
	free(s->icmp_limits);
}

static struct limit *
limit_of(const struct scan *s, uint32_t id)
{
	return &s->icmp_limits->hosts[scan_probe(s, id)->host];
}

bool
icmp_limit_applies(const struct scan *s, uint32_t id)
{
	return s->icmp_limits != NULL &&
	       (limit_of(s, id)->is_known || limit_of(s, id)->is_suspected);
}

void
icmp_limit_answered(struct scan *s, uint32_t id)
{
	if (s->icmp_limits != NULL)
		suspect(limit_of(s, id), 1);
}

void
icmp_limit_refused(struct scan *s, uint32_t id, int64_t sent_ns)
{
	if (s->icmp_limits != NULL)
		add_refusal(limit_of(s, id), scan_probe(s, id)->port, sent_ns);
}

bool
icmp_limit_is_inconclusive(const struct scan *s, uint32_t id)
{
	return s->icmp_limits != NULL &&
	       !is_conclusive(limit_of(s, id), &s->icmp_limits->rules,
		   scan_probe(s, id)->sent_ns);
}

/* Adds a check of a host's closed port after the probes sent at ns. */
static void
add_check(struct scan *s, uint32_t host, int64_t ns)
{
	uint32_t id = probe_alloc(&s->pool);
	struct probe *p;

	if (id == PROBE_NONE)
		return;
	p = scan_probe(s, id);
	p->host = host;
	p->port = s->icmp_limits->hosts[host].closed;
	p->is_discovery = false;
	p->state = PROBE_CHECK;
	p->tries = p->failures = 0;
	if (p->fd >= 0)
		probe_socket_drop(s, id);
	probe_set_timer(&s->pool, id, ns + 2 * PROBE_TICK_NS);
}

/* Reports once why the scan is slow. */
static void
report(const struct scan *s, struct limit *l, uint32_t id)
{
	char text[ADDR_IP_TEXT];
	struct addr a;

	if (!l->is_known || l->is_reported || l->gap_ns < MAX_GAP_NS / 4)
		return;
	l->is_reported = true;
	probe_socket_address(s, id, &a);
	diag_note("%s limits its ICMP errors: silent ports are probed again "
		  "at its pace (--retries disables this)",
	    addr_format_ip(&a, text, sizeof(text)));
}

void
icmp_limit_schedule(struct scan *s, uint32_t id)
{
	struct limit *l = limit_of(s, id);
	bool is_first;
	int i;
	int64_t ns =
	    join_round(l, &s->icmp_limits->rules, clock_now(), &is_first);

	probe_set_timer(&s->pool, id, ns);
	/* No port is known to be closed: this one may be. */
	if (!l->is_known)
		l->closed = scan_probe(s, id)->port;
	for (i = 0; is_first && i < ICMP_LIMIT_CHECKS; i++)
		add_check(s, scan_probe(s, id)->host, ns);
	report(s, l, id);
}

bool
icmp_limit_check_is_next(const struct scan *s)
{
	uint32_t id = probe_waiting(&s->pool);

	return id != PROBE_NONE && scan_probe(s, id)->state == PROBE_CHECK;
}

/* Ends a check with its outcome. */
static void
end_check(struct scan *s, uint32_t id, struct ready_outcome o)
{
	struct probe *p = scan_probe(s, id);

	if (o.errnum == ECONNREFUSED && o.origin == READY_REMOTE)
		icmp_limit_refused(s, id, p->sent_ns);
	else if (o.errnum == 0)
		/* Now open, the port shows nothing about refusals. */
		limit_of(s, id)->is_known = false;
	ready_set_ignore(s->set, id);
	if (p->fd >= 0)
		probe_socket_drop(s, id);
	probe_free(&s->pool, id);
}

void
icmp_limit_check_sent(struct scan *s, uint32_t id, struct ready_outcome o)
{
	struct probe *p = scan_probe(s, id);
	int64_t limit_us = s->o->timeout_ms * 1000;

	if (o.errnum != EINPROGRESS ||
	    ready_set_watch(s->set, id, p->fd, POLLIN) < 0) {
		end_check(s, id, o);
		return;
	}
	limit_us = rtt_timeout_us(&scan_host(s, id)->rtt, limit_us);
	probe_set_timer(&s->pool, id, p->sent_ns + limit_us * 1000);
}

void
icmp_limit_check_ready(struct scan *s, uint32_t id)
{
	struct ready_outcome o = probe_socket_poll(s, id);

	if (o.errnum != EINPROGRESS)
		end_check(s, id, o);
}

void
icmp_limit_check_expired(struct scan *s, uint32_t id)
{
	struct ready_outcome silent = {ETIMEDOUT, READY_REMOTE};

	if (scan_probe(s, id)->fd < 0)
		probe_wait(&s->pool, id);
	else
		end_check(s, id, silent);
}
