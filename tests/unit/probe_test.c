/* Slots of the probe pool and its timer wheel. */
#include "lib/tap.h"
#include "scan/probe.h"

static void
test_slots(void)
{
	struct probe_pool p;
	uint32_t a, b, c;

	probe_pool_init(&p, 3);
	a = probe_alloc(&p);
	b = probe_alloc(&p);
	c = probe_alloc(&p);
	ok(a != b && b != c && a != c, "three slots");
	ok(probe_alloc(&p) == PROBE_NONE, "and no fourth");
	is_int(p.used, 3, "three in use");
	p.probes[b].fd = 42;
	probe_free(&p, b);
	is_int(p.used, 2, "two in use");
	is_int(probe_alloc(&p), b, "the slot used last comes first");
	is_int(p.probes[b].fd, 42, "with its socket");
	ok(probe_waiting(&p) == PROBE_NONE, "nobody waits");
	probe_wait(&p, c);
	probe_wait(&p, a);
	is_int(probe_waiting(&p), c, "who waits longest comes first");
	probe_unlink(&p, c);
	is_int(probe_waiting(&p), a, "then the next");
	probe_free(&p, a);
	ok(probe_waiting(&p) == PROBE_NONE, "a slot given back waits no more");
	probe_pool_release(&p);
}

static void
test_wheel(void)
{
	struct probe_pool p;
	int64_t start, late;
	uint32_t a, b, c;

	probe_pool_init(&p, 3);
	start = p.tick * PROBE_TICK_NS;
	a = probe_alloc(&p);
	b = probe_alloc(&p);
	c = probe_alloc(&p);
	ok(!deadline_is_set(probe_deadline(&p)), "nothing to wait for");
	probe_set_timer(&p, a, start + 30 * CLOCK_MS);
	probe_set_timer(&p, b, start + 10 * CLOCK_MS);
	probe_set_timer(&p, c, start + 100 * CLOCK_SECOND);
	late = probe_deadline(&p).at_ns - (start + 10 * CLOCK_MS);
	ok(late >= 0 && late <= PROBE_TICK_NS, "the first expires in time");
	ok(probe_expired(&p, start + 9 * CLOCK_MS) == PROBE_NONE,
	    "nothing has expired before");
	is_int(probe_expired(&p, start + 12 * CLOCK_MS), b, "then the first");
	ok(probe_expired(&p, start + 12 * CLOCK_MS) == PROBE_NONE, "alone");
	probe_set_timer(&p, b, start + 20 * CLOCK_MS);
	probe_unlink(&p, b);
	is_int(probe_expired(&p, start + CLOCK_SECOND), a,
	    "what was taken out does not expire");
	ok(probe_expired(&p, start + 99 * CLOCK_SECOND) == PROBE_NONE,
	    "what lies beyond the wheel goes round with it");
	is_int(probe_expired(&p, start + 101 * CLOCK_SECOND), c,
	    "and expires in its time");
	is_int(p.timed, 0, "the wheel is empty");
	probe_pool_release(&p);
}

/* The bucket of a timer: never the one that is being emptied. */
static void
test_buckets(void)
{
	static const struct {
		int64_t ticks; /* of the timer, after the current one */
		int64_t bucket;
	} rows[] = {{-5, 1}, {-1, 1}, {0, 1}, {1, 2}, {2, 3},
	    {PROBE_BUCKETS - 3, PROBE_BUCKETS - 2},
	    {PROBE_BUCKETS - 2, PROBE_BUCKETS - 1},
	    {PROBE_BUCKETS - 1, PROBE_BUCKETS - 1},
	    {PROBE_BUCKETS, PROBE_BUCKETS - 1},
	    {5 * PROBE_BUCKETS, PROBE_BUCKETS - 1}};
	struct probe_pool p;
	int64_t start;
	uint32_t id;
	size_t i;

	probe_pool_init(&p, 1);
	start = p.tick * PROBE_TICK_NS;
	id = probe_alloc(&p);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		probe_set_timer(&p, id, start + rows[i].ticks * PROBE_TICK_NS);
		is_int((probe_deadline(&p).at_ns - start) / PROBE_TICK_NS,
		    rows[i].bucket, "the bucket of a timer");
	}
	is_int(p.timed, 1, "one timer, set again and again");
	probe_pool_release(&p);
}

int
main(void)
{
	test_slots();
	test_wheel();
	test_buckets();
	return done_testing();
}
