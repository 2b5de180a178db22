/* Hosts that limit ICMP errors: rules, silence, doubt, rounds. */
#include "lib/tap.h"
#include "scan/icmp_limit.h"

#define MS CLOCK_MS

static void
test_rules(void)
{
	struct icmp_limit_rules r = icmp_limit_rules_for(0, 1000);

	is_int(r.most, ICMP_LIMIT_ROUND, "without a pace rounds are large");
	is_int(icmp_limit_rules_for(0, 3).most, 3, "or what may be in flight");
	r = icmp_limit_rules_for(4 * MS, 1000);
	is_int(r.most, 20, "with a pace: what leaves together");
	r = icmp_limit_rules_for(100 * MS, 1000);
	is_int(r.most, 1, "one at least");
	is_int(r.same_ns, 300 * MS, "and its checks go with it");
}

static void
test_silence(void)
{
	struct icmp_limit_rules rules = icmp_limit_rules_for(0, 1000);
	struct icmp_limit r = {0};

	ok(icmp_limit_counts(&r, &rules, 1 * MS),
	    "where nothing was refused, silence counts");
	icmp_limit_refused(&r, 7, 5 * MS);
	ok(!icmp_limit_counts(&r, &rules, 4 * MS),
	    "one refusal right behind may be of what came meanwhile");
	icmp_limit_refused(&r, 7, 4 * MS);
	ok(icmp_limit_counts(&r, &rules, 4 * MS), "two are not");
	ok(!icmp_limit_counts(&r, &rules, 5 * MS), "nor one and one before");
	icmp_limit_refused(&r, 9, 1 * MS);
	ok(icmp_limit_counts(&r, &rules, 4 * MS), "in any order");
	icmp_limit_refused(&r, 8, 500 * MS);
	icmp_limit_refused(&r, 8, 500 * MS);
	ok(!icmp_limit_counts(&r, &rules, 6 * MS), "nor one much later");
	is_int(r.closed, 8, "it knows a closed port");
}

static void
test_doubt(void)
{
	struct icmp_limit_rules rules = icmp_limit_rules_for(0, 1000);
	struct icmp_limit r = {0};
	int64_t first, second;
	bool begins;

	icmp_limit_answered(&r);
	ok(!icmp_limit_counts(&r, &rules, 5 * MS),
	    "the silence of one that has answered is doubted");
	first = icmp_limit_again(&r, &rules, 100 * MS, &begins);
	ok(begins, "it is asked again, with checks");
	ok(!icmp_limit_counts(&r, &rules, first), "and doubted still");
	second = icmp_limit_again(&r, &rules, first + 100 * MS, &begins);
	ok(second - first >= 2000 * MS, "after the longest pause once more");
	icmp_limit_again(&r, &rules, second + 100 * MS, &begins);
	ok(icmp_limit_counts(&r, &rules, second), "then it is believed");
	icmp_limit_refused(&r, 7, second);
	ok(!icmp_limit_counts(&r, &rules, second), "unless one is refused");
	memset(&r, 0, sizeof(r));
	icmp_limit_shared(&r);
	ok(!icmp_limit_counts(&r, &rules, first),
	    "where others ask too, that of one that never answered as well");
}

static void
test_rounds(void)
{
	struct icmp_limit_rules rules = icmp_limit_rules_for(0, 2);
	struct icmp_limit r = {0};
	int64_t first, now = 1000 * MS;
	bool begins;
	int i;

	icmp_limit_refused(&r, 1, now);
	first = icmp_limit_again(&r, &rules, now, &begins);
	ok(begins && first < now + 10 * MS, "the first round leaves at once");
	is_int(icmp_limit_again(&r, &rules, now, &begins), first, "for all");
	ok(!begins, "with checks of its own");
	icmp_limit_again(&r, &rules, now, &begins);
	ok(begins, "what is beyond it begins another");
	for (i = 0; i < 8; i++)
		now = icmp_limit_again(&r, &rules, now, &begins) + 200 * MS;
	is_int(r.gap_ns, ICMP_LIMIT_MAX_NS, "unrefused, rounds get rarer");
	for (i = 0; i < 10; i++) {
		icmp_limit_refused(&r, 1, now);
		icmp_limit_refused(&r, 1, now);
		now = icmp_limit_again(&r, &rules, now, &begins) + 2100 * MS;
	}
	is_int(r.gap_ns, ICMP_LIMIT_MAX_NS, "two refusals a round keep that");
	ok(!icmp_limit_counts(&r, &rules, now), "and silence says nothing");
	for (i = 0; i < 5; i++)
		icmp_limit_refused(&r, 1, now);
	now = icmp_limit_again(&r, &rules, now, &begins) + 2100 * MS;
	is_int(r.gap_ns, ICMP_LIMIT_MAX_NS / 2, "several: half the pause");
	for (i = 0; i <= ICMP_LIMIT_MUTE + 1; i++)
		now = icmp_limit_again(&r, &rules, now, &begins) + 2100 * MS;
	ok(icmp_limit_counts(&r, &rules, now),
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
