/* Reports when a connection opens and closes. */
#include "net/conn_event.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/num.h"
#include "net/addr.h"
#include "net/os.h"

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
	if (tcp.peer_finished || tcp.is_closed)
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
	return s->reset && s->received == 0 && s->undelivered == 0;
}

void
conn_event_probe(const struct conn *c)
{
	char text[ADDR_TEXT];

	diag_note("%s: the connection was reset before anything was received "
		  "(a probe, it seems)",
	    addr_format(&c->remote, text, sizeof(text)));
}

/* The events are static: see net/spawn.h. */
static void
begin(struct json *j, const char *event, const struct conn *c)
{
	diag_event_begin(j, event);
	addr_json(&c->local, j, "local");
	addr_json(&c->remote, j, "remote");
}

void
conn_event_accepted(int level, const struct conn *c)
{
	char to[ADDR_TEXT], from[ADDR_TEXT];
	static struct json j;

	if (!diag_tells(level))
		return;
	begin(&j, "accepted", c);
	diag_event_end(&j, level, "accepted %s on %s",
	    addr_format(&c->remote, from, sizeof(from)),
	    addr_format(&c->local, to, sizeof(to)));
}

void
conn_event_denied(int level, const struct conn *c, const char *why)
{
	char from[ADDR_TEXT];
	static struct json j;

	if (!diag_tells(level))
		return;
	begin(&j, "turned-away", c);
	json_text(&j, "reason", why);
	diag_event_end(&j, level, "%s: turned away (%s)",
	    addr_format(&c->remote, from, sizeof(from)), why);
}

static void
closed_members(struct json *j, const struct conn_summary *s, int64_t ns)
{
	static const char *const names[] = {"nobody", "us", "peer"};

	if (!s->bytes_unknown) {
		json_number(j, "sent", (int64_t)s->sent);
		json_number(j, "received", (int64_t)s->received);
	}
	json_seconds(j, "seconds", (double)ns / 1e9);
	json_text(j, "first", names[s->first]);
	json_text(j, "how", s->reset ? "reset" : "fin");
}

/* "sent 5 bytes, received 7, "; empty where that is not known. */
static const char *
format_bytes(char *text, size_t size, const struct conn_summary *s)
{
	text[0] = '\0';
	if (!s->bytes_unknown)
		snprintf(text, size, "sent %llu bytes, received %llu, ",
		    (unsigned long long)s->sent,
		    (unsigned long long)s->received);
	return text;
}

void
conn_event_closed(
    int level, const struct conn *c, const struct conn_summary *s, int status)
{
	static const char *const words[] = {
	    "nobody finished", "we finished first", "the peer finished first"};
	char from[ADDR_TEXT], to[ADDR_TEXT], took[32], bytes[96],
	    ended[32] = "";
	static struct json j;
	int64_t ns;

	if (!diag_tells(level))
		return;
	ns = clock_now() - c->start_ns;
	begin(&j, "closed", c);
	closed_members(&j, s, ns);
	json_number(&j, "status", status);
	if (status != 0)
		snprintf(ended, sizeof(ended), ", status %d", status);
	diag_event_end(&j, level, "closed %s from %s: %sin %s; %s%s%s",
	    addr_format(&c->remote, to, sizeof(to)),
	    addr_format(&c->local, from, sizeof(from)),
	    format_bytes(bytes, sizeof(bytes), s),
	    num_format_duration(took, sizeof(took), ns), words[s->first],
	    s->reset ? ", by reset" : "", ended);
}
