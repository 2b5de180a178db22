/* Matches replies to datagrams and keeps round-trip statistics. */
#include "udp/rtt_stats.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
rtt_stats_start(struct rtt_stats *t, int64_t wanted, int64_t timeout_ms)
{
	memset(t, 0, sizeof(*t));
	t->ring = mem_array(RTT_STATS_RING, sizeof(t->ring[0]));
	t->wanted = wanted;
	t->timeout_ns = timeout_ms < 0 ? -1 : clock_ns(timeout_ms);
}

static struct round_trip *
trip_of(const struct rtt_stats *t, uint64_t number)
{
	return &t->ring[number % RTT_STATS_RING];
}

void
rtt_stats_sent(struct rtt_stats *t, int64_t now_ns)
{
	struct round_trip *trip = trip_of(t, t->sent);

	trip->sent_ns = now_ns;
	trip->replies = 0;
	trip->is_over = false;
	t->sent++;
	t->awaited++;
	t->silent++;
}

void
rtt_stats_sent_unawaited(struct rtt_stats *t)
{
	t->sent++;
	t->oldest++;
}

/* Nothing more is awaited for that one. */
static void
end_trip(struct rtt_stats *t, struct round_trip *trip)
{
	trip->is_over = true;
	t->awaited--;
	if (trip->replies == 0)
		t->silent--;
	while (t->oldest < t->sent && trip_of(t, t->oldest)->is_over)
		t->oldest++;
}

/* Adds one time to the sums. */
static void
take_sample(struct rtt_stats *t, int64_t ns)
{
	if (t->samples == 0 || ns < t->min_ns)
		t->min_ns = ns;
	if (ns > t->max_ns)
		t->max_ns = ns;
	t->sum_ns += (double)ns;
	t->squares_ns += (double)ns * (double)ns;
	t->samples++;
}

/* A reply for which nothing is awaited. */
static enum rtt_stats_kind
surplus(struct rtt_stats *t, const struct round_trip *trip)
{
	bool late = trip != NULL ? trip->replies == 0 : t->failed > t->late;

	if (late)
		t->late++;
	else
		t->duplicates++;
	return late ? RTT_STATS_LATE : RTT_STATS_DUPLICATE;
}

enum rtt_stats_kind
rtt_stats_received(
    struct rtt_stats *t, int64_t number, int64_t now_ns, int64_t *trip_ns)
{
	struct round_trip *trip = NULL;

	*trip_ns = -1;
	t->received++;
	if (number < 0 && t->awaited > 0)
		number = (int64_t)t->oldest;
	if (number >= 0 && (uint64_t)number < t->sent &&
	    t->sent - (uint64_t)number <= RTT_STATS_RING)
		trip = trip_of(t, (uint64_t)number);
	if (trip == NULL)
		return surplus(t, NULL);
	*trip_ns = now_ns - trip->sent_ns;
	if (trip->is_over) {
		enum rtt_stats_kind kind = surplus(t, trip);

		trip->replies++;
		return kind;
	}
	take_sample(t, *trip_ns);
	if (trip->replies++ == 0) {
		t->answered++;
		t->silent--;
	}
	if (t->wanted > 0 && trip->replies >= t->wanted)
		end_trip(t, trip);
	return RTT_STATS_REPLY;
}

void
rtt_stats_expire(struct rtt_stats *t, int64_t now_ns)
{
	struct round_trip *trip;

	while (t->timeout_ns >= 0 && t->awaited > 0) {
		trip = trip_of(t, t->oldest);
		if (now_ns - trip->sent_ns < t->timeout_ns)
			return;
		if (trip->replies < (t->wanted > 0 ? t->wanted : 1))
			t->failed++;
		end_trip(t, trip);
	}
}

uint64_t
rtt_stats_lost(const struct rtt_stats *t)
{
	return t->sent - t->answered - t->silent;
}

struct deadline
rtt_stats_deadline(const struct rtt_stats *t)
{
	struct deadline d = deadline_none();

	if (t->timeout_ns >= 0 && t->awaited > 0)
		d.at_ns = trip_of(t, t->oldest)->sent_ns + t->timeout_ns;
	return d;
}

double
rtt_stats_mean(const struct rtt_stats *t)
{
	return t->samples == 0 ? 0 : t->sum_ns / (double)t->samples;
}

/* The square root by Newton's method: no need for libm. */
static double
root(double x)
{
	double r = x > 1 ? x : 1;
	int i;

	for (i = 0; i < 100 && r * r - x > r * 1e-9; i++)
		r = (r + x / r) / 2;
	return x <= 0 ? 0 : r;
}

double
rtt_stats_deviation(const struct rtt_stats *t)
{
	double mean = rtt_stats_mean(t);

	if (t->samples == 0)
		return 0;
	return root(t->squares_ns / (double)t->samples - mean * mean);
}

void
rtt_stats_release(struct rtt_stats *t)
{
	free(t->ring);
	t->ring = NULL;
}
