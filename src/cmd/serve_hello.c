/*
 * serve-hello: the server of the tutorials. Socket, bind, listen, accept; a
 * child process per client greets, answers every message and closes. With
 * --http it answers one request instead.
 */
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/template.h"
#include "base/literal.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "cmd/hello_client.h"
#include "cmd/table.h"
#include "net/access.h"
#include "net/endpoint.h"
#include "net/listener.h"
#include "net/sandbox.h"
#include "net/signals.h"
#include "serve/message.h"
#include "serve/server.h"
#include "serve/session.h"

#define HELLO_PORT 9999
#define HTTP_PORT 8080
/* The default of --reply without --http. */
#define REPLY "Hello, %s!"
/* The time limit of a request's head, and of the response, without
 * --idle-timeout. */
#define HEAD_MS 10000

static const struct hello_options hello_defaults = {
    .time = TIME_OPTIONS_INIT,
    .sock = SOCK_OPTIONS_INIT,
    .server = ACCEPT_OPTIONS_INIT,
    .bind = BIND_OPTIONS_INIT,
    .greeting = "Welcome!",
    .quit_word = "exit",
};

static const struct hello_options hello_effective = {.reply = REPLY};

static const struct opt hello_opts[] = {
    STRING(0, "greeting", "TEXT", hello_options, greeting,
	"send TEXT to each client first; escapes as in C", .excludes = "http"),
    STRING(0, "reply", "FORMAT", hello_options, reply,
	"answer FORMAT: %s message, %n its number, %a address, %p port, %% "
	"percent"),
    STRING(0, "quit-word", "WORD", hello_options, quit_word,
	"close when this message arrives", .excludes = "http"),
    NUMBER(0, "messages", "N", hello_options, messages,
	"close after N answers to a client", .min = 1, .excludes = "http"),
    DURATION(
	0, "delay", "T", hello_options, delay_ms, "wait T before each answer"),
    FLAG(0, "http", hello_options, http,
	"answer HTTP requests, on port 8080 by default"),
    {.kind = OPT_END},
};

static const struct opt time_opts[] = {
    OPTIONS_IDLE("time limit without data sent or received"),
    OPTIONS_MAX("time limit for each connection"),
    {.kind = OPT_END},
};

static const struct opt_group hello_groups[] = {{"conversation", hello_opts, 0},
    {"server", options_bind, offsetof(struct hello_options, bind)},
    {"server", options_server, offsetof(struct hello_options, server)},
    {"server", options_access, offsetof(struct hello_options, access)},
    {"addresses", options_names, offsetof(struct hello_options, names)},
    {"time limits", time_opts, offsetof(struct hello_options, time)},
    {"socket options", options_socket, offsetof(struct hello_options, sock)},
    {"messages", options_report, offsetof(struct hello_options, report)},
    {NULL, NULL, 0}};

/* Answers a message: "Hello, Michael!". Returns 0 or -1. */
static int
answer(struct hello_client *c, const struct message *m)
{
	static unsigned char text[4 * MESSAGE_MAX];
	ssize_t n = hello_client_reply(c, m, text, sizeof(text));

	if (n < 0)
		return err_set(&c->session.e, ERR_FAILED,
		    "the answer by --reply is longer than %zu bytes",
		    sizeof(text));
	if (hello_client_delay(c) < 0)
		return -1;
	c->answered++;
	return session_send(&c->session, text, (size_t)n);
}

static bool
is_quit_word(const struct hello_server *hs, const struct message *m)
{
	return m->length == hs->quit_length &&
	       memcmp(m->bytes, hs->o->quit_word, m->length) == 0;
}

/* Greets, then receives and answers messages until "exit". Returns 0 or -1. */
static int
serve_messages(struct hello_client *c)
{
	const struct hello_server *hs = c->server;
	struct session *s = &c->session;
	struct message_reader reader;
	enum session_message status;
	struct message m;

	if (session_send(s, hs->greeting, hs->greeting_length) < 0)
		return -1;
	message_init(&reader);
	while ((status = session_receive_message(s, &reader, &m)) ==
	       SESSION_MESSAGE) {
		hello_client_log(c, "message", m.bytes, m.length);
		if (is_quit_word(hs, &m))
			return 0;
		if (answer(c, &m) < 0)
			return -1;
		if (c->answered == hs->o->messages)
			return 0;
	}
	return status == SESSION_END ? 0 : -1;
}

/* Serves a client in its process; closes fd, its connection. */
static int
serve(int fd, const struct conn *conn, void *context)
{
	const struct hello_server *hs = context;
	const struct time_options *time = &hs->o->time;
	struct hello_client c = {.server = hs, .conn = conn};
	int result;

	session_start(&c.session, fd, time->idle_ms, time->max_ms);
	/* A connection that is only reset was a port probe, not an error. */
	c.session.allows_probes = true;
	if (hs->o->http)
		result = hello_client_serve_http(
		    &c, time->idle_ms < 0 ? HEAD_MS : time->idle_ms);
	else
		result = serve_messages(&c);
	/*
	 * Sends FIN, drains, closes. Returns the exit status of this process.
	 */
	return session_end(&c.session, conn, DIAG_SAY, result);
}

/*
 * 4. Accept, 5. serve in a child process, 6. accept again, unless the only
 * connection is inherited.
 */
static int
accept_and_serve(struct hello_server *hs, struct server *server, struct err *e)
{
	struct server_handler handler = {serve, hs, false};
	struct conn conn;
	int fd;

	while ((fd = server_accept(server, &conn, e)) >= 0) {
		/* It closes this process's copy of fd. */
		server_fork(server, fd, &conn, &handler);
		if (server->listener->is_connection)
			return server_wait_status(server, e);
	}
	return server_end(server, e);
}

/* Runs the steps of every server. Returns 0, or -1 with *e: an error or a
 * signal. */
static int
run_server(struct hello_server *hs, const struct endpoint *ep,
    const struct server_options *so, struct err *e)
{
	const struct hello_options *o = hs->o;
	struct listener_options lo = {.names = o->names,
	    .until = deadline_none(),
	    .type = SOCK_STREAM,
	    .backlog = o->server.backlog,
	    .sock = o->sock,
	    .mode = o->bind.mode,
	    .fd = o->bind.fd};
	struct listener listener;
	struct server server;
	int result = -1;

	/* From here on a signal ends the command cleanly. */
	if (signals_catch(SIGNALS_STOP, e) < 0)
		return -1;
	/* 1. Socket, 2. bind, 3. listen, for each address. */
	if (listener_open(&listener, ep, &lo, e) < 0 ||
	    options_check_inherited(&listener, hs->used, e) < 0)
		return signals_server_result(-1, e);
	if (server_start(&server, &listener, so, e) == 0) {
		listener_announce(&listener);
		sandbox_enter();
		result = accept_and_serve(hs, &server, e);
		server_stop(&server);
	}
	listener_close(&listener);
	return listener.is_connection ? result
				      : signals_server_result(result, e);
}

/* Parses the texts of the options. Returns 0, or -1 with a usage error. */
static int
prepare(struct hello_server *hs, struct err *e)
{
	const struct hello_options *o = hs->o;
	const char *reply = o->reply;
	ssize_t n;

	if (reply == NULL)
		reply = o->http ? "Hello!" : REPLY;
	if (template_parse(&hs->reply, reply, e) < 0)
		return err_prefix(e, "--reply");
	hs->greeting = mem_array(strlen(o->greeting) + 1, 1);
	n = literal_unescape(hs->greeting, o->greeting, strlen(o->greeting), e);
	if (n < 0)
		return err_prefix(e, "--greeting");
	hs->greeting_length = (size_t)n;
	hs->quit_length = strlen(o->quit_word);
	return 0;
}

static int
hello_run(const void *options, const struct command_args *args, struct err *e)
{
	const struct hello_options *o = options;
	struct hello_server hs = {.o = o, .used = args->used};
	struct access access = ACCESS_INIT;
	struct local_operands operands = {
	    args, "tcp", o->http ? HTTP_PORT : HELLO_PORT};
	struct server_options so;
	struct endpoint ep;
	int result;

	if (options_parse_local(&ep, &o->bind, &operands, e) < 0)
		return -1;
	options_make_server(&so, &o->server, &access, DIAG_SAY);
	so.ends_idle = listener_is_activated(o->bind.fd);
	result = prepare(&hs, e);
	if (result == 0)
		result = options_make_access(&access, &o->access, e);
	if (result == 0)
		result = run_server(&hs, &ep, &so, e);
	access_release(&access);
	template_release(&hs.reply);
	free(hs.greeting);
	return result;
}

const struct command serve_hello_command = {
    .name = "serve-hello",
    .summary = "greet every client and answer its messages",
    .operands = "[ADDR] [PORT]",
    .min_operands = 0,
    .max_operands = 2,
    .groups = hello_groups,
    .defaults = &hello_defaults,
    .effective = &hello_effective,
    .size = sizeof(struct hello_options),
    .usual = "greeting reply quit-word messages http max-conns idle-timeout "
	     "allow verbose json",
    .notes =
	"The default PORT is 9999, with --http 8080. Without ADDR only this "
	"machine can connect (127.0.0.1 and ::1); '*' is every address.",
    .examples =
	"sockt serve-hello\n"
	"sockt serve-hello --http 8080\n"
	"sockt serve-hello --greeting '' --reply 'test server' --messages 1\n",
    .run = hello_run,
};
