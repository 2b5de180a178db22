/* Hosts that limit ICMP errors: rules, silence, suspect, rounds, checks. */
#include <sys/socket.h>
#include <unistd.h>

#include "lib/choose_targets.h"
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

#define CAPACITY 8

static struct targets targets = TARGETS_INIT;
static struct scan_options options;
static struct scan s;
static struct limit *limits;

/* A scan of two hosts, with one probe of port 7 of the second. */
static uint32_t
start_scan(void)
{
	uint32_t id;

	memset(&s, 0, sizeof(s));
	memset(&options, 0, sizeof(options));
	options.type = SOCK_DGRAM;
	options.retries = -1;
	options.timeout_ms = 700;
	s.o = &options;
	s.targets = &targets;
	s.hosts = calloc(2, sizeof(s.hosts[0]));
	s.set = ready_set_new(CAPACITY);
	probe_pool_init(&s.pool, CAPACITY);
	icmp_limit_start(&s, 2);
	limits = s.icmp_limits->hosts;
	id = probe_alloc(&s.pool);
	s.pool.probes[id].host = 1;
	s.pool.probes[id].port = 7;
	s.pool.probes[id].sent_ns = 100 * MS;
	return id;
}

static void
end_scan(void)
{
	uint32_t id;

	for (id = 0; id < s.pool.touched; id++)
		if (s.pool.probes[id].fd >= 0)
			close(s.pool.probes[id].fd);
	icmp_limit_release(&s);
	probe_pool_release(&s.pool);
	ready_set_free(s.set);
	free(s.hosts);
}

static void
test_start(void)
{
	uint32_t id = start_scan();

	is_int(s.icmp_limits->rules.max_round, 2, "the limit of the scan");
	ok(!limits[0].is_suspected && !limits[1].is_suspected,
	    "no host is suspected at first");
	ok(!icmp_limit_applies(&s, id), "nor limited");
	ok(!icmp_limit_is_inconclusive(&s, id), "silence counts");
	icmp_limit_answered(&s, id);
	ok(icmp_limit_applies(&s, id), "one that answers is suspected");
	ok(!limits[0].is_suspected, "the other one is not");
	is_int(limits[1].silent_gaps, MAX_SILENT_GAPS - 1, "for one pause");
	ok(icmp_limit_is_inconclusive(&s, id), "silence does not count");
	icmp_limit_refused(&s, id, 5 * MS);
	ok(limits[1].is_known && limits[1].closed == 7, "one that refuses");
	ok(!limits[0].is_known, "alone");
	end_scan();

	memset(&s, 0, sizeof(s));
	s.o = &options;
	s.targets = &targets;
	options.retries = 0;
	icmp_limit_start(&s, 2);
	ok(s.icmp_limits == NULL, "--retries disables it");
	ok(!icmp_limit_applies(&s, id) && !icmp_limit_is_inconclusive(&s, id),
	    "for every probe");
	options.retries = -1;
	options.type = SOCK_STREAM;
	icmp_limit_start(&s, 2);
	ok(s.icmp_limits == NULL, "connections are not limited");
}

/* Another process may spend the tokens of the hosts of a shard. */
static void
test_shard(void)
{
	struct order order;

	order_init(&order, &(struct order_options){&targets, 1, 0, 2, false});
	memset(&s, 0, sizeof(s));
	s.o = &options;
	s.targets = &targets;
	s.order = order;
	options.type = SOCK_DGRAM;
	options.retries = -1;
	icmp_limit_start(&s, 2);
	limits = s.icmp_limits->hosts;
	ok(limits[0].is_suspected && limits[1].is_suspected,
	    "all hosts of a shard are suspected");
	is_int(limits[1].silent_gaps, MAX_SILENT_GAPS / 2, "for three pauses");
	icmp_limit_release(&s);
}

/* The first probe of a round brings checks, of a port known to be closed. */
static void
test_schedule(void)
{
	uint32_t id = start_scan(), i, checks = 0;
	int64_t now = clock_now(), ns;

	icmp_limit_answered(&s, id);
	icmp_limit_schedule(&s, id);
	ns = scan_probe(&s, id)->expires_ns;
	ok(ns >= now && ns <= clock_now() + 2 * MAX_GAP_NS, "its time");
	for (i = 0; i < s.pool.touched; i++) {
		struct probe *p = scan_probe(&s, i);

		if (i == id)
			continue;
		checks += p->state == PROBE_CHECK && p->host == 1 &&
			  p->port == 7 && !p->is_discovery && p->tries == 0 &&
			  p->failures == 0 &&
			  p->expires_ns == ns + 2 * PROBE_TICK_NS;
	}
	is_int(checks, ICMP_LIMIT_CHECKS, "is that of its checks");
	is_int(s.pool.used, 1 + ICMP_LIMIT_CHECKS, "and there are no others");
	limits[1].round_ns = clock_now() + 60 * CLOCK_SECOND;
	icmp_limit_schedule(&s, id);
	is_int(s.pool.used, 1 + ICMP_LIMIT_CHECKS, "the second brings none");
	limits[1].is_known = true;
	limits[1].closed = 9;
	scan_probe(&s, id)->port = 8;
	limits[1].members = 2;
	icmp_limit_schedule(&s, id);
	is_int(s.pool.used, 1 + 2 * ICMP_LIMIT_CHECKS, "another round does");
	is_int(limits[1].closed, 9, "of the port that was refused");
	while (probe_alloc(&s.pool) != PROBE_NONE)
		continue;
	limits[1].members = 2;
	icmp_limit_schedule(&s, id);
	is_int(s.pool.used, CAPACITY, "without a slot there is no check");
	end_scan();
}

/* A check, sent or not. */
static uint32_t
start_check(bool is_sent)
{
	uint32_t id = start_scan();
	struct probe *p = scan_probe(&s, id);

	p->state = PROBE_CHECK;
	if (is_sent)
		p->fd = socket(AF_INET, SOCK_DGRAM, 0);
	return id;
}

static void
test_checks(void)
{
	struct ready_outcome in_progress = {EINPROGRESS, READY_REMOTE},
			     refused = {ECONNREFUSED, READY_REMOTE},
			     prohibited = {ECONNREFUSED, READY_LOCAL},
			     answered = {0, READY_REMOTE};
	uint32_t id = start_check(false);

	ok(!icmp_limit_check_is_next(&s), "nothing waits");
	icmp_limit_check_expired(&s, id);
	ok(icmp_limit_check_is_next(&s), "a check whose time has come waits");
	is_int(s.pool.used, 1, "to be sent");
	scan_probe(&s, id)->state = PROBE_WAITING;
	ok(!icmp_limit_check_is_next(&s), "another probe is not a check");
	end_scan();

	id = start_check(true);
	icmp_limit_check_sent(&s, id, in_progress);
	is_int(scan_probe(&s, id)->expires_ns, 800 * MS, "--timeout limits it");
	icmp_limit_check_ready(&s, id);
	is_int(s.pool.used, 1, "without an answer it goes on");
	icmp_limit_check_expired(&s, id);
	is_int(s.pool.used, 0, "until it has expired");
	ok(!limits[1].is_known && limits[1].refusals == 0, "unrefused");
	is_int(scan_probe(&s, id)->fd, -1, "its socket is closed");
	end_scan();

	id = start_check(true);
	icmp_limit_check_sent(&s, id, refused);
	is_int(s.pool.used, 0, "a refusal ends it");
	ok(limits[1].is_known && limits[1].closed == 7 &&
		limits[1].refused_ns[0] == 100 * MS,
	    "and counts");
	end_scan();

	id = start_check(true);
	icmp_limit_check_sent(&s, id, prohibited);
	ok(s.pool.used == 0 && !limits[1].is_known, "one of this side not");
	end_scan();

	id = start_check(true);
	limits[1].is_known = true;
	icmp_limit_check_sent(&s, id, answered);
	ok(s.pool.used == 0 && !limits[1].is_known,
	    "an answer shows that the port is not closed any more");
	end_scan();
}

int
main(void)
{
	choose_targets(&targets, "127.0.0.1-2", "7");
	test_start();
	test_shard();
	test_schedule();
	test_checks();
	test_rules();
	test_gap();
	test_join();
	test_silence();
	test_suspect();
	test_rounds();
	targets_release(&targets);
	return done_testing();
}
