/*
 * listen: a server. Socket, bind, listen, accept; then the connection goes to
 * stdin and stdout, or to a handler in a process of its own, and with -k it
 * goes on accepting.
 */
#include <errno.h>

#include "base/diag.h"
#include "base/err.h"
#include "cli/command.h"
#include "cmd/common.h"
#include "cmd/stdio_relay.h"
#include "cmd/table.h"
#include "dial/dial.h"
#include "net/access.h"
#include "net/conn_event.h"
#include "net/endpoint.h"
#include "net/inherited.h"
#include "net/listener.h"
#include "net/privileges.h"
#include "net/resolve.h"
#include "net/signals.h"
#include "serve/handler.h"
#include "serve/server.h"

struct listen_options {
	struct report_options report;
	struct name_options names;
	struct time_options time;
	struct sock_options sock;
	struct stdio_relay_options talk;
	int keep;          /* -k: go on accepting */
	int echo, discard; /* handlers */
	const char *exec;  /* -e: by way of sh -c */
	const char *to;    /* forward there */
	struct common_server_options server;
	const char *user; /* whom to become */
	const char *fd;   /* inherited sockets */
	struct access_options access;
};

static const struct listen_options listen_defaults = {
    .time = TIME_OPTIONS_INIT,
    .sock = SOCK_OPTIONS_INIT,
    .talk = STDIO_RELAY_OPTIONS_INIT,
    .server = COMMON_SERVER_INIT,
};

static const struct opt listen_opts[] = {
    FLAG('k', "keep-open", listen_options, keep, "go on accepting"),
    STRING('e', "exec", "CMD", listen_options, exec,
	"give the connection to CMD, by way of sh -c",
	.excludes = "to echo discard"),
    STRING(0, "to", "HOST:PORT", listen_options, to,
	"forward the connection to there", .excludes = "echo discard"),
    FLAG(0, "echo", listen_options, echo, "send back what is received",
	.excludes = "discard"),
    FLAG(0, "discard", listen_options, discard, "drop what is received"),
    STRING(0, "user", "NAME", listen_options, user,
	"become that user once the port is bound, for good"),
    STRING(0, "fd", "N|systemd", listen_options, fd,
	"take the listening socket that was inherited as N, or those of socket "
	"activation",
	.excludes = "ipv4 ipv6 numeric backlog keepalive nodelay tos ttl "
		    "rcvbuf sndbuf"),
    {.kind = OPT_END},
};

static const struct opt_group listen_groups[] = {{"serving", listen_opts, 0},
    {"serving", common_server_opts, offsetof(struct listen_options, server)},
    {"serving", common_access_opts, offsetof(struct listen_options, access)},
    {"relaying", talk_relay_opts, offsetof(struct listen_options, talk)},
    {"script", talk_script_opts, offsetof(struct listen_options, talk)},
    {"records", talk_record_opts, offsetof(struct listen_options, talk)},
    {"addresses", common_family_opts, offsetof(struct listen_options, names)},
    {"time", common_timeout_opts, offsetof(struct listen_options, time)},
    {"time", common_idle_opts, offsetof(struct listen_options, time)},
    {"time", common_max_opts, offsetof(struct listen_options, time)},
    {"socket", common_socket_opts, offsetof(struct listen_options, sock)},
    {"report", common_report_opts, offsetof(struct listen_options, report)},
    {NULL, NULL, 0}};

/* One run of the command. */
struct listening {
	const struct listen_options *o;
	struct listener listener;
	struct server server;
	struct server_options so;
	struct access access;
	struct handler handler; /* what each connection gets */
	struct deadline until;  /* --max-time, of stdin and stdout */
};

/* stdin and stdout, in this process, then the next one. */
static int
serve_stdio(struct listening *l, struct stdio_relay *t, struct err *e)
{
	struct conn c;
	int fd, result;

	do {
		fd = server_accept(&l->server, &c, e);
		if (fd < 0)
			return -1;
		if (!l->o->keep)
			listener_close(&l->listener);
		result = stdio_relay_run(t, &fd, &c.local, &c.remote, e);
		if (result < 0 && l->o->keep && e->kind != ERR_OUTPUT &&
		    e->errnum != EINTR) {
			if (conn_event_is_probe(&t->last) && t->last.sent == 0)
				conn_event_probe(&c);
			else
				diag_error(e);
			result = 0;
		}
	} while (result == 0 && l->o->keep);
	return result;
}

/* A process a connection; without -k only the first. */
static int
serve_handler(struct listening *l, struct err *e)
{
	struct server_handler handler = {handler_serve, &l->handler};
	struct conn c;
	int fd;

	do {
		fd = server_accept(&l->server, &c, e);
		if (fd < 0 && e->kind == ERR_TIMEOUT)
			/* Those who are being served may finish. */
			(void)server_wait(&l->server, e);
		if (fd < 0)
			return -1;
		if (!l->o->keep)
			listener_close(&l->listener);
		if (l->handler.program != NULL)
			server_spawn(&l->server, fd, &c, l->handler.program);
		else
			server_fork(&l->server, fd, &c, &handler);
	} while (l->o->keep);
	if (server_wait(&l->server, e) < 0)
		return -1;
	if (l->server.children.last_status == 0)
		return 0;
	/* Its own process has told what there was to tell. */
	return err_status(e, l->server.children.last_status);
}

/* What the options say about the handler. */
static int
choose_handler(struct listening *l, char *const *program, struct err *e)
{
	const struct listen_options *o = l->o;
	struct handler *h = &l->handler;
	char *to = (char *)o->to;

	if (program != NULL &&
	    (o->exec != NULL || o->to != NULL || o->echo || o->discard))
		return err_set(e, ERR_USAGE,
		    "a program and --exec, --to, --echo or --discard cannot "
		    "be used together");
	if (o->time.timeout_ms >= 0 && o->to == NULL)
		return err_set(e, ERR_USAGE,
		    "--timeout is for reaching --to; see --accept-timeout");
	if (o->time.idle_ms >= 0 && (program != NULL || o->exec != NULL))
		return err_set(e, ERR_USAGE,
		    "--idle-timeout does not apply to a program's connection; "
		    "--max-time does");
	h->timeout_ms = o->time.timeout_ms;
	h->idle_ms = o->time.idle_ms;
	h->max_ms = o->time.max_ms;
	/* Without -k it is the one connection that there was to serve. */
	h->allows_probes = o->keep != 0;
	h->program = program;
	if (o->exec != NULL)
		h->program = program_shell(&h->shell, o->exec);
	h->kind = o->echo ? HANDLER_ECHO : HANDLER_DISCARD;
	if (o->to == NULL)
		return 0;
	h->kind = HANDLER_FORWARD;
	common_dial_options(&h->dial, &o->names, NULL, &o->sock);
	if (endpoint_parse(&h->target, &to, 1, "tcp", e) < 0 ||
	    resolve_check(&h->target, &o->names, e) < 0)
		return err_prefix(e, "--to");
	return 0;
}

/* stdio is the talk on stdin and stdout, or NULL for a handler. */
static int
serve(struct listening *l, struct stdio_relay *stdio, struct err *e)
{
	int result;

	if (server_start(&l->server, &l->listener, &l->so, e) < 0)
		return -1;
	listener_announce(&l->listener);
	result = stdio != NULL ? serve_stdio(l, stdio, e) : serve_handler(l, e);
	server_stop(&l->server);
	return result;
}

/* Options about handlers, where there is none. */
static int
check_stdio(const struct listen_options *o, struct err *e)
{
	if (o->server.max_per_host > 0)
		return err_set(e, ERR_USAGE,
		    "--max-per-host goes with a handler: stdin and stdout "
		    "have one connection at a time");
	return stdio_relay_check(&o->talk, e);
}

/* The listening sockets: our own, or inherited ones. */
static int
open_sockets(struct listening *l, const struct endpoint *ep, struct err *e)
{
	const struct listen_options *o = l->o;
	struct listener_options lo = {.names = o->names,
	    .type = SOCK_STREAM,
	    .backlog = o->server.backlog,
	    .sock = o->sock};

	if (o->fd != NULL)
		return inherited_sockets(&l->listener, o->fd, e);
	return listener_open(&l->listener, ep, &lo, l->until, e);
}

/* Opens the sockets, serves, closes them. */
static int
run(struct listening *l, const struct endpoint *ep, struct stdio_relay *stdio,
    struct err *e)
{
	const struct listen_options *o = l->o;
	int result;

	/* Whatever takes its time from here on can be stopped. */
	if (signals_catch(SIGNALS_STOP, e) < 0)
		return -1;
	l->until = deadline_after(o->time.max_ms);
	/* With a handler each connection has the limit for itself. */
	if (stdio != NULL)
		l->so.until = l->until;
	if (open_sockets(l, ep, e) < 0)
		return -1;
	result = o->user == NULL ? 0 : privileges_drop(o->user, e);
	if (result == 0 && stdio != NULL)
		result =
		    stdio_relay_open(stdio, &o->talk, &o->time, l->until, e);
	if (result == 0)
		result = serve(l, stdio, e);
	listener_close(&l->listener);
	return result;
}

/* The operands: none with --fd. */
static int
parse_operands(struct endpoint *ep, const struct listen_options *o,
    const struct command_args *args, struct err *e)
{
	if (o->fd == NULL && args->count > 0)
		return endpoint_parse_local(
		    ep, args->operands, args->count, "tcp", 0, e);
	if (o->fd == NULL)
		return err_set(e, ERR_USAGE, "expected [ADDR] PORT, or --fd");
	if (args->count == 0)
		return 0;
	return err_set(e, ERR_USAGE,
	    "with --fd the address is the inherited socket's: expected no "
	    "operand");
}

static int
listen_run(const void *options, const struct command_args *args, struct err *e)
{
	const struct listen_options *o = options;
	struct listening l = {.o = o, .access = ACCESS_INIT};
	bool handled = args->program != NULL || o->exec != NULL ||
		       o->to != NULL || o->echo || o->discard;
	struct stdio_relay t = {0};
	struct endpoint ep;
	int result;

	if (parse_operands(&ep, o, args, e) < 0 ||
	    choose_handler(&l, args->program, e) < 0 ||
	    (handled ? stdio_relay_check_unused(args->given, "a handler", e)
		     : check_stdio(o, e)) < 0 ||
	    (o->user != NULL && privileges_check(o->user, e) < 0))
		return -1;
	common_server_setup(&l.so, &o->server, &l.access, DIAG_NOTE);
	l.so.program_ms = o->time.max_ms;
	l.so.is_alone = !handled;
	result = common_access(&l.access, &o->access, e);
	if (result == 0)
		result = run(&l, &ep, handled ? NULL : &t, e);
	if (o->keep)
		result = signals_server_result(result, e);
	access_release(&l.access);
	return stdio_relay_release(&t, result, e);
}

const struct command listen_command = {
    .name = "listen",
    .summary = "take connections, and relay or serve them",
    .operands = "[ADDR] PORT",
    .least = 0,
    .most = 2,
    .takes_program = true,
    .groups = listen_groups,
    .defaults = &listen_defaults,
    .size = sizeof(struct listen_options),
    .notes = "Without ADDR only this machine can connect (127.0.0.1 and "
	     "::1); '*' means every\ninterface. Port 0 takes a free one. "
	     "[ADDR] PORT may also be ADDR:PORT or unix:PATH.\n\n"
	     "examples:\n"
	     "  sockt listen 8080 > received\n"
	     "  sockt listen -k '*' 2323 -- ./handler\n"
	     "  sockt listen -k 8080 --to localhost:80\n",
    .run = listen_run,
};
