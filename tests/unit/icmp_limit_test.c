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
	r = make_rules(30 * MS, 1000);
	is_int(r.max_round, 1, "one and its checks");
	is_int(r.same_ns, 90 * MS, "just fit");
	r = make_rules(31 * MS, 1000);
	is_int(r.same_ns, 93 * MS, "or not");
	r = make_rules(1 * MS, 88);
	is_int(r.max_round, 88, "the smaller of both");
	r = make_rules(1 * MS, 89);
	is_int(r.max_round, 88, "limits");
	is_int(r.same_ns, 90 * MS, "of which all leave together");
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

/* The pause between rounds after so many refusals. */
static int64_t
adjusted(struct limit *l, uint16_t refusals, int64_t now_ns)
{
	l->refusals = refusals;
	adjust_gap(l, now_ns);
	is_int(l->refusals, 0, "refusals are counted anew");
	return l->gap_ns;
}

static void
test_gap(void)
{
	struct limit l = {0};

	is_int(adjusted(&l, 0, 1000 * MS), 0, "the first round shows nothing");
	is_int(l.adjust_ns, 1050 * MS, "the next one may");
	is_int(adjusted(&l, 2, 2000 * MS), 0, "every check refused: no pause");
	is_int(adjusted(&l, 1, 2000 * MS), 50 * MS, "one was not: the least");
	is_int(l.adjust_ns, 2050 * MS, "which may change after it");
	is_int(adjusted(&l, 1, 3000 * MS), 100 * MS, "again: twice that");
	is_int(l.adjust_ns, 3100 * MS, "for as long");
	is_int(adjusted(&l, 2, 3000 * MS), 100 * MS, "as many as checks");
	is_int(adjusted(&l, 4, 3000 * MS), 100 * MS, "and twice as many");
	is_int(adjusted(&l, 5, 3000 * MS), 50 * MS, "more: half of it");
	is_int(adjusted(&l, 5, 3000 * MS), 0, "less than the least is none");
	l.gap_ns = MAX_GAP_NS / 2;
	is_int(adjusted(&l, 0, 0), MAX_GAP_NS, "up to the longest");
	is_int(l.silent_gaps, 0, "which has not passed yet");
	is_int(adjusted(&l, 1, 0), MAX_GAP_NS, "and no further");
	is_int(l.silent_gaps, 0, "with a refusal");
	is_int(adjusted(&l, 0, 0), MAX_GAP_NS, "nor without");
	is_int(l.silent_gaps, 1, "which is counted");
	add_refusal(&l, 1, 1);
	is_int(l.silent_gaps, 0, "until there is one");
	is_int(l.refusals, 1, "that counts");
	l.refusals = UINT16_MAX;
	add_refusal(&l, 1, 1);
	is_int(l.refusals, UINT16_MAX, "as far as it can");
	is_int(jitter(2048, 1024 * 513), 2, "a part is left to chance");
	is_int(jitter(1024 * 1024, 1024 * 511), 1024 * 511, "at most a half");
}

/* When a probe is sent, and which of them brings checks. */
static void
test_join(void)
{
	struct rules rules = make_rules(0, 2);
	struct limit l = {.adjust_ns = 5000 * MS};
	bool begins;

	is_int(join_round(&l, &rules, 1000 * MS, &begins), 1004 * MS,
	    "a round waits for others");
	ok(begins && l.members == 1, "the first is one");
	is_int(join_round(&l, &rules, 1004 * MS, &begins), 1004 * MS,
	    "the last moment");
	ok(!begins && l.members == 2, "is in time");
	is_int(join_round(&l, &rules, 1004 * MS, &begins), 1008 * MS,
	    "a full round is followed by another");
	ok(begins && l.members == 1, "with checks");
	is_int(join_round(&l, &rules, 1008 * MS + 1, &begins), 1012 * MS + 1,
	    "after the last moment");
	ok(begins, "there is another one, too");
	l.gap_ns = 1024 * MS;
	is_int(join_round(&l, &rules, 2048 * MS, &begins),
	    2036 * MS + 1 + jitter(1024 * MS, 2048 * MS),
	    "rounds keep their pause, and more");
	l.refusals = 1;
	join_round(&l, &rules, 5000 * MS, &begins);
	is_int(l.gap_ns, 2040 * MS, "which is adjusted when it is time");
}

int
main(void)
{
	test_rules();
	test_gap();
	test_join();
	test_silence();
	test_suspect();
	test_rounds();
	return done_testing();
}
