#include "scan/reticence.h"

/* What falls due within that time goes together. */
#define GATHER_NS (4 * CLOCK_MS)

struct reticence_rules
reticence_rules(int64_t interval_ns, uint32_t parallel)
{
	struct reticence_rules rules = {RETICENCE_SAME_NS, RETICENCE_ROUND};
	int64_t at_once;

	if (parallel < rules.most)
		rules.most = (uint16_t)parallel;
	if (interval_ns <= 0)
		return rules;
	at_once = RETICENCE_SAME_NS / interval_ns - RETICENCE_CHECKS;
	if (at_once < rules.most)
		rules.most = at_once < 1 ? 1 : (uint16_t)at_once;
	if (at_once < 1)
		rules.same_ns = (RETICENCE_CHECKS + 1) * interval_ns;
	return rules;
}

void
reticence_refused(struct reticence *r, uint16_t port, int64_t sent_ns)
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
doubt(struct reticence *r, uint32_t pauses)
{
	if (r->is_known || r->is_doubted)
		return;
	r->is_doubted = true;
	r->gap_ns = RETICENCE_MOST_NS;
	r->mute = RETICENCE_MUTE - pauses;
}

void
reticence_answered(struct reticence *r)
{
	doubt(r, 1);
}

void
reticence_shared(struct reticence *r)
{
	doubt(r, RETICENCE_MUTE / 2);
}

bool
reticence_counts(const struct reticence *r, const struct reticence_rules *rules,
    int64_t sent_ns)
{
	if (!(r->is_known || r->is_doubted) || r->mute >= RETICENCE_MUTE)
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
judge(struct reticence *r, int64_t now_ns)
{
	if (r->judge_ns == 0)
		r->refusals = RETICENCE_CHECKS;
	if (r->refusals == 0 && r->gap_ns == RETICENCE_MOST_NS)
		r->mute++;
	if (r->refusals < RETICENCE_CHECKS)
		r->gap_ns *= 2;
	else if (r->refusals > 2 * RETICENCE_CHECKS)
		r->gap_ns /= 2;
	if (r->gap_ns < RETICENCE_LEAST_NS)
		r->gap_ns =
		    r->refusals < RETICENCE_CHECKS ? RETICENCE_LEAST_NS : 0;
	if (r->gap_ns > RETICENCE_MOST_NS)
		r->gap_ns = RETICENCE_MOST_NS;
	r->refusals = 0;
	r->judge_ns = now_ns + (r->gap_ns > 0 ? r->gap_ns : RETICENCE_LEAST_NS);
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
reticence_again(struct reticence *r, const struct reticence_rules *rules,
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
