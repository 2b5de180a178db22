/* Detects hosts that limit the rate of ICMP errors, and when to probe again. */
#include "scan/icmp_limit.h"

/* What falls due within that time goes together. */
#define GATHER_NS (4 * CLOCK_MS)

struct icmp_limit_rules
reticence_rules(int64_t interval_ns, uint32_t parallel)
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
