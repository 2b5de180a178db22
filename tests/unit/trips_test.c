/* Round trips: matching, giving up, duplicates, late ones, statistics. */
#include "lib/tap.h"
#include "udp/trips.h"

static struct trips t;

static enum trips_kind
reply(int64_t number, int64_t now)
{
	int64_t ns;

	return trips_received(&t, number, now, &ns);
}

static void
test_in_order(void)
{
	int64_t ns;

	trips_start(&t, 1, 1000);
	ok(!deadline_is_set(trips_deadline(&t)), "nothing is awaited");
	trips_sent(&t, 100);
	trips_sent(&t, 200);
	is_int((long long)t.awaited, 2, "two are on their way");
	is_int(trips_deadline(&t).at_ns, 100 + 1000 * CLOCK_MS,
	    "the first one's limit");
	is_int(trips_received(&t, -1, 400, &ns), TRIPS_REPLY, "a reply");
	is_int(ns, 300, "belongs to the first");
	is_int(reply(-1, 500), TRIPS_REPLY, "another");
	is_int((long long)t.awaited, 0, "all are back");
	is_int(reply(-1, 600), TRIPS_DUPLICATE, "one more is a duplicate");
	is_int((long long)t.answered, 2, "answered");
	is_int((long long)t.received, 3, "received");
	trips_release(&t);
}

static void
test_limit(void)
{
	trips_start(&t, 1, 1);
	trips_sent(&t, 0);
	trips_expire(&t, CLOCK_MS - 1);
	is_int((long long)t.failed, 0, "not yet");
	trips_expire(&t, CLOCK_MS);
	is_int((long long)t.failed, 1, "given up");
	is_int((long long)t.awaited, 0, "nothing is awaited");
	is_int(reply(-1, CLOCK_MS + 1), TRIPS_LATE, "a late reply");
	is_int(reply(-1, CLOCK_MS + 2), TRIPS_DUPLICATE, "and its duplicate");
	is_int((long long)t.answered, 0, "is no answer in time");
	trips_release(&t);
}

static void
test_numbers(void)
{
	int i;

	trips_start(&t, 1, 1000);
	for (i = 0; i < 5; i++)
		trips_sent(&t, i);
	is_int(reply(3, 10), TRIPS_REPLY, "out of order");
	is_int((long long)t.oldest, 0, "the first is still awaited");
	is_int(reply(3, 11), TRIPS_DUPLICATE, "twice");
	is_int(reply(0, 12), TRIPS_REPLY, "the first");
	is_int(reply(99, 13), TRIPS_DUPLICATE, "one that was never sent");
	trips_expire(&t, 1000 * CLOCK_MS + 100);
	is_int((long long)t.failed, 3, "three have none");
	is_int(reply(1, 20), TRIPS_LATE, "one of these is late");
	is_int(reply(1, 21), TRIPS_DUPLICATE, "and comes again");
	trips_release(&t);
}

static void
test_several(void)
{
	trips_start(&t, 2, 1);
	trips_sent(&t, 0);
	is_int(reply(-1, 1), TRIPS_REPLY, "one of two");
	is_int((long long)t.awaited, 1, "one more is awaited");
	trips_expire(&t, CLOCK_MS);
	is_int((long long)t.failed, 1, "too few");
	is_int((long long)t.answered, 1, "but one");
	trips_release(&t);
	trips_start(&t, 0, 1);
	trips_sent(&t, 0);
	is_int(reply(-1, 1), TRIPS_REPLY, "any number: one");
	is_int(reply(-1, 2), TRIPS_REPLY, "two");
	trips_expire(&t, CLOCK_MS);
	is_int((long long)t.failed, 0, "is enough");
	trips_release(&t);
}

static void
test_statistics(void)
{
	static const int64_t times[] = {2, 4, 4, 4, 5, 5, 7, 9};
	size_t i;

	trips_start(&t, 1, -1);
	is_int((long long)trips_deviation(&t), 0, "nothing, no deviation");
	for (i = 0; i < 8; i++) {
		trips_sent(&t, 0);
		reply(-1, times[i] * 1000);
	}
	is_int((long long)(trips_mean(&t) + 0.5), 5000, "mean");
	is_int((long long)(trips_deviation(&t) + 0.5), 2000, "deviation");
	is_int(t.min_ns, 2000, "least");
	is_int(t.max_ns, 9000, "most");
	trips_release(&t);
}

int
main(void)
{
	test_in_order();
	test_limit();
	test_numbers();
	test_several();
	test_statistics();
	return done_testing();
}
