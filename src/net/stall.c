/* Why a TCP connection makes no progress, by the kernel's counters. */
#include "net/stall.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "net/os.h"

/* A probe may be on its way; two in a row without an answer are not. */
#define MIN_PROBES 2
/* Less data, or a shorter time, says nothing about what limits a transfer. */
#define MIN_BYTES (256 * 1024)
#define MIN_NS (CLOCK_SECOND / 2)

/* The clause for data or probes that nothing has acknowledged. */
static const char *
unacked_text(const struct os_tcp *tcp, const char *peer)
{
	/* A full segment is not acknowledged, and none of that size ever was:
	 * a guess. The SYN of a client counts as a byte. */
	bool is_only_large = tcp->segments > 0 && tcp->timeouts > 0 &&
			     tcp->sent >= tcp->acked + tcp->mss &&
			     tcp->acked < (uint64_t)tcp->mss + 1;
	const char *how =
	    tcp->segments == 0
		? text_format("%u %s probes unanswered", tcp->probes,
		      tcp->is_unsent ? "window" : "keepalive")
		: text_format("%s lost, sent %u times",
		      num_count_text(tcp->lost > 0 ? tcp->lost : 1, "segment"),
		      tcp->timeouts + 1);
	const char *why =
	    is_only_large
		? text_format("; packets of %u bytes do not arrive, smaller "
			      "ones did: a path MTU problem?",
		      tcp->pmtu)
		: text_format(": the path is broken, or %s is gone", peer);

	return text_format("nothing has been acknowledged for %s (%s)%s",
	    num_duration_text(tcp->unanswered_ms * CLOCK_MS), how, why);
}

const char *
stall_text(const struct os_tcp *tcp, bool awaits_peer, const char *peer)
{
	if (tcp->is_closed)
		return NULL;
	if ((tcp->segments > 0 && tcp->timeouts > 0) ||
	    tcp->probes >= MIN_PROBES)
		return unacked_text(tcp, peer);
	if (tcp->is_unsent && tcp->segments == 0 && tcp->window < tcp->mss)
		return text_format(
		    "%s does not read (its window has been full for %s)", peer,
		    num_duration_text(tcp->unsent_ms * CLOCK_MS));
	if (!awaits_peer || tcp->has_unread || tcp->peer_finished ||
	    tcp->is_unsent || tcp->segments > 0)
		return NULL;
	if (tcp->has_gap)
		return text_format("a part of what %s sent is missing, lost on "
				   "the way; what follows it has arrived",
		    peer);
	return tcp->sent == 0
		   ? NULL
		   : text_format(
			 "%s has received everything and sends nothing", peer);
}

const char *
stall_limit(
    const struct os_tcp *tcp, int64_t ns, int64_t output_ns, const char **text)
{
	int64_t half_us = ns / 1000 / 2;

	if (ns < MIN_NS)
		return NULL;
	if (tcp->received >= MIN_BYTES && output_ns / 1000 > half_us) {
		*text = "this side's output";
		return "output";
	}
	if (tcp->sent < MIN_BYTES || tcp->received > tcp->sent)
		return NULL;
	if (tcp->window_us > half_us) {
		*text = "the peer's window";
		return "peer";
	}
	if (tcp->busy_us - tcp->window_us > half_us) {
		*text = "the path";
		return "path";
	}
	if (tcp->busy_us >= half_us)
		return NULL;
	*text = "this side's input";
	return "input";
}
