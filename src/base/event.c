/* The table of JSON events, and events built according to it. */
#include "base/event.h"

#include <assert.h>
#include <string.h>

/* The type of a member's value. */
enum type { TEXT, NUMBER, SECONDS, BOOL, ADDRESS, LIST, OBJECT };

/* Texts are arrays: a table of pointers would be relocated at every start. */
struct kind {
	char name[12];
	char commands[40]; /* the commands that print it */
	char meaning[52];
};

struct member {
	unsigned char event; /* enum event_id */
	unsigned char type;  /* enum type */
	bool is_optional;
	char name[11];
	char meaning[56];
};

static const struct kind kinds[EVENT_COUNT] = {
    [EVENT_RESOLVED] = {"resolved", "every command", "a name has addresses"},
    [EVENT_LISTENING] = {"listening", "listen, serve-hello, udp-serve",
	"a server is ready on an address"},
    [EVENT_CONNECTED] = {"connected", "connect, listen, http-get, udp-send",
	"a connection is open, or datagrams can be sent"},
    [EVENT_PROXIED] = {"proxied", "connect, http-get, listen",
	"a proxy has connected to the target"},
    [EVENT_SECURED] = {"secured", "connect, listen, http-get",
	"a connection is protected by TLS"},
    [EVENT_ACCEPTED] = {"accepted", "listen, serve-hello",
	"a server has accepted a connection"},
    [EVENT_DENIED] = {"denied", "listen, serve-hello",
	"a server has closed a connection without serving it"},
    [EVENT_DATA] = {"data", "connect, listen, udp-send, udp-serve",
	"bytes were sent or received, with -x"},
    [EVENT_MESSAGE] = {"message", "serve-hello, udp-serve",
	"a server has received a message"},
    [EVENT_REQUEST] = {"request", "serve-hello",
	"a server has received an HTTP request"},
    [EVENT_IGNORED] = {"ignored", "udp-serve",
	"a datagram was received and not answered"},
    [EVENT_LOST] = {"lost", "udp-serve",
	"datagrams were dropped: the receive buffer was full"},
    [EVENT_REPLY] = {"reply", "udp-send", "a datagram was answered"},
    [EVENT_TESTED] = {"tested", "connect",
	"an endpoint was tested: one of several, or --count"},
    [EVENT_RESPONSE] = {"response", "http-get",
	"an HTTP response was received"},
    [EVENT_PORT] = {"port", "portscan", "the state of a port is known"},
    [EVENT_CLOSED] = {"closed", "connect, http-get, listen, serve-hello",
	"a connection is closed"},
    [EVENT_STEP] = {"step", "every command", "a socket call, with -vv"},
    [EVENT_ERROR] = {"error", "every command", "something failed"},
    [EVENT_TEST_SUMMARY] = {"summary", "connect", "what was counted"},
    [EVENT_SEND_SUMMARY] = {"summary", "udp-send", "what was counted"},
    [EVENT_SERVE_SUMMARY] = {"summary", "udp-serve", "what was counted"},
    [EVENT_SCAN_SUMMARY] = {"summary", "portscan", "what was counted"},
};

/*
 * Sorted by event, then in the order in which they are printed. The last row is
 * a sentinel.
 */
static const struct member members[] = {
    {EVENT_RESOLVED, TEXT, false, "name", "the name that was looked up"},
    {EVENT_RESOLVED, LIST, false, "addresses",
	"its addresses as text, in the order of use"},

    {EVENT_LISTENING, ADDRESS, false, "local", "the address and port"},
    {EVENT_LISTENING, TEXT, true, "protocol",
	"tcp or udp; not of a Unix socket"},

    {EVENT_CONNECTED, ADDRESS, false, "local", "the local address"},
    {EVENT_CONNECTED, ADDRESS, false, "remote", "the peer, or the proxy"},
    {EVENT_CONNECTED, SECONDS, false, "seconds",
	"since the start of the lookup"},

    {EVENT_PROXIED, TEXT, false, "host", "the target's name or address"},
    {EVENT_PROXIED, NUMBER, false, "port", "the target's port"},
    {EVENT_PROXIED, SECONDS, false, "seconds",
	"duration of the handshake with it"},

    {EVENT_SECURED, TEXT, false, "protocol", "the version: TLSv1.3"},
    {EVENT_SECURED, TEXT, false, "cipher", "the cipher suite"},
    {EVENT_SECURED, TEXT, false, "subject", "name in the peer's certificate"},
    {EVENT_SECURED, BOOL, false, "verified", "false with --tls-insecure"},
    {EVENT_SECURED, SECONDS, false, "seconds", "duration of the handshake"},

    {EVENT_ACCEPTED, ADDRESS, false, "local", "the address connected to"},
    {EVENT_ACCEPTED, ADDRESS, false, "remote", "the client"},

    {EVENT_DENIED, ADDRESS, false, "local", "the address connected to"},
    {EVENT_DENIED, ADDRESS, false, "remote", "the client"},
    {EVENT_DENIED, TEXT, false, "reason", "the options that forbid it"},

    {EVENT_DATA, ADDRESS, true, "remote", "the peer of a datagram"},
    {EVENT_DATA, TEXT, false, "direction", "sent or received"},
    {EVENT_DATA, NUMBER, false, "offset",
	"bytes before it in that direction or datagram"},
    {EVENT_DATA, NUMBER, false, "bytes", "its length"},
    {EVENT_DATA, TEXT, false, "hex", "its bytes in hexadecimal"},
    {EVENT_DATA, TEXT, false, "text", "its bytes"},

    {EVENT_MESSAGE, ADDRESS, false, "local", "the address it was sent to"},
    {EVENT_MESSAGE, ADDRESS, false, "remote", "the sender"},
    {EVENT_MESSAGE, NUMBER, false, "bytes", "its length"},
    {EVENT_MESSAGE, BOOL, true, "cut", "its end was lost: text is shorter"},
    {EVENT_MESSAGE, TEXT, false, "text", "its bytes"},

    {EVENT_REQUEST, ADDRESS, false, "local", "the address it was sent to"},
    {EVENT_REQUEST, ADDRESS, false, "remote", "the client"},
    {EVENT_REQUEST, NUMBER, false, "bytes", "the length of text"},
    {EVENT_REQUEST, TEXT, false, "text", "its first line; its head with -v"},

    {EVENT_IGNORED, ADDRESS, false, "local", "the address it was sent to"},
    {EVENT_IGNORED, ADDRESS, false, "remote", "the sender"},
    {EVENT_IGNORED, TEXT, false, "reason", "why it was not answered"},

    {EVENT_LOST, NUMBER, false, "count", "datagrams since the last such event"},

    {EVENT_REPLY, ADDRESS, false, "remote", "the sender of the reply"},
    {EVENT_REPLY, NUMBER, false, "bytes", "its length"},
    {EVENT_REPLY, SECONDS, true, "seconds", "the round trip, where known"},
    {EVENT_REPLY, TEXT, true, "kind", "late or duplicate, if it was"},
    {EVENT_REPLY, TEXT, false, "text", "its bytes"},

    {EVENT_TESTED, TEXT, false, "endpoint", "as the messages show it"},
    {EVENT_TESTED, NUMBER, false, "status",
	"0, or the exit status of the failure"},
    {EVENT_TESTED, SECONDS, true, "seconds", "the round trip of connecting"},
    {EVENT_TESTED, TEXT, true, "reason", "why it could not be connected to"},

    {EVENT_RESPONSE, TEXT, false, "url", "as it was requested"},
    {EVENT_RESPONSE, NUMBER, false, "status", "the HTTP status code"},
    {EVENT_RESPONSE, NUMBER, false, "bytes", "of the body"},
    {EVENT_RESPONSE, OBJECT, false, "phases",
	"seconds: resolve, connect, tls, sent, first_byte, total"},
    {EVENT_RESPONSE, NUMBER, false, "rate", "bytes of the body per second"},
    {EVENT_RESPONSE, BOOL, false, "reused", "the connection was open before"},

    {EVENT_PORT, TEXT, false, "host", "the name or address it was scanned as"},
    {EVENT_PORT, TEXT, false, "ip", "its address"},
    {EVENT_PORT, NUMBER, false, "port", "the port's number"},
    {EVENT_PORT, TEXT, false, "protocol", "tcp or udp"},
    {EVENT_PORT, TEXT, false, "state", "open, closed, filtered, ..."},
    {EVENT_PORT, TEXT, false, "reason", "how that is known"},
    {EVENT_PORT, TEXT, true, "service", "the name of the port"},
    {EVENT_PORT, TEXT, true, "banner", "what the service sent first"},
    {EVENT_PORT, SECONDS, false, "seconds", "from the probe to its result"},

    {EVENT_CLOSED, ADDRESS, false, "local", "the local address"},
    {EVENT_CLOSED, ADDRESS, false, "remote", "the peer"},
    {EVENT_CLOSED, NUMBER, true, "sent", "bytes, where known"},
    {EVENT_CLOSED, NUMBER, true, "received", "bytes, where known"},
    {EVENT_CLOSED, SECONDS, false, "seconds", "how long it was open"},
    {EVENT_CLOSED, TEXT, false, "first",
	"who finished first: us, peer, both, nobody"},
    {EVENT_CLOSED, TEXT, false, "how", "fin or reset"},
    {EVENT_CLOSED, TEXT, true, "by", "who reset it: us, peer"},
    {EVENT_CLOSED, NUMBER, false, "status", "its exit status"},

    {EVENT_STEP, TEXT, false, "call", "the name of the call"},
    {EVENT_STEP, TEXT, false, "subject", "what it was called for"},
    {EVENT_STEP, TEXT, false, "result", "ok, what was moved, or the error"},
    {EVENT_STEP, NUMBER, true, "count", "equal steps that were counted"},
    {EVENT_STEP, NUMBER, true, "bytes", "sent or received"},
    {EVENT_STEP, SECONDS, false, "seconds", "its duration"},
    {EVENT_STEP, TEXT, false, "note",
	"what it is for, or what the error means"},
    {EVENT_STEP, TEXT, true, "endpoint",
	"of several that are tested at the same time"},

    {EVENT_ERROR, NUMBER, false, "status", "the exit status it stands for"},
    {EVENT_ERROR, TEXT, false, "kind", "the name of that status"},
    {EVENT_ERROR, TEXT, false, "text", "what was tried and what happened"},

    {EVENT_TEST_SUMMARY, TEXT, false, "endpoint", "as the messages show it"},
    {EVENT_TEST_SUMMARY, NUMBER, false, "attempts", "how often it was tested"},
    {EVENT_TEST_SUMMARY, NUMBER, false, "connected", "attempts that succeeded"},
    {EVENT_TEST_SUMMARY, NUMBER, false, "lost", "attempts that failed"},
    {EVENT_TEST_SUMMARY, SECONDS, true, "min", "the shortest round trip"},
    {EVENT_TEST_SUMMARY, SECONDS, true, "avg", "the mean round trip"},
    {EVENT_TEST_SUMMARY, SECONDS, true, "max", "the longest round trip"},
    {EVENT_TEST_SUMMARY, SECONDS, true, "mdev", "their standard deviation"},
    {EVENT_TEST_SUMMARY, SECONDS, false, "seconds", "duration of the run"},

    {EVENT_SEND_SUMMARY, ADDRESS, false, "remote", "the peer"},
    {EVENT_SEND_SUMMARY, NUMBER, false, "sent", "datagrams"},
    {EVENT_SEND_SUMMARY, NUMBER, false, "received", "replies"},
    {EVENT_SEND_SUMMARY, NUMBER, true, "lost", "datagrams without a reply"},
    {EVENT_SEND_SUMMARY, NUMBER, true, "duplicates", "replies received twice"},
    {EVENT_SEND_SUMMARY, NUMBER, true, "late", "replies after the time limit"},
    {EVENT_SEND_SUMMARY, NUMBER, true, "dropped",
	"replies that the receive buffer could not hold"},
    {EVENT_SEND_SUMMARY, SECONDS, true, "min", "the shortest round trip"},
    {EVENT_SEND_SUMMARY, SECONDS, true, "avg", "the mean round trip"},
    {EVENT_SEND_SUMMARY, SECONDS, true, "max", "the longest round trip"},
    {EVENT_SEND_SUMMARY, SECONDS, true, "mdev", "their standard deviation"},
    {EVENT_SEND_SUMMARY, SECONDS, false, "seconds", "duration of the run"},

    {EVENT_SERVE_SUMMARY, NUMBER, false, "received", "datagrams"},
    {EVENT_SERVE_SUMMARY, NUMBER, false, "answered", "datagrams"},
    {EVENT_SERVE_SUMMARY, NUMBER, false, "ignored", "datagrams"},
    {EVENT_SERVE_SUMMARY, NUMBER, true, "lost",
	"datagrams that the receive buffer could not hold"},

    {EVENT_SCAN_SUMMARY, NUMBER, false, "hosts", "hosts to scan"},
    {EVENT_SCAN_SUMMARY, NUMBER, false, "asked", "ports to scan on all hosts"},
    {EVENT_SCAN_SUMMARY, NUMBER, false, "open", "open ports"},
    {EVENT_SCAN_SUMMARY, OBJECT, false, "reasons", "ports for each reason"},
    {EVENT_SCAN_SUMMARY, NUMBER, false, "probes", "probes sent"},
    {EVENT_SCAN_SUMMARY, BOOL, false, "partial",
	"the scan ended before every port was known"},
    {EVENT_SCAN_SUMMARY, SECONDS, false, "seconds", "duration of the scan"},

    {.event = EVENT_COUNT},
};

void
event_begin(struct event *ev, enum event_id id, double seconds)
{
	ev->id = id;
	ev->next = 0;
	while (members[ev->next].event != id)
		ev->next++;
	json_begin(&ev->json);
	json_text(&ev->json, "event", kinds[id].name);
	json_seconds(&ev->json, "time", seconds);
}

void
event_connection(struct event *ev, unsigned number)
{
	assert(number != 0);
	json_number(&ev->json, "connection", number);
}

void
event_begin_ignored(struct event *ev)
{
	json_begin(&ev->json);
	json_ignore(&ev->json);
}

bool
event_is_ignored(const struct event *ev)
{
	return json_is_ignored(&ev->json);
}

/*
 * The member's row, which must follow the previous member's; rows skipped in
 * between are optional. NULL if the event is ignored.
 */
static const struct member *
find(struct event *ev, const char *name)
{
	const struct member *m;

	if (event_is_ignored(ev))
		return NULL;
	for (m = &members[ev->next]; strcmp(m->name, name) != 0; m++)
		assert(m->event == ev->id && m->is_optional);
	assert(m->event == ev->id);
	ev->next = (size_t)(m - members) + 1;
	return m;
}

static bool
accepts(struct event *ev, const char *name, enum type type)
{
	const struct member *m = find(ev, name);

	assert(m == NULL || m->type == type);
	return m != NULL;
}

void
event_text(struct event *ev, const char *name, const char *text)
{
	if (accepts(ev, name, TEXT))
		json_text(&ev->json, name, text);
}

void
event_bytes(struct event *ev, const char *name, const void *bytes, size_t n)
{
	if (accepts(ev, name, TEXT))
		json_bytes(&ev->json, name, bytes, n);
}

void
event_number(struct event *ev, const char *name, uint64_t n)
{
	if (accepts(ev, name, NUMBER))
		json_number(&ev->json, name, (int64_t)n);
}

void
event_seconds(struct event *ev, const char *name, double seconds)
{
	if (accepts(ev, name, SECONDS))
		json_seconds(&ev->json, name, seconds);
}

void
event_bool(struct event *ev, const char *name, bool value)
{
	if (accepts(ev, name, BOOL))
		json_bool(&ev->json, name, value);
}

struct json *
event_nested(struct event *ev, const char *name)
{
	const struct member *m = find(ev, name);

	assert(m == NULL || m->type >= ADDRESS);
	if (m != NULL && m->type == LIST)
		json_array(&ev->json, name);
	else
		json_object(&ev->json, name);
	return &ev->json;
}

const char *
event_end(struct event *ev)
{
	for (; members[ev->next].event == ev->id; ev->next++)
		assert(members[ev->next].is_optional);
	return json_end(&ev->json);
}

void
event_print_table(FILE *out)
{
	static const char *const types[] = {
	    "text", "number", "seconds", "bool", "address", "list", "object"};
	const struct member *m = members;
	char name[sizeof(m->name) + 2];
	int id;

	fprintf(out, "Every event has \"event\", its name, and \"time\", in "
		     "seconds since "
		     "the start.\nThose about a connection that a server "
		     "accepted have \"connection\", its\nnumber.  Members "
		     "in brackets are optional.\n");
	for (id = 0; id < EVENT_COUNT; id++) {
		fprintf(out, "\n%s: %s\n  by %s\n", kinds[id].name,
		    kinds[id].meaning, kinds[id].commands);
		for (; m->event == id; m++) {
			snprintf(name, sizeof(name),
			    m->is_optional ? "[%s]" : "%s", m->name);
			fprintf(out, "  %-12s %-8s %s\n", name, types[m->type],
			    m->meaning);
		}
	}
}
