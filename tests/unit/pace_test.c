/* The rate limit of a scan, and its bursts. */
#include "lib/tap.h"
#include "scan/pace.h"

/* Whether --rate lets a probe leave. */
static bool
is_ready(struct pace *p, int64_t now_ns)
{
	p->burst = 1;
	return pace_next(p).at_ns <= now_ns;
}

static void
test_rate(void)
{
	struct pace p;
	int64_t now = 1000, sent = 0;

	pace_init(&p, 0, now);
	pace_spend(&p, now);
	ok(is_ready(&p, now), "no cap: always");
	pace_init(&p, 100, now);
	pace_spend(&p, now);
	ok(!is_ready(&p, now + 10 * CLOCK_MS - 1), "100 a second: not yet");
	ok(is_ready(&p, now + 10 * CLOCK_MS), "10 ms later");
	pace_init(&p, 1000, 0);
	for (now = 0; now < CLOCK_SECOND; now += CLOCK_MS * 3)
		for (; is_ready(&p, now); sent++)
			pace_spend(&p, now);
	ok(sent > 990 && sent <= 1000, "late wake-ups are caught up with: %d",
	    (int)sent);
	for (sent = 0; is_ready(&p, now + CLOCK_SECOND); sent++)
		pace_spend(&p, now + CLOCK_SECOND);
	is_int(sent, 21, "a long pause is not");
}

static void
test_bursts(void)
{
	struct pace p;
	int64_t now = 1000 * CLOCK_MS;

	pace_init(&p, 0, now);
	pace_fill(&p, 800, now);
	is_int(p.burst, 200, "an eighth of the window a tick, two at first");
	is_int(p.reprobes, 100, "half of it for re-probes");
	pace_fill(&p, 800, now + PACE_TICK_NS);
	is_int(p.burst, 200, "what is not used is not saved up");
	p.burst = 0;
	is_int(pace_next(&p).at_ns, now + 2 * PACE_TICK_NS,
	    "the next burst leaves a tick later");
	pace_fill(&p, 8, now + 2 * PACE_TICK_NS);
	is_int(p.burst, 16, "a small window leaves in a few");
}

int
main(void)
{
	test_rate();
	test_bursts();
	return done_testing();
}
