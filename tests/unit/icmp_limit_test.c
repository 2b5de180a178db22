/* Hosts that limit ICMP errors: rules, silence, suspect, rounds. */
#include "lib/tap.h"
/* The rules are static: the tests are of them. */
#include "scan/icmp_limit.c"

#define MS CLOCK_MS

static void
test_rules(void)
{
	struct rules r = make_rules(0, 1000);

	is_int(r.max_round, MAX_ROUND, "without a pace rounds are large");
	is_int(make_rules(0, 3).max_round, 3, "or what may be in flight");
	r = make_rules(4 * MS, 1000);
	is_int(r.max_round, 20, "with a pace: what leaves together");
	r = make_rules(100 * MS, 1000);
	is_int(r.max_round, 1, "one at least");
	is_int(r.same_ns, 300 * MS, "and its checks go with it");
}

static void
test_silence(void)
{
	struct rules rules = make_rules(0, 1000);
	struct limit r = {0};

	ok(is_conclusive(&r, &rules, 1 * MS),
	    "where nothing was refused, silence counts");
	add_refusal(&r, 7, 5 * MS);
	ok(!is_conclusive(&r, &rules, 4 * MS),
	    "one refusal right behind may be of what came meanwhile");
	add_refusal(&r, 7, 4 * MS);
	ok(is_conclusive(&r, &rules, 4 * MS), "two are not");
	ok(!is_conclusive(&r, &rules, 5 * MS), "nor one and one before");
	add_refusal(&r, 9, 1 * MS);
	ok(is_conclusive(&r, &rules, 4 * MS), "in any order");
	add_refusal(&r, 8, 500 * MS);
	add_refusal(&r, 8, 500 * MS);
	ok(!is_conclusive(&r, &rules, 6 * MS), "nor one much later");
	is_int(r.closed, 8, "it knows a closed port");
}

static void
test_suspect(void)
{
	struct rules rules = make_rules(0, 1000);
	struct limit r = {0};
	int64_t first, second;
	bool begins;

	suspect(&r, 1);
	ok(!is_conclusive(&r, &rules, 5 * MS),
	    "the silence of one that has answered is doubted");
	first = join_round(&r, &rules, 100 * MS, &begins);
	ok(begins, "it is asked again, with checks");
	ok(!is_conclusive(&r, &rules, first), "and doubted still");
	second = join_round(&r, &rules, first + 100 * MS, &begins);
	ok(second - first >= 2000 * MS, "after the longest pause once more");
	join_round(&r, &rules, second + 100 * MS, &begins);
	ok(is_conclusive(&r, &rules, second), "then it is believed");
	add_refusal(&r, 7, second);
	ok(!is_conclusive(&r, &rules, second), "unless one is refused");
	memset(&r, 0, sizeof(r));
	suspect(&r, MAX_SILENT_GAPS / 2);
	ok(!is_conclusive(&r, &rules, first),
	    "where others ask too, that of one that never answered as well");
}

static void
test_rounds(void)
{
	struct rules rules = make_rules(0, 2);
	struct limit r = {0};
	int64_t first, now = 1000 * MS;
	bool begins;
	int i;

	add_refusal(&r, 1, now);
	first = join_round(&r, &rules, now, &begins);
	ok(begins && first < now + 10 * MS, "the first round leaves at once");
	is_int(join_round(&r, &rules, now, &begins), first, "for all");
	ok(!begins, "with checks of its own");
	join_round(&r, &rules, now, &begins);
	ok(begins, "what is beyond it begins another");
	for (i = 0; i < 8; i++)
		now = join_round(&r, &rules, now, &begins) + 200 * MS;
	is_int(r.gap_ns, MAX_GAP_NS, "unrefused, rounds get rarer");
	for (i = 0; i < 10; i++) {
		add_refusal(&r, 1, now);
		add_refusal(&r, 1, now);
		now = join_round(&r, &rules, now, &begins) + 2100 * MS;
	}
	is_int(r.gap_ns, MAX_GAP_NS, "two refusals a round keep that");
	ok(!is_conclusive(&r, &rules, now), "and silence says nothing");
	for (i = 0; i < 5; i++)
		add_refusal(&r, 1, now);
	now = join_round(&r, &rules, now, &begins) + 2100 * MS;
	is_int(r.gap_ns, MAX_GAP_NS / 2, "several: half the pause");
	for (i = 0; i <= MAX_SILENT_GAPS + 1; i++)
		now = join_round(&r, &rules, now, &begins) + 2100 * MS;
	ok(is_conclusive(&r, &rules, now),
	    "one that never refuses any more is not waited for");
}

int
main(void)
{
	test_rules();
	test_silence();
	test_suspect();
	test_rounds();
	return done_testing();
}
