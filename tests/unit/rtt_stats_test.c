/* Round trips: matching, timeouts, duplicates, late replies, statistics. */
#include "lib/tap.h"
#include "udp/rtt_stats.h"

static struct rtt_stats t;

static enum rtt_stats_kind
reply(int64_t number, int64_t now)
{
	int64_t ns;

	return rtt_stats_received(&t, number, now, &ns);
}

static void
test_in_order(void)
{
	int64_t ns;

	rtt_stats_start(&t, 1, 1000);
	ok(!deadline_is_set(rtt_stats_deadline(&t)), "nothing is awaited");
	rtt_stats_sent(&t, 100);
	rtt_stats_sent(&t, 200);
	is_int((long long)t.awaited, 2, "two are on their way");
	is_int(rtt_stats_deadline(&t).at_ns, 100 + 1000 * CLOCK_MS,
	    "the first one's limit");
	is_int(
	    rtt_stats_received(&t, -1, 400, &ns), RTT_STATS_REPLY, "a reply");
	is_int(ns, 300, "belongs to the first");
	is_int(reply(-1, 500), RTT_STATS_REPLY, "another");
	is_int((long long)t.awaited, 0, "all are back");
	is_int(reply(-1, 600), RTT_STATS_DUPLICATE, "one more is a duplicate");
	is_int((long long)t.answered, 2, "answered");
	is_int((long long)t.received, 3, "received");
	rtt_stats_release(&t);
}

static void
test_limit(void)
{
	rtt_stats_start(&t, 1, 1);
	rtt_stats_sent(&t, 0);
	rtt_stats_expire(&t, CLOCK_MS - 1);
	is_int((long long)t.failed, 0, "not yet");
	rtt_stats_expire(&t, CLOCK_MS);
	is_int((long long)t.failed, 1, "given up");
	is_int((long long)t.awaited, 0, "nothing is awaited");
	is_int(reply(-1, CLOCK_MS + 1), RTT_STATS_LATE, "a late reply");
	is_int(
	    reply(-1, CLOCK_MS + 2), RTT_STATS_DUPLICATE, "and its duplicate");
	is_int((long long)t.answered, 0, "is no answer in time");
	rtt_stats_release(&t);
}

static void
test_numbers(void)
{
	int i;

	rtt_stats_start(&t, 1, 1000);
	for (i = 0; i < 5; i++)
		rtt_stats_sent(&t, i);
	is_int(reply(3, 10), RTT_STATS_REPLY, "out of order");
	is_int((long long)t.oldest, 0, "the first is still awaited");
	is_int(reply(3, 11), RTT_STATS_DUPLICATE, "twice");
	is_int(reply(0, 12), RTT_STATS_REPLY, "the first");
	is_int(reply(99, 13), RTT_STATS_DUPLICATE, "one that was never sent");
	rtt_stats_expire(&t, 1000 * CLOCK_MS + 100);
	is_int((long long)t.failed, 3, "three have none");
	is_int(reply(1, 20), RTT_STATS_LATE, "one of these is late");
	is_int(reply(1, 21), RTT_STATS_DUPLICATE, "and comes again");
	rtt_stats_release(&t);
}

static void
test_several(void)
{
	rtt_stats_start(&t, 2, 1);
	rtt_stats_sent(&t, 0);
	is_int(reply(-1, 1), RTT_STATS_REPLY, "one of two");
	is_int((long long)t.awaited, 1, "one more is awaited");
	rtt_stats_expire(&t, CLOCK_MS);
	is_int((long long)t.failed, 1, "too few");
	is_int((long long)t.answered, 1, "but one");
	rtt_stats_release(&t);
	rtt_stats_start(&t, 0, 1);
	rtt_stats_sent(&t, 0);
	is_int(reply(-1, 1), RTT_STATS_REPLY, "any number: one");
	is_int(reply(-1, 2), RTT_STATS_REPLY, "two");
	rtt_stats_expire(&t, CLOCK_MS);
	is_int((long long)t.failed, 0, "is enough");
	rtt_stats_release(&t);
}

static void
test_statistics(void)
{
	char text[RTT_STATS_TEXT] = "";
	static const int64_t times[] = {2, 4, 4, 4, 5, 5, 7, 9};
	size_t i;

	rtt_stats_start(&t, 1, -1);
	ok(strcmp(rtt_stats_append_times(&t, text, sizeof(text)), "") == 0,
	    "nothing, no times");
	for (i = 0; i < 8; i++) {
		rtt_stats_sent(&t, 0);
		reply(-1, times[i] * 1000);
	}
	ok(strcmp(rtt_stats_append_times(&t, text, sizeof(text)),
	       "round trip min/avg/max/mdev = 0.002/0.005/0.009/0.002 ms\n") ==
		0,
	    "smallest, mean, largest, deviation");
	rtt_stats_release(&t);
}

/* The counts after some of four datagrams were answered. */
static void
test_format(void)
{
	char text[RTT_STATS_TEXT];

	rtt_stats_start(&t, 1, 1);
	is_text(rtt_stats_format(&t, 0, text, sizeof(text)),
	    "0 sent, 0 received, 0 lost (0%), 0 duplicates, 0 late\n",
	    "nothing was sent");
	rtt_stats_sent(&t, 0);
	rtt_stats_sent(&t, 0);
	rtt_stats_sent(&t, 0);
	rtt_stats_sent_unawaited(&t);
	is_int((long long)rtt_stats_lost(&t), 1, "the rest is on its way");
	reply(0, 2000);
	reply(0, 3000);
	reply(1, 4000);
	rtt_stats_expire(&t, CLOCK_MS);
	reply(2, 2 * CLOCK_MS);
	is_text(rtt_stats_format(&t, 0, text, sizeof(text)),
	    "4 sent, 4 received, 2 lost (50%), 1 duplicates, 1 late\n"
	    "round trip min/avg/max/mdev = 0.002/0.003/0.004/0.001 ms\n",
	    "one duplicate, one late, one of which nothing is known");
	is_text(rtt_stats_format(&t, 1, text, sizeof(text)),
	    "4 sent, 4 received, 2 lost (50%), 1 duplicates, 1 late\n"
	    "1 replies arrived, but the receive buffer was full\n"
	    "round trip min/avg/max/mdev = 0.002/0.003/0.004/0.001 ms\n",
	    "the kernel dropped one");
	rtt_stats_restart(&t, 2);
	is_text(rtt_stats_format(&t, 0, text, sizeof(text)),
	    "0 sent, 0 received, 0 lost (0%), 0 duplicates, 0 late\n",
	    "all begins anew");
	rtt_stats_sent(&t, 10);
	is_int(reply(-1, 11) + reply(-1, 12), 2 * RTT_STATS_REPLY,
	    "with two replies each");
	is_int((long long)t.oldest, 1, "both are there");
	is_int(rtt_stats_deadline(&t).at_ns, deadline_none().at_ns,
	    "so that nothing is awaited");
	rtt_stats_sent(&t, 20);
	is_int(rtt_stats_deadline(&t).at_ns, 20 + CLOCK_MS, "the same limit");
	rtt_stats_release(&t);
}

/* The ring: how many may be awaited, and how old a number may be. */
static void
test_ring(void)
{
	int64_t ns;
	int i;

	rtt_stats_start(&t, 1, 1000);
	for (i = 0; i < RTT_STATS_MAX - 1; i++)
		rtt_stats_sent(&t, i);
	ok(!rtt_stats_is_full(&t), "one more may be awaited");
	rtt_stats_sent(&t, i);
	ok(rtt_stats_is_full(&t), "no more");
	for (i = 0; i < RTT_STATS_MAX; i++)
		reply(-1, i);
	for (i = 0; i < RTT_STATS_MAX; i++)
		rtt_stats_sent(&t, 1000);
	is_int(rtt_stats_received(&t, 0, 50, &ns), RTT_STATS_DUPLICATE,
	    "the oldest that is known");
	is_int(ns, 50, "with its time");
	rtt_stats_sent(&t, 0);
	rtt_stats_received(&t, 0, 50, &ns);
	is_int(ns, -1, "is forgotten for a newer one");
	is_int(rtt_stats_received(&t, 1, 51, &ns), RTT_STATS_DUPLICATE,
	    "but not the next");
	is_int(ns, 50, "with its time");
	rtt_stats_received(&t, (int64_t)t.sent, 51, &ns);
	is_int(ns, -1, "nothing has a number that was not sent");
	rtt_stats_release(&t);
}

int
main(void)
{
	test_format();
	test_ring();
	test_in_order();
	test_limit();
	test_numbers();
	test_several();
	test_statistics();
	return done_testing();
}
