/*
 * serve-hello: the server of the tutorials. Socket, bind, listen, accept; a
 * child process per client greets, answers every message and closes. With
 * --http it answers one request instead.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/text.h"
#include "base/literal.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "cmd/table.h"
#include "http/http_server.h"
#include "net/access.h"
#include "net/endpoint.h"
#include "net/listener.h"
#include "net/sandbox.h"
#include "net/signals.h"
#include "net/wait.h"
#include "serve/server.h"
#include "serve/session.h"

#define HELLO_PORT 9999
#define HTTP_PORT 8080
/* The default of --reply without --http. */
#define REPLY "Hello, %s!"
/* The time limit of a request's head, and of the response, without
 * --idle-timeout. */
#define HEAD_MS 10000
/* The longest message in bytes, without its newline. */
#define MESSAGE_MAX 8192
/*
 * How long to wait for the rest of a line: from a client that never sent a
 * newline, and from one that has, and so is likely to end this line too.
 */
#define BARE_MS 40
#define LINE_MS 1000

/* The default of --greeting. */
static char welcome[] = "Welcome!";

static struct {
	char *greeting;    /* converted in place */
	const char *reply; /* NULL: the protocol's default */
	int64_t messages;  /* maximum per client; 0: any number */
	int64_t delay_ms;  /* before each answer */
	int http;
} hello_options = {.greeting = welcome};

/* The shared options. */
static const struct options *options;
/* The length of the greeting without its escapes. */
static size_t greeting_length;
/* --reply, or the default. */
static const char *reply_format;

/* A client, in its process. */
struct hello_client {
	/* How many messages were answered. */
	int64_t answered;
	struct session session;
	/* The client has sent a newline. */
	bool has_lines;
	/* The bytes received, and their storage. */
	struct buf queue;
	unsigned char storage[MESSAGE_MAX + 2];
};

/* A message; its bytes are valid until the next one is received. */
struct hello_message {
	const unsigned char *bytes;
	size_t length;
	/* The length of its LF, CRLF or nothing. */
	size_t newline;
};

static const struct opt hello_opts[] = {
    STRING(0, "greeting", "TEXT", hello_options, greeting,
	"send TEXT to each client first; escapes are \\r \\n \\t \\0 \\e \\\\ "
	"\\xHH",
	.excludes = "http"),
    STRING(0, "reply", "FORMAT", hello_options, reply,
	"answer FORMAT: %s message, %n its number, %a address, %p port, %% "
	"percent (default: '" REPLY "')"),
    NUMBER(0, "messages", "N", hello_options, messages,
	"close after N answers to a client", .min = 1, .excludes = "http"),
    DURATION(0, "delay", "TIME", hello_options, delay_ms,
	"wait TIME before each answer"),
    FLAG(0, "http", hello_options, http,
	"answer HTTP requests, on port 8080 by default"),
    {.kind = OPT_END},
};

static const struct opt_group hello_groups[] = {
    GROUP("conversation", hello_opts), GROUP("server", options_bind),
    GROUP("server", options_server), GROUP("addresses", options_names),
    GROUP("clients", options_tls_local), GROUP("clients", options_tls_clients),
    GROUP("time limits", options_time_serve_hello),
    GROUP("socket options", options_keepalive),
    GROUP("messages", options_report), {.opts = NULL}};

/* Makes the reply to a message; it ends as the message does. Returns its
 * length, or -1 if it is longer than size. */
static ssize_t
make_reply(const struct hello_client *c, const struct hello_message *m,
    unsigned char *reply, size_t size)
{
	struct literal_values v = {.message = m->bytes,
	    .length = m->length,
	    .ip = addr_ip_text(&c->session.link->remote),
	    .port = addr_port(&c->session.link->remote),
	    .number = (uint64_t)c->answered + 1};
	ssize_t n = literal_fill(reply_format, &v, reply, size - m->newline);

	if (n < 0)
		return -1;
	memcpy(reply + n, m->bytes + m->length, m->newline);
	return n + (ssize_t)m->newline;
}

/* Waits for --delay. Returns 0, or -1 when the connection's time limit has
 * passed. */
static int
delay(struct session *s)
{
	if (hello_options.delay_ms <= 0)
		return 0;
	wait_until(
	    deadline_first(deadline_after(hello_options.delay_ms), s->until));
	if (deadline_passed(s->until))
		return deadline_error(s->until, "", &s->e);
	return 0;
}

/* Sends head and body in one piece. */
static int
respond(struct hello_client *c, const struct http_server *r, int code)
{
	unsigned char text[HTTP_SERVER_TEXT + HTTP_SERVER_HEAD * 4];
	unsigned char *body = text + HTTP_SERVER_TEXT;
	struct hello_message target = {
	    (const unsigned char *)r->target.at, r->target.length, 0};
	struct http_server_response response = {
	    .code = code, .closes = true, .fields = ""};
	ssize_t made;
	size_t n;

	made = code != 200 ? snprintf((char *)body, HTTP_SERVER_TEXT, "%s\n",
				 http_server_phrase(code))
			   : make_reply(c, &target, body,
				 sizeof(text) - HTTP_SERVER_TEXT);
	if (made < 0)
		return err_set(&c->session.e, ERR_FAILED,
		    "the answer by --reply is too long");
	response.length = (uint64_t)made;
	n = http_server_make_head((char *)text, HTTP_SERVER_TEXT, &response);
	if (!r->is_head) {
		memmove(text + n, body, (size_t)made);
		n += (size_t)made;
	}
	return session_send(&c->session, text, n);
}

/* Receives an HTTP request and sends the response, each within limit_ms.
 * Returns 0, or -1 with the session's error. */
static int
serve_http(struct hello_client *c, int64_t limit_ms)
{
	struct session *s = &c->session;
	char head[HTTP_SERVER_HEAD];
	struct http_server r = {0};
	size_t line, used = 0;
	ssize_t n;
	int code;

	s->phase = deadline_after(limit_ms);
	s->missing = "no complete request";
	n = session_receive_head(s, head, sizeof(head), &used, -1, &code);
	if (n <= 0)
		return (int)n;
	s->link->wanted = LINK_WANT_SENT;
	session_answer(s);
	for (line = 0; line < (size_t)n && strchr("\r\n", head[line]) == NULL;)
		line++;
	if (diag_shows(DIAG_NOTE))
		line = (size_t)n;
	link_log_message(DIAG_SAY, "request", s->link, head, line, line);
	if (code == 200)
		code = http_server_parse(&r, head, (size_t)n);
	if (delay(s) < 0)
		return -1;
	s->phase = deadline_after(limit_ms);
	s->missing = "the client did not read the response";
	if (respond(c, &r, code) < 0)
		return -1;
	if (code == 200)
		return 0;
	return err_set(&s->e, ERR_PROTOCOL, "answered %d %s%s", code,
	    http_server_phrase(code),
	    http_server_is_tls(head, (size_t)n)
		? ": the client speaks TLS (https), which "
		  "is not supported"
		: "");
}

/*
 * Receives more bytes, unless those in the queue become a message as they are.
 * Returns 1; 0 if the peer has finished or nothing follows; or -1 with the
 * session's error.
 */
static int
receive_more(struct hello_client *c)
{
	struct session *s = &c->session;
	unsigned char *space;
	size_t capacity;
	ssize_t n;
	int ready = 1;

	if (!buf_is_empty(&c->queue))
		ready = session_wait(s, c->has_lines ? LINE_MS : BARE_MS);
	if (ready <= 0)
		return ready;
	space = buf_space(&c->queue, &capacity);
	n = session_receive(s, space, capacity);
	if (n <= 0)
		return (int)n;
	buf_added(&c->queue, (size_t)n);
	return 1;
}

/*
 * Receives a message: a line without its LF or CRLF. Bytes without a newline
 * become one when no more arrive for a while: tutorial clients send "Michael"
 * and wait. Returns 1, 0 if the peer has finished, or -1 with the session's
 * error.
 */
static int
receive_message(struct hello_client *c, struct hello_message *m)
{
	const unsigned char *lf;
	const char *reply;
	size_t cr;
	int more = 1;

	for (;;) {
		m->bytes = buf_bytes(&c->queue);
		m->length = buf_length(&c->queue);
		lf = memchr(m->bytes, '\n', m->length);
		if (lf != NULL)
			m->length = (size_t)(lf - m->bytes);
		/* A CR at the end may be the first half of a CRLF. */
		cr = m->length > 0 && m->bytes[m->length - 1] == '\r' &&
		     (lf != NULL || more > 0);
		m->length -= cr;
		if (m->length > MESSAGE_MAX) {
			reply = text_format("error: a message may have %d "
					    "bytes at most\n",
			    MESSAGE_MAX);
			if (session_send(&c->session, reply, strlen(reply)) ==
			    0)
				err_set(&c->session.e, ERR_PROTOCOL,
				    "a message is longer than %d bytes",
				    MESSAGE_MAX);
			return -1;
		}
		if (lf != NULL || more == 0)
			break;
		more = receive_more(c);
		if (more < 0)
			return -1;
	}
	m->newline = cr + (lf != NULL);
	c->has_lines = c->has_lines || lf != NULL;
	buf_eat(&c->queue, m->length + m->newline);
	return m->length + m->newline > 0;
}

/* Greets, then receives messages and answers them, "Hello, Michael!", until
 * "exit". Returns 0, or -1 with the session's error. */
static int
serve_messages(struct hello_client *c)
{
	static unsigned char text[4 * MESSAGE_MAX];
	struct session *s = &c->session;
	struct hello_message m;
	bool quits;
	ssize_t n;
	int received;

	if (session_send(s, hello_options.greeting, greeting_length) < 0)
		return -1;
	while ((received = receive_message(c, &m)) > 0) {
		quits = m.length == 4 && memcmp(m.bytes, "exit", 4) == 0;
		if (!quits)
			session_answer(s);
		link_log_message(
		    DIAG_SAY, "message", s->link, m.bytes, m.length, m.length);
		if (quits)
			return 0;
		n = make_reply(c, &m, text, sizeof(text));
		if (n < 0)
			return err_set(&s->e, ERR_FAILED,
			    "the answer by --reply is longer than %zu bytes",
			    sizeof(text));
		if (delay(s) < 0)
			return -1;
		c->answered++;
		if (session_send(s, text, (size_t)n) < 0)
			return -1;
		if (c->answered == hello_options.messages)
			return 0;
	}
	return received;
}

/* Serves a client in its process. */
static int
serve(struct link *l, void *context)
{
	/* This process serves one client. */
	static struct hello_client c;
	int result;

	buf_init(&c.queue, c.storage, sizeof(c.storage));
	(void)context;
	session_start(&c.session, l, options->idle, options->max_ms);
	/* A connection that is only reset was a port probe, not an error. */
	c.session.allows_probes = true;
	if (hello_options.http)
		result = serve_http(
		    &c, options->idle.ms < 0 ? HEAD_MS : options->idle.ms);
	else
		result = serve_messages(&c);
	/* Sends FIN, drains, closes. */
	return session_close(&c.session, DIAG_SAY, result);
}

/* Runs the steps of every server. Returns 0, or -1 with *e: an error or a
 * signal. */
static int
run_server(const struct endpoint *ep, const struct command_args *args,
    const struct server_options *o, struct err *e)
{
	struct listener listener;
	struct server server;
	struct link client;
	int result;

	/* From here on a signal ends the command cleanly. */
	if (signals_catch(e) < 0)
		return -1;
	/* 1. Socket, 2. bind, 3. listen, for each address. */
	result = listener_open(&listener, ep, &options->listener, e);
	if (result == 0)
		result = options_check_inherited(&listener, args, e);
	if (result == 0) {
		server_start(&server, &listener, o);
		listener_announce(&listener);
		sandbox_enter();
		/* 4. Accept, 5. serve in a child process, which closes this
		 * process's copy, 6. accept again, unless the only connection
		 * is inherited. */
		do {
			result = server_accept(&server, &client, e);
			if (result == 0)
				server_fork(
				    &server, &client, serve, NULL, false);
		} while (result == 0 && !listener.is_connection);
		result = server_finish(&server, result, e);
		server_stop(&server);
	}
	listener_close(&listener, NULL);
	return listener.is_connection ? result
				      : signals_server_result(result, e);
}

static int
hello_run(const struct command_args *args, struct err *e)
{
	struct server_options so;
	struct access access = ACCESS_INIT;
	char *greeting = hello_options.greeting;
	struct endpoint ep;
	int result = -1;
	ssize_t n;

	options = options_complete(false);
	if (options_parse_local(&ep, args, "tcp",
		hello_options.http ? HTTP_PORT : HELLO_PORT, e) < 0)
		return -1;
	diag_limit(deadline_none(), options->server.accept_ms);
	reply_format = hello_options.reply;
	if (reply_format == NULL)
		reply_format = hello_options.http ? "Hello!" : REPLY;
	if (literal_check(reply_format, e) < 0)
		return err_prefix(e, "--reply");
	n = literal_unescape(greeting, greeting, strlen(greeting), e);
	if (n < 0)
		return err_prefix(e, "--greeting");
	greeting_length = (size_t)n;
	if (options_make_server(&so, &access, e) == 0)
		result = run_server(&ep, args, &so, e);
	access_release(&access);
	return result;
}

const struct command serve_hello_command = {
    .name = "serve-hello",
    .summary = "greet every client and answer its messages",
    .operands = "[ADDRESS] [PORT]",
    .min_operands = 0,
    .max_operands = 2,
    .groups = hello_groups,
    .usual = "greeting reply messages delay http allow max-conns "
	     "idle-timeout tls-cert quiet verbose json",
    .notes =
	"The default PORT is 9999, with --http 8080. Without ADDRESS only this "
	"machine can connect (127.0.0.1 and ::1); '*' or any is every address.",
    .examples =
	"sockt serve-hello\n"
	"sockt serve-hello --http 8080\n"
	"sockt serve-hello --greeting '' --reply 'test server' --messages 1\n",
    .run = hello_run,
};
