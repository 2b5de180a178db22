/* Reports when a connection opens and closes. */
#include "net/conn_event.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/event.h"
#include "base/num.h"
#include "base/text.h"
#include "net/addr.h"
#include "net/os.h"

/* How many bytes of a message are shown. */
#define SHOWN 512

/* The event under construction; static: see net/spawn.h. */
static struct event ev;

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
	s->reset = tcp.is_closed;
	if (tcp.is_crossing)
		s->first = CONN_FIRST_BOTH;
	else if (tcp.peer_finished || tcp.is_closed)
		s->first = CONN_FIRST_PEER;
	else if (!goes_on)
		s->first = CONN_FIRST_US;
}

void
conn_event_goes_on(const struct conn *c)
{
	char text[ADDR_TEXT];

	diag_note("%s: the program has ended, and a process that it started "
		  "keeps the connection",
	    addr_format(&c->remote, text, sizeof(text)));
}

bool
conn_event_is_probe(const struct conn_summary *s)
{
	return s->reset && !s->reset_by_us && s->received == 0 &&
	       s->undelivered == 0;
}

void
conn_event_probe(const struct conn *c)
{
	char text[ADDR_TEXT];

	diag_note("%s: the connection was reset before anything was received "
		  "(a probe, it seems)",
	    addr_format(&c->remote, text, sizeof(text)));
}

/* Begins an event with both addresses. */
static void
begin(enum event_id id, const struct conn *c)
{
	unsigned outer;

	/* Ignoring it once is enough, and a write is a page of a child. */
	if (!diag_is_json() && event_is_ignored(&ev))
		return;
	outer = diag_connection(0);
	(void)diag_connection(c->number != 0 ? c->number : outer);
	diag_event_begin(&ev, id);
	(void)diag_connection(outer);
	addr_event(&c->local, &ev, "local");
	addr_event(&c->remote, &ev, "remote");
}

void
conn_event_connected(const struct conn *c, bool is_stream)
{
	int64_t ns = clock_now() - c->start_ns;
	/* An unconnected socket has no port before it first sends. */
	bool is_known = addr_is_unix(&c->local) || addr_port(&c->local) != 0;
	char from[ADDR_TEXT], to[ADDR_TEXT], duration[32];

	if (!diag_emits(DIAG_NOTE))
		return;
	begin(EVENT_CONNECTED, c);
	event_seconds(&ev, "seconds", (double)ns / 1e9);
	num_format_duration(duration, sizeof(duration), ns);
	diag_event_end(&ev, DIAG_NOTE, "%s to %s%s%s%s%s",
	    is_stream ? "connected" : "sending",
	    addr_format(&c->remote, to, sizeof(to)), is_known ? " from " : "",
	    is_known ? addr_format(&c->local, from, sizeof(from)) : "",
	    is_stream ? " in " : "", is_stream ? duration : "");
}

void
conn_event_message(int level, enum event_id id, const struct conn *c,
    const struct conn_message *m)
{
	char remote[ADDR_TEXT], shown[SHOWN];

	if (!diag_emits(level))
		return;
	begin(id, c);
	event_number(&ev, "bytes", m->sent);
	if (m->is_truncated)
		event_bool(&ev, "cut", true);
	event_bytes(&ev, "text", m->bytes, m->length);
	diag_event_end(&ev, level, "%s says: %s%s",
	    addr_format(&c->remote, remote, sizeof(remote)),
	    text_escape(shown, sizeof(shown), m->bytes, m->length),
	    m->is_truncated ? " (its end was cut off)" : "");
}

void
conn_event_accepted(int level, const struct conn *c)
{
	char to[ADDR_TEXT], from[ADDR_TEXT];

	if (!diag_emits(level))
		return;
	begin(EVENT_ACCEPTED, c);
	diag_event_end(&ev, level, "accepted %s on %s",
	    addr_format(&c->remote, from, sizeof(from)),
	    addr_format(&c->local, to, sizeof(to)));
}

void
conn_event_denied(int level, const struct conn *c, const char *why)
{
	char from[ADDR_TEXT];

	if (!diag_emits(level))
		return;
	begin(EVENT_DENIED, c);
	event_text(&ev, "reason", why);
	diag_event_end(&ev, level, "%s: rejected (%s)",
	    addr_format(&c->remote, from, sizeof(from)), why);
}

static void
closed_members(const struct conn_summary *s, int64_t ns)
{
	static const char *const names[] = {"nobody", "us", "peer", "both"};

	if (!s->bytes_unknown) {
		event_number(&ev, "sent", s->sent);
		event_number(&ev, "received", s->received);
	}
	event_seconds(&ev, "seconds", (double)ns / 1e9);
	event_text(&ev, "first", names[s->first]);
	event_text(&ev, "how", s->reset ? "reset" : "fin");
	if (s->reset)
		event_text(&ev, "by", s->reset_by_us ? "us" : "peer");
}

/* Writes "sent 5 bytes, received 7, "; empty if the counts are unknown. */
static const char *
format_bytes(char *text, size_t size, const struct conn_summary *s)
{
	char sent[32];

	text[0] = '\0';
	if (!s->bytes_unknown)
		snprintf(text, size, "sent %s, received %llu, ",
		    num_format_count(sent, sizeof(sent), s->sent, "byte"),
		    (unsigned long long)s->received);
	return text;
}

/* "127.0.0.1 port 80 from 127.0.0.1 port 40710". Returns buf. */
static const char *
format_ends(char *buf, size_t size, const struct conn *c)
{
	char from[ADDR_TEXT], to[ADDR_TEXT];

	if (addr_is_unnamed(&c->remote) && addr_is_unnamed(&c->local))
		snprintf(buf, size, "the socket pair");
	else
		snprintf(buf, size, "%s from %s",
		    addr_format(&c->remote, to, sizeof(to)),
		    addr_format(&c->local, from, sizeof(from)));
	return buf;
}

void
conn_event_closed(
    int level, const struct conn *c, const struct conn_summary *s, int status)
{
	static const char *const words[] = {"neither side finished",
	    "this side finished first", "the peer finished first",
	    "both sides finished at the same time"};
	const char *reset =
	    s->reset_by_us ? ", reset by this side" : ", reset by the peer";
	char ends[2 * ADDR_TEXT + 8], duration[32], bytes[96], ended[32] = "";
	int64_t ns;

	if (!diag_emits(level))
		return;
	ns = clock_now() - c->start_ns;
	begin(EVENT_CLOSED, c);
	closed_members(s, ns);
	event_number(&ev, "status", (unsigned)status);
	if (status != 0)
		snprintf(ended, sizeof(ended), ", status %d", status);
	diag_event_end(&ev, level, "closed %s: %sin %s; %s%s%s",
	    format_ends(ends, sizeof(ends), c),
	    format_bytes(bytes, sizeof(bytes), s),
	    num_format_duration(duration, sizeof(duration), ns),
	    words[s->first], s->reset ? reset : "", ended);
}
