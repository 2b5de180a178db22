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
	is_int(p.reprobes, 16, "of which a half may be re-probes");
	pace_fill(&p, 8, now + 3 * PACE_TICK_NS - 1);
	is_int(p.burst, 16, "not before the next tick");
	pace_fill(&p, 100000, now + 3 * PACE_TICK_NS);
	is_int(p.burst, 144, "a large one in many");
	pace_fill(&p, 100000, now + 9 * PACE_TICK_NS + 5);
	is_int(p.burst, 256, "a late one in two ticks' worth");
	pace_fill(&p, 100000, now + 10 * PACE_TICK_NS + 4);
	p.burst = 0;
	is_int(pace_next(&p).at_ns, now + 10 * PACE_TICK_NS + 5,
	    "from which the next ticks count");
	p.burst = -1;
	is_int(pace_next(&p).at_ns, now + 10 * PACE_TICK_NS + 5,
	    "as they do after too many");
	p.burst = 1;
	is_int(pace_next(&p).at_ns, 0, "or at once if there is one left");
}

/* Up to two ticks are counted from their own time, more from now on. */
static void
test_late(void)
{
	struct pace p;
	int64_t ticks;

	for (ticks = 1; ticks <= 4; ticks++) {
		pace_init(&p, 0, 0);
		pace_fill(&p, 800, ticks * PACE_TICK_NS + 7);
		p.burst = 0;
		is_int(pace_next(&p).at_ns,
		    (ticks + 1) * PACE_TICK_NS + (ticks > 2 ? 7 : 0),
		    "the next tick");
	}
}

/* Both limits: the later one holds. */
static void
test_both(void)
{
	struct pace p;

	pace_init(&p, 10, 5);
	is_int(pace_next(&p).at_ns, PACE_TICK_NS, "the first tick");
	pace_fill(&p, 800, 2 * PACE_TICK_NS);
	is_int(pace_next(&p).at_ns, 5, "the rate allows the first at once");
	pace_spend(&p, 2 * PACE_TICK_NS);
	is_int(pace_next(&p).at_ns, 5 + CLOCK_SECOND / 10, "then one in ten");
	p.burst = 0;
	is_int(pace_next(&p).at_ns, 5 + CLOCK_SECOND / 10, "the later one");
	pace_spend(&p, CLOCK_SECOND);
	is_int(pace_next(&p).at_ns,
	    CLOCK_SECOND - 20 * CLOCK_MS + CLOCK_SECOND / 10,
	    "little of a pause is made up for");
}

int
main(void)
{
	test_rate();
	test_bursts();
	test_late();
	test_both();
	return done_testing();
}
