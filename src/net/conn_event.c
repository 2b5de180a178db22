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
conn_event_of_socket(int fd, struct conn_event *s)
{
	struct os_tcp tcp;

	memset(s, 0, sizeof(*s));
	s->bytes_unknown = !os_tcp_info(fd, &tcp);
	if (s->bytes_unknown)
		return;
	s->sent = tcp.sent;
	s->received = tcp.received;
	s->reset = tcp.is_closed;
	s->first = tcp.peer_finished || tcp.is_closed ? CONN_FIRST_PEER
						      : CONN_FIRST_US;
}

bool
conn_event_is_probe(const struct conn_event *s)
{
	return s->reset && s->received == 0 && s->undelivered == 0;
}

/* Apart for its frame: see below. */
__attribute__((noinline)) void
conn_event_probe(const struct addr *remote)
{
	char text[ADDR_TEXT];

	diag_note("%s: the connection was reset before anything was received "
		  "(a probe, it seems)",
	    addr_format(remote, text, sizeof(text)));
}

static void
put_event(struct json *j, const struct addr *local, const struct addr *remote,
    const struct conn_event *s, int64_t ns, int status)
{
	static const char *const names[] = {"nobody", "us", "peer"};

	diag_event_begin(j, "closed");
	addr_json(local, j, "local");
	addr_json(remote, j, "remote");
	if (!s->bytes_unknown) {
		json_number(j, "sent", (int64_t)s->sent);
		json_number(j, "received", (int64_t)s->received);
	}
	json_seconds(j, "seconds", (double)ns / 1e9);
	json_text(j, "first", names[s->first]);
	json_text(j, "how", s->reset ? "reset" : "fin");
	json_number(j, "status", status);
}

/*
 * Texts and events are put together apart from the functions that others
 * call: where nothing is told, their large frames would put the caller's
 * stack pages further down, each a page to be copied in a child.
 */
__attribute__((noinline)) static void
put_closed(int level, const struct addr *local, const struct addr *remote,
    const struct conn_event *s, int64_t ns, int status)
{
	static const char *const words[] = {
	    "nobody finished", "we finished first", "the peer finished first"};
	char from[ADDR_TEXT], to[ADDR_TEXT], took[32], bytes[96] = "",
						       ended[32] = "";
	struct json j;

	put_event(&j, local, remote, s, ns, status);
	if (!s->bytes_unknown)
		snprintf(bytes, sizeof(bytes),
		    "sent %llu bytes, received %llu, ",
		    (unsigned long long)s->sent,
		    (unsigned long long)s->received);
	if (status != 0)
		snprintf(ended, sizeof(ended), ", status %d", status);
	diag_event_end(&j, level, "closed %s from %s: %sin %s; %s%s%s",
	    addr_format(remote, to, sizeof(to)),
	    addr_format(local, from, sizeof(from)), bytes,
	    num_format_duration(took, sizeof(took), ns), words[s->first],
	    s->reset ? ", by reset" : "", ended);
}

void
conn_event_closed(int level, const struct addr *local,
    const struct addr *remote, const struct conn_event *s, int64_t start_ns,
    int status)
{
	if (diag_tells(level))
		put_closed(
		    level, local, remote, s, clock_now() - start_ns, status);
}

__attribute__((noinline)) static void
put_accepted(int level, const struct addr *local, const struct addr *remote)
{
	char to[ADDR_TEXT], from[ADDR_TEXT];
	struct json j;

	diag_event_begin(&j, "accepted");
	addr_json(local, &j, "local");
	addr_json(remote, &j, "remote");
	diag_event_end(&j, level, "accepted %s on %s",
	    addr_format(remote, from, sizeof(from)),
	    addr_format(local, to, sizeof(to)));
}

void
conn_event_accepted(
    int level, const struct addr *local, const struct addr *remote)
{
	if (diag_tells(level))
		put_accepted(level, local, remote);
}

__attribute__((noinline)) static void
put_refused(int level, const struct addr *local, const struct addr *remote,
    const char *why)
{
	char from[ADDR_TEXT];
	struct json j;

	diag_event_begin(&j, "turned-away");
	addr_json(local, &j, "local");
	addr_json(remote, &j, "remote");
	json_text(&j, "reason", why);
	diag_event_end(&j, level, "%s: turned away (%s)",
	    addr_format(remote, from, sizeof(from)), why);
}

void
conn_event_denied(int level, const struct addr *local,
    const struct addr *remote, const char *why)
{
	if (diag_tells(level))
		put_refused(level, local, remote, why);
}
