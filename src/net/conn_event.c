/* Reports when a connection opens and closes. */
#include "net/conn_event.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "net/os.h"
#include "net/sock.h"

/* How many bytes of a message are shown. */
#define SHOWN 512

void
conn_event_summarize(int fd, bool goes_on, struct conn_summary *s)
{
	struct os_tcp tcp;

	memset(s, 0, sizeof(*s));
	s->bytes_unknown = !os_tcp_info(fd, &tcp);
	if (s->bytes_unknown)
		return;
	s->sent = tcp.sent;
	s->received = tcp.received;
	/* The peer's FIN counts as a byte. A reset after it is EPIPE. */
	if (s->received > 0 &&
	    (tcp.peer_finished || (tcp.is_closed && sock_error(fd) == EPIPE)))
		s->received--;
	s->reset = tcp.is_closed;
	if (tcp.peer_finished || tcp.is_closed)
		s->first = CONN_FIRST_PEER;
	else if (!goes_on)
		s->first = CONN_FIRST_US;
}

void
conn_event_goes_on(const struct conn *c)
{
	diag_note("%s: the program has ended, and a process that it started "
		  "keeps the connection",
	    addr_text(&c->remote));
}

bool
conn_event_probe(const struct conn *c, const struct conn_summary *s)
{
	if (!s->reset || s->reset_by_us || s->received != 0 ||
	    s->undelivered != 0)
		return false;
	diag_note("%s: the connection was reset before anything was received "
		  "(a probe, it seems)",
	    addr_text(&c->remote));
	return true;
}

static struct json *
begin(const char *name, const struct conn *c)
{
	unsigned outer = diag_connection(0);
	struct json *j;

	(void)diag_connection(c->number != 0 ? c->number : outer);
	j = diag_event_begin(name);
	(void)diag_connection(outer);
	addr_json(&c->local, j, "local");
	addr_json(&c->remote, j, "remote");
	return j;
}

void
conn_event_connected(const struct conn *c, bool is_stream)
{
	int64_t ns = clock_now() - c->start_ns;
	/* An unconnected socket has no port before it first sends. */
	bool is_known = addr_is_unix(&c->local) || addr_port(&c->local) != 0;
	const char *duration;
	struct json *j;

	if (!diag_emits(DIAG_NOTE))
		return;
	j = begin("connected", c);
	json_seconds(j, "seconds", (double)ns / 1e9);
	duration = num_duration_text(ns);
	diag_event_end(DIAG_NOTE, "%s to %s%s%s%s%s",
	    is_stream ? "connected" : "sending", addr_text(&c->remote),
	    is_known ? " from " : "", is_known ? addr_text(&c->local) : "",
	    is_stream ? " in " : "", is_stream ? duration : "");
}

void
conn_event_message(int level, const char *name, const struct conn *c,
    const void *bytes, size_t n, size_t full)
{
	struct json *j;

	if (!diag_emits(level))
		return;
	j = begin(name, c);
	json_number(j, "bytes", full == SIZE_MAX ? n : full);
	if (full > n)
		json_bool(j, "cut", true);
	json_bytes(j, "text", bytes, n);
	diag_event_end(level, "%s says: %s%s", addr_text(&c->remote),
	    text_escape(text_slot(), SHOWN, bytes, n),
	    full > n ? " (its end was cut off)" : "");
}

void
conn_event_accepted(int level, const struct conn *c, const char *why)
{
	if (!diag_emits(level))
		return;
	if (why != NULL) {
		json_text(begin("denied", c), "reason", why);
		diag_event_end(
		    level, "%s: rejected (%s)", addr_text(&c->remote), why);
	} else {
		(void)begin("accepted", c);
		diag_event_end(level, "accepted %s on %s",
		    addr_text(&c->remote), addr_text(&c->local));
	}
}

void
conn_event_closed(
    int level, const struct conn *c, const struct conn_summary *s, int status)
{
	static const char *const names[] = {"nobody", "us", "peer"},
				 *const words[] = {"neither side finished",
				     "this side finished first",
				     "the peer finished first"};
	bool is_pair =
	    addr_is_unnamed(&c->remote) && addr_is_unnamed(&c->local);
	int64_t ns = clock_now() - c->start_ns;
	const char *bytes = "", *reset = "";
	struct json *j;

	if (!diag_emits(level))
		return;
	j = begin("closed", c);
	if (!s->bytes_unknown) {
		json_number(j, "sent", s->sent);
		json_number(j, "received", s->received);
		bytes = text_format("sent %s, received %llu, ",
		    num_count_text(s->sent, "byte"),
		    (unsigned long long)s->received);
	}
	json_seconds(j, "seconds", (double)ns / 1e9);
	json_text(j, "first", names[s->first]);
	json_text(j, "how", s->reset ? "reset" : "fin");
	if (s->reset) {
		json_text(j, "by", s->reset_by_us ? "us" : "peer");
		reset = s->reset_by_us ? ", reset by this side"
				       : ", reset by the peer";
	}
	json_number(j, "status", (unsigned)status);
	diag_event_end(level, "closed %s%s%s: %sin %s; %s%s%s",
	    is_pair ? "the socket pair" : addr_text(&c->remote),
	    is_pair ? "" : " from ", is_pair ? "" : addr_text(&c->local), bytes,
	    num_duration_text(ns), words[s->first], reset,
	    status == 0 ? "" : text_format(", status %d", status));
}
