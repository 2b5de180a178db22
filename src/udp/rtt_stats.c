/* Round-trip statistics: matches replies to datagrams. */
#include "udp/sender.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

void
rtt_stats_start(struct rtt_stats *t, int64_t wanted, int64_t timeout_ms)
{
	memset(t, 0, sizeof(*t));
	t->ring = mem_array(RTT_STATS_RING, sizeof(t->ring[0]));
	t->wanted = wanted;
	t->timeout_ns = timeout_ms < 0 ? -1 : clock_ns(timeout_ms);
}

static struct rtt_stats_entry *
entry_of(const struct rtt_stats *t, uint64_t number)
{
	return &t->ring[number % RTT_STATS_RING];
}

void
rtt_stats_sent(struct rtt_stats *t, int64_t now_ns)
{
	struct rtt_stats_entry *entry = entry_of(t, t->sent);

	if (t->wanted < 0) {
		t->oldest = ++t->sent;
		return;
	}
	entry->sent_ns = now_ns;
	entry->replies = 0;
	entry->is_done = false;
	t->sent++;
	t->awaited++;
	t->silent++;
}

/* Stops awaiting replies for a datagram. */
static void
end_entry(struct rtt_stats *t, struct rtt_stats_entry *entry)
{
	entry->is_done = true;
	t->awaited--;
	if (entry->replies == 0)
		t->silent--;
	while (t->oldest < t->sent && entry_of(t, t->oldest)->is_done)
		t->oldest++;
}

enum rtt_stats_kind
rtt_stats_received(
    struct rtt_stats *t, int64_t number, int64_t now_ns, int64_t *rtt_ns)
{
	uint64_t n = number < 0 ? t->oldest : (uint64_t)number;
	struct rtt_stats_entry *entry = entry_of(t, n);
	bool is_late;

	t->received++;
	*rtt_ns = -1;
	/* It belongs to no datagram that was sent, or to a forgotten one. */
	if ((number < 0 && t->awaited == 0) || n >= t->sent ||
	    t->sent - n > RTT_STATS_RING)
		entry = NULL;
	else
		*rtt_ns = now_ns - entry->sent_ns;
	if (entry == NULL || entry->is_done) {
		is_late =
		    entry != NULL ? entry->replies++ == 0 : t->failed > t->late;
		t->late += is_late;
		t->duplicates += !is_late;
		return is_late ? RTT_STATS_LATE : RTT_STATS_DUPLICATE;
	}
	rtt_add(&t->times, *rtt_ns);
	if (entry->replies++ == 0) {
		t->answered++;
		t->silent--;
	}
	if (t->wanted > 0 && entry->replies >= t->wanted)
		end_entry(t, entry);
	return RTT_STATS_REPLY;
}

void
rtt_stats_expire(struct rtt_stats *t, int64_t now_ns)
{
	struct rtt_stats_entry *entry;

	while (t->timeout_ns >= 0 && t->awaited > 0) {
		entry = entry_of(t, t->oldest);
		if (now_ns - entry->sent_ns < t->timeout_ns)
			return;
		if (entry->replies < (t->wanted > 0 ? t->wanted : 1))
			t->failed++;
		end_entry(t, entry);
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
		d.at_ns = entry_of(t, t->oldest)->sent_ns + t->timeout_ns;
	return d;
}

const char *
rtt_stats_text(const struct rtt_stats *t, uint64_t dropped)
{
	uint64_t lost = rtt_stats_lost(t);
	const char *full = "";

	if (dropped > 0)
		full = text_format("%llu replies arrived, but the receive "
				   "buffer was full\n",
		    (unsigned long long)dropped);
	return text_format("%llu sent, %llu received, %llu lost (%.3g%%), "
			   "%llu duplicates, %llu late\n%s%s",
	    (unsigned long long)t->sent, (unsigned long long)t->received,
	    (unsigned long long)lost,
	    t->sent == 0 ? 0.0 : 100.0 * (double)lost / (double)t->sent,
	    (unsigned long long)t->duplicates, (unsigned long long)t->late,
	    full, rtt_text(&t->times));
}

void
rtt_stats_release(struct rtt_stats *t)
{
	free(t->ring);
	t->ring = NULL;
}
