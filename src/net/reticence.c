#include "net/reticence.h"

/* What falls due within that time goes together. */
#define GATHER_NS (4 * CLOCK_MS)

struct reticence_rules
reticence_rules(int64_t interval_ns, uint32_t parallel)
{
	struct reticence_rules rules = {RETICENCE_SAME_NS, RETICENCE_ROUND};

	if (parallel < rules.most)
		rules.most = (uint16_t)parallel;
	if (interval_ns > 0 && RETICENCE_SAME_NS / interval_ns < rules.most)
		rules.most = (uint16_t)(RETICENCE_SAME_NS / interval_ns);
	if (rules.most == 0) {
		rules.most = 1;
		rules.same_ns = 2 * interval_ns;
	}
	return rules;
}

void
reticence_refused(struct reticence *r, uint32_t index, int64_t sent_ns)
{
	if (sent_ns > r->refused_ns)
		r->refused_ns = sent_ns;
	r->closed = index;
	r->is_known = true;
	r->mute = 0;
	if (r->refusals < UINT16_MAX)
		r->refusals++;
}

bool
reticence_counts(const struct reticence *r, const struct reticence_rules *rules,
    int64_t sent_ns)
{
	if (!r->is_known || r->mute >= RETICENCE_MUTE)
		return true;
	return r->refused_ns >= sent_ns &&
	       r->refused_ns < sent_ns + rules->same_ns;
}

/*
 * What came of the last rounds says about the pause: too short when nothing
 * was refused, too long when more than one was. Refusals of first probes say
 * nothing.
 */
static void
judge(struct reticence *r, int64_t now_ns)
{
	if (r->judge_ns == 0)
		r->refusals = 1;
	if (r->refusals == 0 && r->gap_ns == RETICENCE_MOST_NS)
		r->mute++;
	else if (r->refusals == 0)
		r->gap_ns *= 2;
	else if (r->refusals > 1)
		r->gap_ns /= 2;
	if (r->gap_ns < RETICENCE_LEAST_NS)
		r->gap_ns = r->refusals > 0 ? 0 : RETICENCE_LEAST_NS;
	if (r->gap_ns > RETICENCE_MOST_NS)
		r->gap_ns = RETICENCE_MOST_NS;
	r->refusals = 0;
	r->judge_ns = now_ns + (r->gap_ns > 0 ? r->gap_ns : RETICENCE_LEAST_NS);
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
	r->round_ns += r->gap_ns;
	if (r->round_ns < now_ns + GATHER_NS)
		r->round_ns = now_ns + GATHER_NS;
	return r->round_ns;
}
