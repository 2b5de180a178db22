#include "lib/tap.h"
#include "scan/reticence.h"

#define MS CLOCK_MS

static void
test_rules(void)
{
	struct reticence_rules r = reticence_rules(0, 1000);

	is_int(r.most, RETICENCE_ROUND, "without a pace rounds are large");
	is_int(reticence_rules(0, 3).most, 3, "or what may be in flight");
	r = reticence_rules(4 * MS, 1000);
	is_int(r.most, 20, "with a pace: what leaves together");
	r = reticence_rules(100 * MS, 1000);
	is_int(r.most, 1, "one at least");
	is_int(r.same_ns, 300 * MS, "and its checks go with it");
}

static void
test_silence(void)
{
	struct reticence_rules rules = reticence_rules(0, 1000);
	struct reticence r = {0};

	ok(reticence_counts(&r, &rules, 1 * MS),
	    "where nothing was refused, silence counts");
	reticence_refused(&r, 7, 5 * MS);
	ok(!reticence_counts(&r, &rules, 4 * MS),
	    "one refusal right behind may be of what came meanwhile");
	reticence_refused(&r, 7, 4 * MS);
	ok(reticence_counts(&r, &rules, 4 * MS), "two are not");
	ok(!reticence_counts(&r, &rules, 5 * MS), "nor one and one before");
	reticence_refused(&r, 9, 1 * MS);
	ok(reticence_counts(&r, &rules, 4 * MS), "in any order");
	reticence_refused(&r, 8, 500 * MS);
	reticence_refused(&r, 8, 500 * MS);
	ok(!reticence_counts(&r, &rules, 6 * MS), "nor one much later");
	is_int(r.closed, 8, "it knows a closed port");
}

static void
test_doubt(void)
{
	struct reticence_rules rules = reticence_rules(0, 1000);
	struct reticence r = {0};
	int64_t first, second;
	bool begins;

	reticence_answered(&r);
	ok(!reticence_counts(&r, &rules, 5 * MS),
	    "the silence of one that has answered is doubted");
	first = reticence_again(&r, &rules, 100 * MS, &begins);
	ok(begins, "it is asked again, with checks");
	ok(!reticence_counts(&r, &rules, first), "and doubted still");
	second = reticence_again(&r, &rules, first + 100 * MS, &begins);
	ok(second - first >= 2000 * MS, "after the longest pause once more");
	reticence_again(&r, &rules, second + 100 * MS, &begins);
	ok(reticence_counts(&r, &rules, second), "then it is believed");
	reticence_refused(&r, 7, second);
	ok(!reticence_counts(&r, &rules, second), "unless one is refused");
	memset(&r, 0, sizeof(r));
	reticence_shared(&r);
	ok(!reticence_counts(&r, &rules, first),
	    "where others ask too, that of one that never answered as well");
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
	ok(!begins, "with checks of its own");
	reticence_again(&r, &rules, now, &begins);
	ok(begins, "what is beyond it begins another");
	for (i = 0; i < 8; i++)
		now = reticence_again(&r, &rules, now, &begins) + 200 * MS;
	is_int(r.gap_ns, RETICENCE_MOST_NS, "unrefused, rounds get rarer");
	for (i = 0; i < 10; i++) {
		reticence_refused(&r, 1, now);
		reticence_refused(&r, 1, now);
		now = reticence_again(&r, &rules, now, &begins) + 2100 * MS;
	}
	is_int(r.gap_ns, RETICENCE_MOST_NS, "two refusals a round keep that");
	ok(!reticence_counts(&r, &rules, now), "and silence says nothing");
	for (i = 0; i < 5; i++)
		reticence_refused(&r, 1, now);
	now = reticence_again(&r, &rules, now, &begins) + 2100 * MS;
	is_int(r.gap_ns, RETICENCE_MOST_NS / 2, "several: half the pause");
	for (i = 0; i <= RETICENCE_MUTE + 1; i++)
		now = reticence_again(&r, &rules, now, &begins) + 2100 * MS;
	ok(reticence_counts(&r, &rules, now),
	    "one that never refuses any more is not waited for");
}

int
main(void)
{
	test_rules();
	test_silence();
	test_doubt();
	test_rounds();
	return done_testing();
}
