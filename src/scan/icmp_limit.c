/* Hosts that limit their ICMP errors: what silence means, when to probe. */
#include "scan/icmp_limit.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "base/mem.h"
#include "net/addr.h"
#include "scan/ready.h"
#include "scan/internal.h"
#include "scan/targets.h"

/* What falls due within that time goes together. */
#define GATHER_NS (4 * CLOCK_MS)

struct icmp_limit_rules
icmp_limit_rules_for(int64_t interval_ns, uint32_t parallel)
{
	struct icmp_limit_rules rules = {ICMP_LIMIT_SAME_NS, ICMP_LIMIT_ROUND};
	int64_t at_once;

	if (parallel < rules.most)
		rules.most = (uint16_t)parallel;
	if (interval_ns <= 0)
		return rules;
	at_once = ICMP_LIMIT_SAME_NS / interval_ns - ICMP_LIMIT_CHECKS;
	if (at_once < rules.most)
		rules.most = at_once < 1 ? 1 : (uint16_t)at_once;
	if (at_once < 1)
		rules.same_ns = (ICMP_LIMIT_CHECKS + 1) * interval_ns;
	return rules;
}

void
icmp_limit_refused(struct icmp_limit *r, uint16_t port, int64_t sent_ns)
{
	if (sent_ns >= r->refused_ns[0]) {
		r->refused_ns[1] = r->refused_ns[0];
		r->refused_ns[0] = sent_ns;
	} else if (sent_ns > r->refused_ns[1]) {
		r->refused_ns[1] = sent_ns;
	}
	r->closed = port;
	r->is_known = true;
	r->mute = 0;
	if (r->refusals < UINT16_MAX)
		r->refusals++;
}

/* Silence counts after so many of the longest pauses, if nothing is refused. */
static void
doubt(struct icmp_limit *r, uint32_t pauses)
{
	if (r->is_known || r->is_doubted)
		return;
	r->is_doubted = true;
	r->gap_ns = ICMP_LIMIT_MAX_NS;
	r->mute = ICMP_LIMIT_MUTE - pauses;
}

void
icmp_limit_answered(struct icmp_limit *r)
{
	doubt(r, 1);
}

void
icmp_limit_shared(struct icmp_limit *r)
{
	doubt(r, ICMP_LIMIT_MUTE / 2);
}

bool
icmp_limit_counts(const struct icmp_limit *r,
    const struct icmp_limit_rules *rules, int64_t sent_ns)
{
	if (!(r->is_known || r->is_doubted) || r->mute >= ICMP_LIMIT_MUTE)
		return true;
	return r->refused_ns[1] >= sent_ns &&
	       r->refused_ns[0] < sent_ns + rules->same_ns;
}

/*
 * What came of the last rounds says about the pause: too short when there were
 * fewer refusals than checks, too long when there were many more. Refusals of
 * first probes say nothing.
 */
static void
judge(struct icmp_limit *r, int64_t now_ns)
{
	if (r->judge_ns == 0)
		r->refusals = ICMP_LIMIT_CHECKS;
	if (r->refusals == 0 && r->gap_ns == ICMP_LIMIT_MAX_NS)
		r->mute++;
	if (r->refusals < ICMP_LIMIT_CHECKS)
		r->gap_ns *= 2;
	else if (r->refusals > 2 * ICMP_LIMIT_CHECKS)
		r->gap_ns /= 2;
	if (r->gap_ns < ICMP_LIMIT_MIN_NS)
		r->gap_ns =
		    r->refusals < ICMP_LIMIT_CHECKS ? ICMP_LIMIT_MIN_NS : 0;
	if (r->gap_ns > ICMP_LIMIT_MAX_NS)
		r->gap_ns = ICMP_LIMIT_MAX_NS;
	r->refusals = 0;
	r->judge_ns = now_ns + (r->gap_ns > 0 ? r->gap_ns : ICMP_LIMIT_MIN_NS);
}

/*
 * Up to a half more: who else uses the same tokens at a fixed pace would take
 * them each time just before. The last digits of the time are random enough.
 */
static int64_t
jitter(int64_t gap_ns, int64_t now_ns)
{
	return gap_ns / 1024 * (now_ns / 1024 % 512);
}

int64_t
icmp_limit_again(struct icmp_limit *r, const struct icmp_limit_rules *rules,
    int64_t now_ns, bool *begins)
{
	if (now_ns >= r->judge_ns)
		judge(r, now_ns);
	*begins = r->round_ns < now_ns || r->members >= rules->most;
	if (!*begins) {
		r->members++;
		return r->round_ns;
	}
	r->members = 1;
	r->round_ns += r->gap_ns + jitter(r->gap_ns, now_ns);
	if (r->round_ns < now_ns + GATHER_NS)
		r->round_ns = now_ns + GATHER_NS;
	return r->round_ns;
}

void
icmp_limit_check_start(struct scan *s, uint32_t parallel)
{
	uint32_t i;

	if (s->o->type != SOCK_DGRAM || s->o->retries >= 0)
		return;
	s->limits = mem_array(s->o->targets->hosts, sizeof(*s->limits));
	for (i = 0; s->o->shards > 1 && i < s->o->targets->hosts; i++)
		icmp_limit_shared(&s->limits[i]);
	s->rules = icmp_limit_rules_for(s->pace.interval_ns, parallel);
}

void
icmp_limit_check_release(struct scan *s)
{
	free(s->limits);
}

static struct icmp_limit *
limit_of(const struct scan *s, uint32_t id)
{
	return &s->limits[scan_probe(s, id)->host];
}

bool
icmp_limit_check_applies(const struct scan *s, uint32_t id)
{
	return s->limits != NULL &&
	       (limit_of(s, id)->is_known || limit_of(s, id)->is_doubted);
}

void
icmp_limit_check_answered(struct scan *s, uint32_t id)
{
	if (s->limits != NULL)
		icmp_limit_answered(limit_of(s, id));
}

void
icmp_limit_check_refused(struct scan *s, uint32_t id, int64_t sent_ns)
{
	if (s->limits != NULL)
		icmp_limit_refused(
		    limit_of(s, id), scan_probe(s, id)->port, sent_ns);
}

bool
icmp_limit_check_is_withheld(const struct scan *s, uint32_t id)
{
	const struct probe *p = scan_probe(s, id);

	return s->limits != NULL &&
	       !icmp_limit_counts(limit_of(s, id), &s->rules, p->sent_ns);
}

/* Asks a closed port of a host again, behind those that leave at ns. */
static void
schedule(struct scan *s, uint32_t host, int64_t ns)
{
	uint32_t id = probe_take(&s->pool);
	struct probe *p;

	if (id == PROBE_NONE)
		return;
	p = scan_probe(s, id);
	p->host = host;
	p->port = s->limits[host].closed;
	p->is_lead = false;
	p->state = PROBE_CHECK;
	p->tries = p->fails = 0;
	if (p->fd >= 0)
		scan_drop_socket(s, id);
	probe_time(&s->pool, id, ns + 2 * PROBE_TICK_NS);
}

/* Says, once, why it takes so long. */
static void
tell(const struct scan *s, struct icmp_limit *r, uint32_t id)
{
	char text[ADDR_IP_TEXT];
	struct addr a;

	if (!r->is_known || r->is_told || r->gap_ns < ICMP_LIMIT_MAX_NS / 4)
		return;
	r->is_told = true;
	scan_address(s, id, &a);
	diag_note("%s limits how often it refuses: what is silent is asked "
		  "again at its pace (--retries does without)",
	    addr_format_ip(&a, text, sizeof(text)));
}

void
icmp_limit_check_again(struct scan *s, uint32_t id)
{
	struct icmp_limit *r = limit_of(s, id);
	bool begins;
	int i;
	int64_t ns = icmp_limit_again(r, &s->rules, clock_now(), &begins);

	probe_time(&s->pool, id, ns);
	/* No port is known to be closed: the check is one that may be. */
	if (!r->is_known)
		r->closed = scan_probe(s, id)->port;
	for (i = 0; begins && i < ICMP_LIMIT_CHECKS; i++)
		schedule(s, scan_probe(s, id)->host, ns);
	tell(s, r, id);
}

bool
icmp_limit_check_is_next(const struct scan *s)
{
	uint32_t id = probe_waiting(&s->pool);

	return id != PROBE_NONE && scan_probe(s, id)->state == PROBE_CHECK;
}

/* Ends a check with what it met. */
static void
end(struct scan *s, uint32_t id, struct scan_outcome o)
{
	struct probe *p = scan_probe(s, id);

	if (o.errnum == ECONNREFUSED && o.origin == SCAN_THERE)
		icmp_limit_check_refused(s, id, p->sent_ns);
	else if (o.errnum == 0)
		/* Open by now: it says nothing about refusals any more. */
		limit_of(s, id)->is_known = false;
	ready_set_ignore(s->set, id);
	if (p->fd >= 0)
		scan_drop_socket(s, id);
	probe_give(&s->pool, id);
}

void
icmp_limit_check_left(struct scan *s, uint32_t id, struct scan_outcome o)
{
	struct probe *p = scan_probe(s, id);
	int64_t most_us = s->o->timeout_ms * 1000;

	if (o.errnum == EINPROGRESS &&
	    ready_set_watch(s->set, id, p->fd, POLLIN) == 0)
		probe_time(&s->pool, id,
		    p->sent_ns +
			rtt_timeout_us(&scan_host(s, id)->rtt, most_us) * 1000);
	else
		end(s, id, o);
}

void
icmp_limit_check_hear(struct scan *s, uint32_t id)
{
	struct scan_outcome o;
	struct addr a;

	scan_address(s, id, &a);
	o = scan_ask(s, scan_probe(s, id)->fd, &a);
	if (o.errnum != EINPROGRESS)
		end(s, id, o);
}

void
icmp_limit_check_expire(struct scan *s, uint32_t id)
{
	struct scan_outcome silent = {ETIMEDOUT, SCAN_THERE};

	if (scan_probe(s, id)->fd < 0)
		probe_wait(&s->pool, id);
	else
		end(s, id, silent);
}
