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
#include "base/template.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/common.h"
#include "cmd/hello_client.h"
#include "cmd/table.h"
#include "net/access.h"
#include "net/endpoint.h"
#include "serve/message.h"
#include "net/listener.h"
#include "serve/server.h"
#include "serve/session.h"
#include "net/wait.h"

#define HELLO_PORT 9999
#define HTTP_PORT 8080
/* A request's head has to come within this, and its answer to be taken, unless
 * --idle-timeout says. */
#define HEAD_MS 10000
/*
 * Room for the messages and answers that nearly all clients have: every page
 * of its stack that a client's process uses is one to be copied and held.
 */
#define SMALL 512
/* What is returned when that is not enough. */
#define NO_ROOM 2

static const struct hello_options hello_defaults = {
    .time = TIME_OPTIONS_INIT,
    .sock = SOCK_OPTIONS_INIT,
    .server = COMMON_SERVER_INIT,
    .greeting = "Welcome!",
    .quit_word = "exit",
};

static const struct opt hello_opts[] = {
    STRING(0, "greeting", "TEXT", hello_options, greeting,
	"say this first (Welcome!); escapes like \\n are understood",
	.excludes = "http"),
    STRING(0, "reply", "FORMAT", hello_options, reply,
	"answer this (Hello, %s!): %s message, %n its number, %a address, %p "
	"port, %% percent"),
    STRING(0, "quit-word", "WORD", hello_options, quit_word,
	"the message that ends it (exit)", .excludes = "http"),
    NUMBER(0, "messages", "N", hello_options, messages,
	"close after so many answers to one client", .min = 1,
	.excludes = "http"),
    DURATION(0, "delay", "T", hello_options, delay_ms,
	"wait so long before each answer"),
    FLAG(0, "http", hello_options, http, "answer HTTP requests (on port 8080)"),
    {.kind = OPT_END},
};

static const struct opt_group hello_groups[] = {{"talking", hello_opts, 0},
    {"serving", common_server_opts, offsetof(struct hello_options, server)},
    {"serving", common_access_opts, offsetof(struct hello_options, access)},
    {"addresses", common_family_opts, offsetof(struct hello_options, names)},
    {"time", common_idle_opts, offsetof(struct hello_options, time)},
    {"time", common_max_opts, offsetof(struct hello_options, time)},
    {"socket", common_socket_opts, offsetof(struct hello_options, sock)},
    {"report", common_report_opts, offsetof(struct hello_options, report)},
    {NULL, NULL, 0}};

/*
 * Makes the answer in text and sends it. 0, 1 when that was the last one, -1,
 * or NO_ROOM when text does not hold it.
 */
static int
answer_in(
    struct client *c, const struct message *m, unsigned char *text, size_t size)
{
	const struct hello_options *o = c->server->o;
	ssize_t n = hello_client_answer(
	    c, m->bytes, m->length, text, size - m->newline);

	if (n < 0)
		return NO_ROOM;
	memcpy(text + n, m->bytes + m->length, m->newline);
	if (hello_client_delay(c) < 0)
		return -1;
	if (session_send(&c->s, text, (size_t)n + m->newline) < 0)
		return -1;
	c->answered++;
	return o->messages > 0 && c->answered >= (uint64_t)o->messages;
}

/* An answer of any length that is allowed. As answer(). */
__attribute__((noinline)) static int
answer_long(struct client *c, const struct message *m)
{
	unsigned char text[4 * MESSAGE_MAX];
	int result = answer_in(c, m, text, sizeof(text));

	if (result != NO_ROOM)
		return result;
	return err_set(&c->s.e, ERR_FAILED,
	    "the answer by --reply is longer than %zu bytes", sizeof(text));
}

/*
 * Answers one message. 0, 1 when that was the last one, or -1.
 */
static int
answer(struct client *c, const struct message *m)
{
	const struct hello_options *o = c->server->o;
	unsigned char text[SMALL];
	int result;

	hello_client_tell(c, "message", m->bytes, m->length, DIAG_SAY);
	if (c->server->quit_length == m->length &&
	    memcmp(m->bytes, o->quit_word, m->length) == 0)
		return 1;
	result = answer_in(c, m, text, sizeof(text));
	return result == NO_ROOM ? answer_long(c, m) : result;
}

/* A message beyond all measure: says so, and leaves. */
static int
refuse_long(struct client *c)
{
	char text[80];
	int n = snprintf(text, sizeof(text),
	    "error: a message may have %d bytes at most\n", MESSAGE_MAX);

	if (session_send(&c->s, text, (size_t)n) < 0)
		return -1;
	return err_set(&c->s.e, ERR_PROTOCOL,
	    "a message is longer than %d bytes", MESSAGE_MAX);
}

/*
 * Gets the next message. 1; 0 at the end of the client's input; -1; or NO_ROOM
 * when its storage has to be larger.
 */
static int
next_message(struct client *c, struct message_reader *h, struct message *m)
{
	unsigned char *space;
	size_t room;
	ssize_t n;
	int ready, patience;

	for (;;) {
		if (message_is_too_long(h))
			return refuse_long(c);
		if (message_next_line(h, m))
			return 1;
		if (message_is_full(h))
			return NO_ROOM;
		patience = message_wait_ms(h);
		ready = patience < 0 ? 1
				     : session_wait(&c->s, POLLIN,
					   deadline_after(patience));
		if (ready < 0)
			return -1;
		if (ready == 0)
			return message_rest(h, m);
		space = buf_space(&h->queue, &room);
		n = session_receive(&c->s, space, room);
		if (n < 0)
			return -1;
		if (n == 0)
			return message_rest(h, m);
		buf_added(&h->queue, (size_t)n);
	}
}

/* Answers until somebody has had enough. 0, -1 or NO_ROOM. */
static int
answer_all(struct client *c, struct message_reader *h)
{
	struct message m;
	int result;

	while ((result = next_message(c, h, &m)) == 1) {
		result = answer(c, &m);
		if (result != 0)
			return result < 0 ? -1 : 0;
	}
	return result;
}

/* Goes on with room for the longest message. As answer_all(). */
__attribute__((noinline)) static int
answer_with_room(struct client *c, struct message_reader *h)
{
	unsigned char storage[MESSAGE_CAPACITY];

	message_move(h, storage, sizeof(storage));
	return answer_all(c, h);
}

/* Greets, and answers. 0 or -1. */
static int
serve_messages(struct client *c)
{
	const struct hello_server *server = c->server;
	unsigned char storage[SMALL];
	struct message_reader h;
	int result;

	message_init(&h, storage, sizeof(storage));
	if (session_send(&c->s, server->greeting, server->greeting_length) < 0)
		return -1;
	result = answer_all(c, &h);
	return result == NO_ROOM ? answer_with_room(c, &h) : result;
}

/* A client's whole process. */
static int
serve(int fd, const struct conn *conn, void *context)
{
	const struct hello_server *server = context;
	const struct hello_options *o = server->o;
	struct client c;
	int64_t idle_ms = o->time.idle_ms;
	int result;

	c.server = server;
	c.conn = conn;
	c.answered = 0;
	session_start(&c.s, fd, idle_ms, o->time.max_ms);
	c.s.allows_probes = true;
	if (o->http)
		result = hello_http_serve(&c, idle_ms < 0 ? HEAD_MS : idle_ms);
	else
		result = serve_messages(&c);
	return session_end(&c.s, conn, DIAG_SAY, result);
}

/*
 * Accepts until it is told to stop, or cannot go on: -1 with *e. Apart, so that
 * what is written for each connection lies at the end of the stack, next to
 * what its process writes.
 */
__attribute__((noinline)) static int
accept_clients(struct hello_server *hs, struct listener *l,
    const struct server_options *so, struct err *e)
{
	struct server_handler handler = {serve, hs};
	struct server server;
	struct conn conn;
	int fd;

	if (server_start(&server, l, so, e) < 0)
		return -1;
	listener_announce(l);
	while ((fd = server_accept(&server, &conn, e)) >= 0)
		server_fork(&server, fd, &conn, &handler);
	server_stop(&server);
	return -1;
}

/* Opens, and serves. */
static int
run_server(struct hello_server *hs, const struct endpoint *ep,
    struct server_options *so, struct err *e)
{
	const struct hello_options *o = hs->o;
	struct listener_options lo = {.names = o->names,
	    .type = SOCK_STREAM,
	    .backlog = o->server.backlog,
	    .sock = o->sock};
	struct listener listener;
	int result;

	/* The look-up of a name can be stopped, too. */
	if (wait_catch(WAIT_STOP, e) < 0)
		return -1;
	if (listener_open(&listener, ep, &lo, deadline_none(), e) < 0)
		return err_prefix(e, "cannot listen on");
	result = accept_clients(hs, &listener, so, e);
	listener_close(&listener);
	return result;
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
	if (template_parse(&hs->reply, reply, e) < 0)
		return err_prefix(e, "--reply");
	hs->greeting = mem_array(strlen(o->greeting) + 1, 1);
	n = text_unescape(hs->greeting, o->greeting);
	if (n < 0)
		return err_set(e, ERR_USAGE, "--greeting: %s", TEXT_BAD_ESCAPE);
	hs->greeting_length = (size_t)n;
	hs->quit_length = strlen(o->quit_word);
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
		result = wait_server_result(run_server(&hs, &ep, &so, e), e);
	access_release(&access);
	template_release(&hs.reply);
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
