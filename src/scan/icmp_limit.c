/* Hosts that limit their ICMP errors: what silence means, when to probe. */
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

/* The most probes of one round; others go in the next. */
#define MAX_ROUND 128
/* Probes that leave within that time belong together: hardly two tokens
 * arrive meanwhile. */
#define SAME_NS (90 * CLOCK_MS)
/* The pause between rounds, once one is needed. */
#define MIN_GAP_NS (50 * CLOCK_MS)
#define MAX_GAP_NS (2040 * CLOCK_MS)
/* Longest pauses without a refusal until silence counts again. */
#define MAX_MUTE 6
/* Probes scheduled within that time share a round. */
#define COALESCE_NS (4 * CLOCK_MS)

/* What the pace of probes makes of rounds; the same for all hosts. */
struct rules {
	int64_t same_ns;    /* probes that leave within it belong together */
	uint16_t max_round; /* probes */
};

/* What is known of a host; all zeros at first. */
struct limit {
	int64_t refused_ns[2]; /* when the last two refused probes left */
	int64_t round_ns;      /* when the round that is being filled leaves */
	int64_t gap_ns;        /* between rounds */
	int64_t adjust_ns;     /* when the gap is adjusted next */
	uint16_t closed;       /* a port that was refused */
	uint16_t members;      /* of the round */
	uint16_t refusals;     /* since the gap was adjusted */
	uint32_t mute;         /* adjustments in a row without any */
	bool is_known;         /* something was refused: closed is set */
	bool is_doubted;       /* it is up, and may withhold refusals */
	bool is_reported;      /* the user knows that it takes a while */
};

struct icmp_limits {
	struct rules rules;
	struct limit hosts[];
};

/*
 * With interval_ns between probes (0: none), and limit probes in flight. The
 * fewer leave at a time, the smaller the rounds have to be.
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

/* Records the refusal of a probe that left at sent_ns. */
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
	l->mute = 0;
	if (l->refusals < UINT16_MAX)
		l->refusals++;
}

/* Silence counts after that many of the longest pauses without a refusal. */
static void
doubt(struct limit *l, uint32_t pauses)
{
	if (l->is_known || l->is_doubted)
		return;
	l->is_doubted = true;
	l->gap_ns = MAX_GAP_NS;
	l->mute = MAX_MUTE - pauses;
}

/* Whether silence after a probe that left at sent_ns is genuine. */
static bool
silence_counts(
    const struct limit *l, const struct rules *rules, int64_t sent_ns)
{
	if (!(l->is_known || l->is_doubted) || l->mute >= MAX_MUTE)
		return true;
	return l->refused_ns[1] >= sent_ns &&
	       l->refused_ns[0] < sent_ns + rules->same_ns;
}

/*
 * The last rounds show whether the pause is too short (fewer refusals than
 * checks) or too long (many more). Refusals of first probes show nothing.
 */
static void
adjust_gap(struct limit *l, int64_t now_ns)
{
	if (l->adjust_ns == 0)
		l->refusals = ICMP_LIMIT_CHECKS;
	if (l->refusals == 0 && l->gap_ns == MAX_GAP_NS)
		l->mute++;
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
 * Up to a half more: another scan of the same host at a fixed pace would spend
 * the tokens just before each round. The last digits of the time are random
 * enough.
 */
static int64_t
jitter(int64_t gap_ns, int64_t now_ns)
{
	return gap_ns / 1024 * (now_ns / 1024 % 512);
}

/*
 * Adds a probe to a round and returns when that is sent. *begins: it is the
 * first of the round, which needs checks.
 */
static int64_t
join_round(
    struct limit *l, const struct rules *rules, int64_t now_ns, bool *begins)
{
	if (now_ns >= l->adjust_ns)
		adjust_gap(l, now_ns);
	*begins = l->round_ns < now_ns || l->members >= rules->max_round;
	if (!*begins) {
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
	/* Other shards probe the same hosts, and spend their tokens. */
	for (i = 0; order_is_shard(&s->order) && i < hosts; i++)
		doubt(&s->icmp_limits->hosts[i], MAX_MUTE / 2);
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
	       (limit_of(s, id)->is_known || limit_of(s, id)->is_doubted);
}

void
icmp_limit_answered(struct scan *s, uint32_t id)
{
	if (s->icmp_limits != NULL)
		doubt(limit_of(s, id), 1);
}

void
icmp_limit_refused(struct scan *s, uint32_t id, int64_t sent_ns)
{
	if (s->icmp_limits != NULL)
		add_refusal(limit_of(s, id), scan_probe(s, id)->port, sent_ns);
}

bool
icmp_limit_withholds(const struct scan *s, uint32_t id)
{
	return s->icmp_limits != NULL &&
	       !silence_counts(limit_of(s, id), &s->icmp_limits->rules,
		   scan_probe(s, id)->sent_ns);
}

/* Adds a check of a host's closed port, after the probes that leave at ns. */
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

/* Reports, once, why the scan is slow. */
static void
report(const struct scan *s, struct limit *l, uint32_t id)
{
	char text[ADDR_IP_TEXT];
	struct addr a;

	if (!l->is_known || l->is_reported || l->gap_ns < MAX_GAP_NS / 4)
		return;
	l->is_reported = true;
	probe_socket_address(s, id, &a);
	diag_note("%s limits how often it refuses: what is silent is asked "
		  "again at its pace (--retries does without)",
	    addr_format_ip(&a, text, sizeof(text)));
}

void
icmp_limit_schedule(struct scan *s, uint32_t id)
{
	struct limit *l = limit_of(s, id);
	bool begins;
	int i;
	int64_t ns =
	    join_round(l, &s->icmp_limits->rules, clock_now(), &begins);

	probe_set_timer(&s->pool, id, ns);
	/* No port is known to be closed: the check is one that may be. */
	if (!l->is_known)
		l->closed = scan_probe(s, id)->port;
	for (i = 0; begins && i < ICMP_LIMIT_CHECKS; i++)
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
		/* Open by now: it shows nothing about refusals any more. */
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
