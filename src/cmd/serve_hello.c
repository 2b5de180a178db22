/*
 * serve-hello: the server of the tutorials. Socket, bind, listen, accept; each
 * client gets a process of its own, which greets, answers every message and
 * says goodbye. With --http it answers one request instead.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/format.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/common.h"
#include "cmd/table.h"
#include "net/access.h"
#include "net/endpoint.h"
#include "net/hello.h"
#include "net/listener.h"
#include "net/responder.h"
#include "net/server.h"
#include "net/session.h"
#include "net/wait.h"

#define HELLO_PORT 9999
#define HTTP_PORT 8080
/* A request's head has to come within this, unless --idle-timeout says. */
#define HEAD_MS 10000
/* How much of a message or a request is shown. */
#define SHOWN 512

struct hello_options {
	struct report_options report;
	struct family_options family;
	struct time_options time;
	struct sock_options sock;
	struct access_options access;
	struct common_server_options server;
	const char *greeting;
	const char *reply; /* NULL: by the protocol */
	const char *quit_word;
	int64_t messages; /* answered to one client; 0: any number */
	int64_t delay_ms; /* before each answer */
	int http;
};

static const struct hello_options hello_defaults = {
    .time = TIME_OPTIONS_INIT,
    .sock = SOCK_OPTIONS_INIT,
    .server = COMMON_SERVER_INIT,
    .greeting = "Welcome!",
    .quit_word = "exit",
};

static const struct opt hello_opts[] = {
    {.kind = OPT_STRING,
	.name = "greeting",
	.arg = "TEXT",
	.help = "say this first (Welcome!); escapes like \\n are understood",
	.offset = offsetof(struct hello_options, greeting),
	.excludes = "http"},
    {.kind = OPT_STRING,
	.name = "reply",
	.arg = "FORMAT",
	.help = "answer this (Hello, %s!): %s message, %n its number, %a "
		"address, %p port, %% percent",
	.offset = offsetof(struct hello_options, reply)},
    {.kind = OPT_STRING,
	.name = "quit-word",
	.arg = "WORD",
	.help = "the message that ends it (exit)",
	.offset = offsetof(struct hello_options, quit_word),
	.excludes = "http"},
    {.kind = OPT_NUMBER,
	.name = "messages",
	.arg = "N",
	.help = "close after so many answers to one client",
	.offset = offsetof(struct hello_options, messages),
	.min = 1,
	.excludes = "http"},
    {.kind = OPT_DURATION,
	.name = "delay",
	.arg = "T",
	.help = "wait so long before each answer",
	.offset = offsetof(struct hello_options, delay_ms)},
    {.kind = OPT_FLAG,
	.name = "http",
	.help = "answer HTTP requests (on port 8080)",
	.offset = offsetof(struct hello_options, http),
	.value = 1},
    {.kind = OPT_END}};

static const struct opt_group hello_groups[] = {{"talking", hello_opts, 0},
    {"serving", common_server_opts, offsetof(struct hello_options, server)},
    {"serving", common_access_opts, offsetof(struct hello_options, access)},
    {"addresses", common_family_opts, offsetof(struct hello_options, family)},
    {"time", common_idle_opts, offsetof(struct hello_options, time)},
    {"time", common_max_opts, offsetof(struct hello_options, time)},
    {"socket", common_socket_opts, offsetof(struct hello_options, sock)},
    {"report", common_report_opts, offsetof(struct hello_options, report)},
    {NULL, NULL, 0}};

/* What every client's process starts from. */
struct hello_server {
	const struct hello_options *o;
	struct format reply;
	unsigned char *greeting; /* owned */
	size_t greeting_length;
};

/* One client. */
struct client {
	const struct hello_server *server;
	const struct server_conn *conn;
	struct session s;
	uint64_t answered;
};

/* Tells what a client has said: the event that every message is. */
static void
tell_message(const struct client *c, const char *event, const void *bytes,
    size_t n, int level)
{
	char remote[ADDR_TEXT], shown[SHOWN];
	struct json j;

	if (!diag_tells(level))
		return;
	diag_event_begin(&j, event);
	addr_json(&c->conn->remote, &j, "remote");
	json_number(&j, "bytes", (int64_t)n);
	json_bytes(&j, "text", bytes, n);
	diag_event_end(&j, level, "%s says: %s",
	    addr_format(&c->conn->remote, remote, sizeof(remote)),
	    text_escape(shown, sizeof(shown), bytes, n));
}

/* Fills in the reply for a message; its length in answer, or -1. */
static ssize_t
make_answer(const struct client *c, const void *message, size_t n,
    unsigned char *answer, size_t size)
{
	char ip[ADDR_TEXT] = "";
	struct format_values v = {.message = message,
	    .length = n,
	    .ip = ip,
	    .port = addr_port(&c->conn->remote),
	    .number = c->answered + 1};

	if (c->server->reply.uses_ip)
		addr_format_ip(&c->conn->remote, ip, sizeof(ip));
	return format_fill(&c->server->reply, &v, answer, size);
}

/* Waits before an answer, where that is asked for. */
static void
delay(const struct client *c)
{
	if (c->server->o->delay_ms > 0)
		wait_until(deadline_after(c->server->o->delay_ms));
}

/*
 * Answers one message. 0, 1 when that was the last one, or -1.
 */
static int
answer(struct client *c, const struct hello_message *m)
{
	const struct hello_options *o = c->server->o;
	unsigned char text[4 * HELLO_MOST];
	ssize_t n;

	tell_message(c, "message", m->bytes, m->length, DIAG_SAY);
	if (strlen(o->quit_word) == m->length &&
	    memcmp(m->bytes, o->quit_word, m->length) == 0)
		return 1;
	n = make_answer(
	    c, m->bytes, m->length, text, sizeof(text) - strlen(m->newline));
	if (n < 0)
		return err_set(&c->s.e, ERR_FAILED,
		    "the answer by --reply is longer than %zu bytes",
		    sizeof(text));
	memcpy(text + n, m->newline, strlen(m->newline));
	delay(c);
	if (session_send(&c->s, text, (size_t)n + strlen(m->newline)) < 0)
		return -1;
	c->answered++;
	return o->messages > 0 && c->answered >= (uint64_t)o->messages;
}

/* A message beyond all measure: says so, and leaves. */
static int
refuse_long(struct client *c)
{
	char text[80];
	int n = snprintf(text, sizeof(text),
	    "error: a message may have %d bytes at most\n", HELLO_MOST);

	if (session_send(&c->s, text, (size_t)n) < 0)
		return -1;
	return err_set(&c->s.e, ERR_PROTOCOL,
	    "a message is longer than %d bytes", HELLO_MOST);
}

/*
 * Gets the next message. 1; 0 at the end of the client's input; or -1.
 */
static int
next_message(struct client *c, struct hello *h, struct hello_message *m)
{
	unsigned char *space;
	size_t room;
	ssize_t n;
	int ready;

	for (;;) {
		if (hello_is_too_long(h))
			return refuse_long(c);
		if (hello_take_line(h, m))
			return 1;
		ready = session_wait(
		    &c->s, POLLIN, deadline_after(hello_patience_ms(h)));
		if (ready < 0)
			return -1;
		if (ready == 0)
			return hello_take_rest(h, m);
		space = buf_space(&h->queue, &room);
		n = session_receive(&c->s, space, room);
		if (n < 0)
			return -1;
		if (n == 0)
			return hello_take_rest(h, m);
		buf_added(&h->queue, (size_t)n);
	}
}

/* Greets, and answers until somebody has had enough. */
static int
serve_messages(struct client *c)
{
	const struct hello_server *server = c->server;
	struct hello_message m;
	struct hello h;
	int result;

	hello_init(&h);
	if (session_send(&c->s, server->greeting, server->greeting_length) < 0)
		return -1;
	while ((result = next_message(c, &h, &m)) > 0) {
		result = answer(c, &m);
		if (result != 0)
			break;
	}
	return result < 0 ? -1 : 0;
}

/* Reads a request's head: its length; 0, and nothing to answer; or -1. */
static ssize_t
read_head(struct client *c, char *head, size_t size, int *code)
{
	size_t used = 0, length;
	ssize_t n;

	*code = 200;
	while ((length = responder_head_length(head, used)) == 0) {
		if (used == size) {
			*code = 431;
			return (ssize_t)used;
		}
		n = session_receive(&c->s, head + used, size - used);
		if (n < 0 && c->s.e.kind == ERR_TIMEOUT && used > 0)
			*code = 408;
		else if (n == 0 && used > 0)
			*code = 400;
		else if (n <= 0)
			return n;
		if (n <= 0)
			return (ssize_t)used;
		used += (size_t)n;
	}
	return (ssize_t)length;
}

/* Sends head and body in one piece. */
static int
respond(struct client *c, const struct responder *r, int code)
{
	unsigned char text[RESPONDER_TEXT + RESPONDER_HEAD * 4];
	unsigned char *body = text + RESPONDER_TEXT, *start;
	const char *phrase = responder_phrase(code);
	char head[RESPONDER_TEXT];
	size_t head_length, n;
	ssize_t made;

	made = code != 200
		   ? snprintf((char *)body, RESPONDER_TEXT, "%s\n", phrase)
		   : make_answer(c, r->target, r->target_length, body,
			 sizeof(text) - RESPONDER_TEXT);
	if (made < 0)
		return err_set(
		    &c->s.e, ERR_FAILED, "the answer by --reply is too long");
	head_length = responder_make_head(head, code, (size_t)made);
	start = body - head_length;
	memcpy(start, head, head_length);
	n = head_length + (r->is_head ? 0 : (size_t)made);
	return session_send(&c->s, start, n);
}

/* Tells who asked for what; the whole head at -v. */
static void
tell_request(const struct client *c, const char *head, size_t n)
{
	size_t line = 0;

	while (line < n && head[line] != '\r' && head[line] != '\n')
		line++;
	if (diag_shows(DIAG_NOTE))
		line = n;
	tell_message(c, "request", head, line, DIAG_SAY);
}

/* One request, one answer. */
static int
serve_request(struct client *c)
{
	char head[RESPONDER_HEAD];
	struct responder r = {0};
	ssize_t n;
	int code;

	n = read_head(c, head, sizeof(head), &code);
	if (n <= 0)
		return (int)n;
	tell_request(c, head, (size_t)n);
	if (code == 200)
		code = responder_parse(&r, head, (size_t)n);
	delay(c);
	if (respond(c, &r, code) < 0)
		return -1;
	if (code == 200)
		return 0;
	return err_set(&c->s.e, ERR_PROTOCOL, "answered %d %s", code,
	    responder_phrase(code));
}

/* A client's whole process. */
static int
serve(int fd, const struct server_conn *conn, void *context)
{
	struct client c = {.server = context, .conn = conn};
	const struct hello_options *o = c.server->o;
	int64_t idle_ms = o->time.idle_ms;
	int result;

	if (o->http && idle_ms < 0)
		idle_ms = HEAD_MS;
	session_start(&c.s, fd, idle_ms, o->time.max_ms);
	result = o->http ? serve_request(&c) : serve_messages(&c);
	return session_end(&c.s, conn, DIAG_SAY, result);
}

/* Opens, announces, and accepts until it is told to stop. */
static int
run_server(struct hello_server *hs, const struct endpoint *ep,
    struct server_options *so, struct err *e)
{
	const struct hello_options *o = hs->o;
	struct listener_options lo = {.family = o->family.family,
	    .numeric = o->family.numeric != 0,
	    .type = SOCK_STREAM,
	    .backlog = o->server.backlog,
	    .sock = o->sock};
	struct listener listener;
	struct server_conn conn;
	struct server server;
	int fd;

	if (listener_open(&listener, ep, &lo, deadline_none(), e) < 0)
		return err_prefix(e, "cannot listen on");
	if (server_start(&server, &listener, so, e) == 0) {
		listener_announce(&listener);
		while ((fd = server_accept(&server, &conn, e)) >= 0)
			server_fork(&server, fd, &conn, serve, hs);
		server_stop(&server);
	}
	listener_close(&listener);
	return e->kind == ERR_NONE ? 0 : -1;
}

/* The texts of the options. 0, or -1 with a usage error. */
static int
prepare(struct hello_server *hs, struct err *e)
{
	const struct hello_options *o = hs->o;
	const char *reply = o->reply;
	ssize_t n;

	if (reply == NULL)
		reply = o->http ? "Hello!" : "Hello, %s!";
	if (format_parse(&hs->reply, reply, e) < 0)
		return err_prefix(e, "--reply");
	hs->greeting = mem_array(strlen(o->greeting) + 1, 1);
	n = text_unescape(hs->greeting, o->greeting);
	if (n < 0)
		return err_set(e, ERR_USAGE, "--greeting: %s", TEXT_BAD_ESCAPE);
	hs->greeting_length = (size_t)n;
	return 0;
}

static int
hello_run(const void *options, const struct command_args *args, struct err *e)
{
	const struct hello_options *o = options;
	struct hello_server hs = {.o = o};
	struct access access = ACCESS_INIT;
	struct server_options so;
	struct endpoint ep;
	int result;

	if (endpoint_parse_local(&ep, args->operands, args->count, "tcp",
		o->http ? HTTP_PORT : HELLO_PORT, e) < 0)
		return -1;
	common_server_setup(&so, &o->server, &access, DIAG_SAY);
	result = prepare(&hs, e);
	if (result == 0)
		result = common_access(&access, &o->access, e);
	if (result == 0)
		result = run_server(&hs, &ep, &so, e);
	access_release(&access);
	format_release(&hs.reply);
	free(hs.greeting);
	return result;
}

const struct command serve_hello_command = {
    .name = "serve-hello",
    .summary = "greet every client and answer its messages",
    .operands = "[ADDR] [PORT]",
    .least = 0,
    .most = 2,
    .groups = hello_groups,
    .defaults = &hello_defaults,
    .size = sizeof(struct hello_options),
    .notes = "Without PORT it is 9999, with --http 8080. Without ADDR only "
	     "this machine can connect;\n'*' means every interface.\n\n"
	     "examples:\n"
	     "  sockt serve-hello\n"
	     "  sockt serve-hello --http 8080\n"
	     "  sockt serve-hello --greeting '' --reply 'test server' "
	     "--messages 1\n",
    .run = hello_run,
};
