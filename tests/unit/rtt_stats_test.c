/* Round trips: late replies, numbers, the ring, and the numbers of a summary.
 */
#include "lib/tap.h"
#include "udp/sender.h"

static struct rtt_stats t;

/* The kind of a reply, and its round-trip time in *ns. */
static enum rtt_stats_kind
reply(int64_t number, int64_t now, int64_t *ns)
{
	return rtt_stats_received(&t, number, now, ns);
}

static void
summary_is(const char *want, const char *name)
{
	is_text(rtt_stats_text(&t, 0), want, name);
}

/* Replies to datagrams whose time has passed, by their numbers. */
static void
test_late(void)
{
	int64_t ns;
	int i;

	rtt_stats_start(&t, 1, 1);
	for (i = 0; i < 5; i++)
		rtt_stats_sent(&t, 0);
	is_int(reply(3, 2000, &ns), RTT_STATS_REPLY, "out of order");
	is_int(reply(3, 3000, &ns), RTT_STATS_DUPLICATE, "twice");
	is_int(reply(99, 3000, &ns), RTT_STATS_DUPLICATE, "never sent");
	is_int(ns, -1, "belongs to nothing");
	rtt_stats_expire(&t, CLOCK_MS - 1);
	is_int(rtt_stats_deadline(&t).at_ns, CLOCK_MS, "all others in time");
	summary_is("5 sent, 3 received, 0 lost (0%), 2 duplicates, 0 late\n"
		   "round trip min/avg/max/mdev = 0.002/0.002/0.002/0.000 ms\n",
	    "before the limit nothing is lost");
	rtt_stats_expire(&t, CLOCK_MS);
	is_int(reply(1, 2 * CLOCK_MS, &ns), RTT_STATS_LATE, "too late");
	is_int(ns, 2 * CLOCK_MS, "but with its time");
	is_int(reply(1, 2 * CLOCK_MS, &ns), RTT_STATS_DUPLICATE, "twice");
	is_int(reply(-1, 2 * CLOCK_MS, &ns), RTT_STATS_LATE, "no number");
	summary_is("5 sent, 6 received, 4 lost (80%), 3 duplicates, 2 late\n"
		   "round trip min/avg/max/mdev = 0.002/0.002/0.002/0.000 ms\n",
	    "late replies are no replies");
	ok(strstr(rtt_stats_text(&t, 1),
	       "\n1 replies arrived, but the receive buffer was full\n") !=
		NULL,
	    "the kernel dropped one");
	rtt_stats_release(&t);
	rtt_stats_start(&t, 2, 1);
	rtt_stats_sent(&t, 10);
	ok(reply(-1, 11, &ns) == RTT_STATS_REPLY &&
		deadline_is_set(rtt_stats_deadline(&t)) &&
		reply(-1, 12, &ns) == RTT_STATS_REPLY &&
		!deadline_is_set(rtt_stats_deadline(&t)),
	    "two replies to each: both are awaited");
	rtt_stats_release(&t);
}

/* How many may be awaited, and how old a number may be. */
static void
test_ring(void)
{
	int64_t ns;
	int i;

	rtt_stats_start(&t, 1, 1000);
	for (i = 0; i < RTT_STATS_MAX; i++)
		rtt_stats_sent(&t, i);
	is_int((long long)(t.sent - t.oldest), RTT_STATS_MAX,
	    "no more may be awaited");
	for (i = 0; i < RTT_STATS_MAX; i++)
		reply(-1, i, &ns);
	is_int((long long)(t.sent - t.oldest), 0, "until there are replies");
	for (i = 0; i < RTT_STATS_MAX; i++)
		rtt_stats_sent(&t, 1000);
	reply(0, 50, &ns);
	is_int(ns, 50, "the oldest number that is known");
	rtt_stats_sent(&t, 0);
	reply(0, 50, &ns);
	is_int(ns, -1, "is forgotten for a newer one");
	reply(1, 51, &ns);
	is_int(ns, 50, "but not the next");
	rtt_stats_release(&t);
}

static void
test_times(void)
{
	static const int64_t times[] = {2, 4, 4, 4, 5, 5, 7, 9};
	int64_t ns;
	size_t i;

	rtt_stats_start(&t, 1, -1);
	summary_is("0 sent, 0 received, 0 lost (0%), 0 duplicates, 0 late\n",
	    "nothing was sent");
	for (i = 0; i < 8; i++) {
		rtt_stats_sent(&t, 0);
		reply(-1, times[i] * 1000, &ns);
	}
	summary_is("8 sent, 8 received, 0 lost (0%), 0 duplicates, 0 late\n"
		   "round trip min/avg/max/mdev = 0.002/0.005/0.009/0.002 ms\n",
	    "smallest, mean, largest, deviation");
	rtt_stats_release(&t);
}

int
main(void)
{
	test_late();
	test_ring();
	test_times();
	return done_testing();
}
