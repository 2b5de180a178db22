#include "lib/tap.h"
#include "net/reticence.h"

#define MS CLOCK_MS

static void
test_rules(void)
{
	struct reticence_rules r = reticence_rules(0, 1000);

	is_int(r.most, RETICENCE_ROUND, "without a pace rounds are large");
	is_int(reticence_rules(0, 3).most, 3, "or what may be in flight");
	r = reticence_rules(4 * MS, 1000);
	is_int(r.most, 5, "with a pace: what leaves together");
	r = reticence_rules(100 * MS, 1000);
	is_int(r.most, 1, "one at least");
	is_int(r.same_ns, 200 * MS, "and its check goes with it");
}

static void
test_silence(void)
{
	struct reticence_rules rules = reticence_rules(0, 1000);
	struct reticence r = {0};

	ok(reticence_counts(&r, &rules, 1 * MS),
	    "where nothing was refused, silence counts");
	reticence_refused(&r, 7, 5 * MS);
	ok(reticence_counts(&r, &rules, 4 * MS),
	    "so it does where a probe right behind was refused");
	ok(!reticence_counts(&r, &rules, 6 * MS),
	    "but not where only one before was");
	reticence_refused(&r, 8, 500 * MS);
	ok(!reticence_counts(&r, &rules, 6 * MS), "nor one much later");
	is_int(r.closed, 8, "it knows a closed port");
}

static void
test_rounds(void)
{
	struct reticence_rules rules = reticence_rules(0, 2);
	struct reticence r = {0};
	int64_t first, now = 1000 * MS;
	bool begins;
	int i;

	reticence_refused(&r, 1, now);
	first = reticence_again(&r, &rules, now, &begins);
	ok(begins && first < now + 10 * MS, "the first round leaves at once");
	is_int(reticence_again(&r, &rules, now, &begins), first, "for all");
	ok(!begins, "with one check");
	reticence_again(&r, &rules, now, &begins);
	ok(begins, "what is beyond it begins another");
	for (i = 0; i < 8; i++)
		now = reticence_again(&r, &rules, now, &begins) + 200 * MS;
	is_int(r.gap_ns, RETICENCE_MOST_NS, "unrefused, rounds get rarer");
	for (i = 0; i < 10; i++) {
		reticence_refused(&r, 1, now);
		now = reticence_again(&r, &rules, now, &begins) + 1100 * MS;
	}
	is_int(r.gap_ns, RETICENCE_MOST_NS, "one refusal a round keeps that");
	ok(!reticence_counts(&r, &rules, now), "and silence says nothing");
	reticence_refused(&r, 1, now);
	reticence_refused(&r, 1, now);
	now = reticence_again(&r, &rules, now, &begins) + 1100 * MS;
	is_int(r.gap_ns, RETICENCE_MOST_NS / 2, "several: half the pause");
	for (i = 0; i <= RETICENCE_MUTE + 1; i++)
		now = reticence_again(&r, &rules, now, &begins) + 1100 * MS;
	ok(reticence_counts(&r, &rules, now),
	    "one that never refuses any more is not waited for");
}

int
main(void)
{
	test_rules();
	test_silence();
	test_rounds();
	return done_testing();
}
