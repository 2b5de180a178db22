/* Probes silent UDP ports again on hosts that limit their ICMP errors. */
#include "scan/recheck.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "base/mem.h"
#include "net/addr.h"
#include "scan/icmp_limit.h"
#include "scan/ready.h"
#include "scan/internal.h"
#include "scan/targets.h"

void
recheck_start(struct scan *s, uint32_t parallel)
{
	uint32_t i;

	if (s->o->type != SOCK_DGRAM || s->o->retries >= 0)
		return;
	s->reticence = mem_array(s->o->targets->hosts, sizeof(*s->reticence));
	for (i = 0; s->o->shards > 1 && i < s->o->targets->hosts; i++)
		icmp_limit_shared(&s->reticence[i]);
	s->rules = reticence_rules(s->pace.interval_ns, parallel);
}

void
recheck_release(struct scan *s)
{
	free(s->reticence);
}

static struct icmp_limit *
reticence_of(const struct scan *s, uint32_t id)
{
	return &s->reticence[scan_probe(s, id)->host];
}

bool
recheck_applies(const struct scan *s, uint32_t id)
{
	return s->reticence != NULL && (reticence_of(s, id)->is_known ||
					   reticence_of(s, id)->is_doubted);
}

void
recheck_answered(struct scan *s, uint32_t id)
{
	if (s->reticence != NULL)
		icmp_limit_answered(reticence_of(s, id));
}

void
recheck_refused(struct scan *s, uint32_t id, int64_t sent_ns)
{
	if (s->reticence != NULL)
		icmp_limit_refused(
		    reticence_of(s, id), scan_probe(s, id)->port, sent_ns);
}

bool
recheck_is_withheld(const struct scan *s, uint32_t id)
{
	const struct probe *p = scan_probe(s, id);

	return s->reticence != NULL &&
	       !icmp_limit_counts(reticence_of(s, id), &s->rules, p->sent_ns);
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
	p->port = s->reticence[host].closed;
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
recheck_again(struct scan *s, uint32_t id)
{
	struct icmp_limit *r = reticence_of(s, id);
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
recheck_is_next(const struct scan *s)
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
		recheck_refused(s, id, p->sent_ns);
	else if (o.errnum == 0)
		/* Open by now: it says nothing about refusals any more. */
		reticence_of(s, id)->is_known = false;
	ready_set_ignore(s->set, id);
	if (p->fd >= 0)
		scan_drop_socket(s, id);
	probe_give(&s->pool, id);
}

void
recheck_left(struct scan *s, uint32_t id, struct scan_outcome o)
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
recheck_hear(struct scan *s, uint32_t id)
{
	struct scan_outcome o;
	struct addr a;

	scan_address(s, id, &a);
	o = scan_ask(s, scan_probe(s, id)->fd, &a);
	if (o.errnum != EINPROGRESS)
		end(s, id, o);
}

void
recheck_expire(struct scan *s, uint32_t id)
{
	struct scan_outcome silent = {ETIMEDOUT, SCAN_THERE};

	if (scan_probe(s, id)->fd < 0)
		probe_wait(&s->pool, id);
	else
		end(s, id, silent);
}
