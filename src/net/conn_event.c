/* Reports when a connection opens and closes. */
#include "net/conn_event.h"

#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "net/link.h"
#include "net/stall.h"

/* How many bytes of a message are shown. */
#define SHOWN 512

void
conn_event_goes_on(const struct link *l)
{
	diag_note("%s: the program has ended, and a process that it started "
		  "keeps the connection",
	    addr_text(&l->remote));
}

bool
conn_event_probe(const struct link *l)
{
	if (!l->is_reset || l->reset_by_us || l->received != 0 ||
	    l->undelivered != 0)
		return false;
	diag_note("%s: the connection was reset before anything was received "
		  "(a probe, it seems)",
	    addr_text(&l->remote));
	return true;
}

static struct json *
begin(const char *name, const struct link *l)
{
	unsigned outer = diag_connection(0);
	struct json *j;

	(void)diag_connection(l->number != 0 ? l->number : outer);
	j = diag_event_begin(name);
	(void)diag_connection(outer);
	addr_json(&l->local, j, "local");
	addr_json(&l->remote, j, "remote");
	return j;
}

void
conn_event_connected(const struct link *l, bool is_stream)
{
	int64_t ns = clock_now() - l->start_ns;
	/* An unconnected socket has no port before it first sends. */
	bool is_known = addr_is_unix(&l->local) || addr_port(&l->local) != 0;
	const char *duration;
	struct json *j;

	if (!diag_emits(DIAG_NOTE))
		return;
	j = begin("connected", l);
	json_seconds(j, "seconds", (double)ns / 1e9);
	duration = num_duration_text(ns);
	diag_event_end(DIAG_NOTE, "%s to %s%s%s%s%s",
	    is_stream ? "connected" : "sending", addr_text(&l->remote),
	    is_known ? " from " : "", is_known ? addr_text(&l->local) : "",
	    is_stream ? " in " : "", is_stream ? duration : "");
}

void
conn_event_message(int level, const char *name, const struct link *l,
    const void *bytes, size_t n, size_t full)
{
	struct json *j;

	if (!diag_emits(level))
		return;
	j = begin(name, l);
	json_number(j, "bytes", full == SIZE_MAX ? n : full);
	if (full > n)
		json_bool(j, "cut", true);
	json_bytes(j, "text", bytes, n);
	diag_event_end(level, "%s says: %s%s", addr_text(&l->remote),
	    text_escape(text_slot(), SHOWN, bytes, n),
	    full > n ? " (its end was cut off)" : "");
}

void
conn_event_accepted(int level, const struct link *l, const char *why)
{
	if (!diag_emits(level))
		return;
	if (why != NULL) {
		json_text(begin("denied", l), "reason", why);
		diag_event_end(
		    level, "%s: denied (%s)", addr_text(&l->remote), why);
	} else {
		(void)begin("accepted", l);
		diag_event_end(level, "accepted %s on %s",
		    addr_text(&l->remote), addr_text(&l->local));
	}
}

/* Adds what the kernel has counted to the event. Returns it as text: the path
 * to this machine itself is not worth a word. */
static const char *
path_text(struct json *j, const struct link *l, int64_t ns)
{
	const struct os_tcp *tcp = &l->tcp;
	const char *limit, *limit_words = "", *trip = "", *again = "";

	if (!tcp->is_known)
		return "";
	limit = stall_limit(tcp, ns, l->output_ns, &limit_words);
	if (tcp->rtt_us > 0)
		json_seconds(j, "rtt", (double)tcp->rtt_us / 1e6);
	json_number(j, "retransmitted", tcp->retransmitted);
	if (limit != NULL)
		json_text(j, "limited_by", limit);
	if (!addr_is_loopback(&l->remote) && tcp->rtt_us > 0)
		trip = text_format(
		    ", round trip %s", num_duration_text(tcp->rtt_us * 1000));
	if (!addr_is_loopback(&l->remote) && tcp->retransmitted > 0)
		again = text_format(", %s sent again",
		    num_count_text(tcp->retransmitted, "segment"));
	return text_format("%s%s%s%s", trip, again,
	    limit == NULL ? "" : ", limited by ", limit_words);
}

void
conn_event_closed(int level, const struct link *l, int status)
{
	static const char *const names[] = {"nobody", "us", "peer"},
				 *const words[] = {"neither side finished",
				     "this side finished first",
				     "the peer finished first"};
	bool is_pair =
	    addr_is_unnamed(&l->remote) && addr_is_unnamed(&l->local);
	int64_t ns = clock_now() - l->start_ns;
	const char *reset = "", *path;
	char bytes[96] = "";
	struct json *j;

	if (!diag_emits(level))
		return;
	j = begin("closed", l);
	if (!l->bytes_unknown) {
		json_number(j, "sent", l->sent);
		json_number(j, "received", l->received);
		snprintf(bytes, sizeof(bytes), "sent %s, received %llu, ",
		    num_count_text(l->sent, "byte"),
		    (unsigned long long)l->received);
	}
	json_seconds(j, "seconds", (double)ns / 1e9);
	json_text(j, "first", names[l->first]);
	json_text(j, "how", l->is_reset ? "reset" : "fin");
	if (l->is_reset) {
		json_text(j, "by", l->reset_by_us ? "us" : "peer");
		reset = l->reset_by_us ? ", reset by this side"
				       : ", reset by the peer";
	}
	path = path_text(j, l, ns);
	json_number(j, "status", (unsigned)status);
	diag_event_end(level, "closed %s%s%s: %sin %s; %s%s%s%s",
	    is_pair ? "the socket pair" : addr_text(&l->remote),
	    is_pair ? "" : " from ", is_pair ? "" : addr_text(&l->local), bytes,
	    num_duration_text(ns), words[l->first], reset, path,
	    status == 0 ? "" : text_format(", status %d", status));
}
