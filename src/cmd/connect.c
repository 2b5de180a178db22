/*
 * connect: a client. Resolve, socket, connect, send and receive, close.
 */
#include <errno.h>

#include "base/diag.h"
#include "base/err.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "cmd/table.h"
#include "cmd/stdio_relay.h"
#include "net/endpoint.h"
#include "net/program.h"
#include "dial/connector.h"
#include "net/shutdown.h"
#include "net/sock.h"
#include "net/conn_event.h"
#include "net/signals.h"

struct connect_options {
	struct report_options report;
	struct name_options names;
	struct source_options source;
	struct proxy_options proxy;
	struct time_options time;
	struct sock_options sock;
	struct stdio_relay_options relay;
	int zero;         /* -z: connect, report, exit */
	const char *exec; /* -e: a program run by sh -c */
};

static const struct connect_options connect_defaults = {
    .time = TIME_OPTIONS_INIT,
    .sock = SOCK_OPTIONS_INIT,
    .relay = STDIO_RELAY_OPTIONS_INIT,
};

static const struct opt connect_opts[] = {
    FLAG(
	'z', "zero", connect_options, zero, "only test whether the port opens"),
    STRING('e', "exec", "CMD", connect_options, exec,
	"run CMD with sh -c; the connection is its stdin and stdout"),
    {.kind = OPT_END},
};

static const struct opt time_opts[] = {
    OPTIONS_TIMEOUT("time limit for connecting"),
    OPTIONS_RETRY("keep retrying for at most T"),
    OPTIONS_IDLE("time limit without data sent or received"),
    OPTIONS_MAX("time limit for the command as a whole"),
    {.kind = OPT_END},
};

static const struct opt_group connect_groups[] = {{"action", connect_opts, 0},
    {"relaying stdin and stdout", stdio_relay_opts,
	offsetof(struct connect_options, relay)},
    {"scripted conversation", stdio_relay_script_opts,
	offsetof(struct connect_options, relay)},
    {"recording", stdio_relay_record_opts,
	offsetof(struct connect_options, relay)},
    {"addresses", options_names, offsetof(struct connect_options, names)},
    {"addresses", options_proxy, offsetof(struct connect_options, proxy)},
    {"local address", options_source, offsetof(struct connect_options, source)},
    {"time limits", time_opts, offsetof(struct connect_options, time)},
    {"socket options", options_socket, offsetof(struct connect_options, sock)},
    {"messages", options_report, offsetof(struct connect_options, report)},
    {NULL, NULL, 0}};

/* What to do with the connection. */
enum action {
	CHECK,   /* nothing: the result is whether it opens (-z) */
	PROGRAM, /* make it a program's stdin and stdout */
	RELAY    /* send stdin, write received data to stdout */
};

/* The command's state. */
struct client {
	const struct connect_options *o;
	enum action action;
	char *const *program;     /* PROGRAM */
	struct stdio_relay relay; /* RELAY */
	struct endpoint server;
	struct connector_options connector;
	struct deadline until; /* --max-time */
};

/*
 * Runs a program with the connection as its stdin and stdout. Returns -1 with
 * *e, or the program's exit status, which becomes sockt's. If child processes
 * of the program still hold the connection when it exits, only this process's
 * descriptor is closed, since shutdown(2) would affect them too. Otherwise what
 * the peer still sends is drained.
 */
static int
run_program(
    const struct client *c, int *fd, const struct conn *conn, struct err *e)
{
	struct program p = {.argv = c->program,
	    .in = *fd,
	    .out = *fd,
	    .protocol = "TCP",
	    .local = &conn->local,
	    .remote = &conn->remote};
	struct conn_summary sum;
	bool is_kept_open;
	pid_t pid;
	int status;

	/* Programs expect a blocking socket. */
	if (sock_nonblocking(*fd, false) < 0)
		return err_sys(e, ERR_FAILED, errno, "the connection");
	program_watch_descendants();
	pid = program_start(&p, e);
	if (pid < 0)
		return -1;
	status = program_wait(pid, c->until, e);
	is_kept_open = status >= 0 && program_descendants_live();
	conn_event_summarize(*fd, is_kept_open, &sum);
	if (is_kept_open) {
		conn_event_goes_on(conn);
		sock_close(fd);
	}
	/* No effect if it is closed already. */
	shutdown_and_drain(fd,
	    deadline_first(
		c->until, deadline_after(status < 0 ? 0 : SHUTDOWN_DRAIN_MS)),
	    &sum);
	conn_event_closed(
	    DIAG_NOTE, conn, &sum, status < 0 ? (int)e->kind : status);
	return status <= 0 ? status : err_status(e, status);
}

static int
connect_and_run(struct client *c, struct err *e)
{
	struct dial_result dialed;
	struct conn conn;
	int fd, result = 0;

	/* 1. Resolve the name, 2. make a socket, 3. connect it. */
	fd = connector_open(&c->server, &c->connector, c->until, &dialed, e);
	if (fd < 0)
		return -1;
	conn = (struct conn){dialed.local, dialed.remote, clock_now(), 0};
	/* 4. Send and receive. */
	switch (c->action) {
	case CHECK:
		break;
	case PROGRAM:
		result = run_program(c, &fd, &conn, e);
		break;
	case RELAY:
		result = stdio_relay_run(&c->relay, &fd, &conn, e);
		break;
	}
	/* 5. Close, unless step 4 has done so: then fd is -1. */
	sock_close(&fd);
	return result;
}

/* Checks options and opens files before the connection is made. */
static int
prepare(struct client *c, struct err *e)
{
	const struct connect_options *o = c->o;

	c->until = deadline_max_time(o->time.max_ms);
	c->connector.timeout_ms = o->time.timeout_ms;
	c->connector.retry_ms = o->time.retry_ms;
	if (o->proxy.proxy.kind != PROXY_NONE)
		c->connector.proxy = &o->proxy.proxy;
	options_make_dial(&c->connector.dial, &o->names, &o->source, &o->sock);
	if (connector_check(&c->server, &c->connector, e) < 0)
		return -1;
	if (c->action == RELAY &&
	    stdio_relay_open(&c->relay, &o->relay, &o->time, c->until, e) < 0)
		return -1;
	/* From here on a signal ends the command cleanly. */
	return signals_catch(SIGNALS_STOP, e);
}

/* Rejects options about stdin and stdout if they are not relayed. */
static int
check_unused(
    const struct client *c, const struct opt *const *used, struct err *e)
{
	const char *with = c->action == CHECK ? "--zero" : "a program";

	if (c->action == RELAY)
		return 0;
	if (c->o->time.idle_ms >= 0)
		return err_set(e, ERR_USAGE,
		    "--idle-timeout is about relaying: it does not apply with "
		    "%s",
		    with);
	return stdio_relay_check_unused(used, with, e);
}

static int
choose_action(struct client *c, bool has_exec, struct err *e)
{
	bool has_program = c->program != NULL;

	if (has_exec && has_program)
		return err_set(e, ERR_USAGE,
		    "--exec and a program cannot be used together");
	if (c->o->zero && (has_exec || has_program))
		return err_set(e, ERR_USAGE,
		    "--zero only connects: a program cannot be given the "
		    "connection ('sockt connect -z HOST PORT && PROGRAM' runs "
		    "it afterwards)");
	c->action = c->o->zero                ? CHECK
		    : has_exec || has_program ? PROGRAM
					      : RELAY;
	return 0;
}

static int
connect_run(const void *options, const struct command_args *args, struct err *e)
{
	const struct connect_options *o = options;
	struct client c = {.o = o, .program = args->program};
	struct program_shell shell;
	int result = -1;

	if (choose_action(&c, o->exec != NULL, e) < 0)
		return -1;
	if (o->exec != NULL)
		c.program = program_shell(&shell, o->exec);
	if (endpoint_parse(&c.server, args->operands, args->count, "tcp", e) <
		0 ||
	    check_unused(&c, args->used, e) < 0)
		return -1;
	if (prepare(&c, e) == 0)
		result = connect_and_run(&c, e);
	return stdio_relay_release(&c.relay, result, e);
}

const struct command connect_command = {
    .name = "connect",
    .summary = "connect to a server and relay stdin and stdout",
    .operands = "HOST PORT",
    .min_operands = 1,
    .max_operands = 2,
    .runs_program = true,
    .groups = connect_groups,
    .defaults = &connect_defaults,
    .size = sizeof(struct connect_options),
    .usual =
	"zero timeout retry-for exec crlf hexdump proxy source ipv4 verbose",
    .notes =
	"HOST PORT can also be HOST:PORT, [IPV6]:PORT, unix:PATH or "
	"unix:@NAME. A PROGRAM gets the connection as its stdin and stdout.",
    .examples =
	"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | sockt connect localhost 80\n"
	"sockt connect -z -w 2 localhost 22 && echo open\n"
	"sockt connect -vv localhost 9999\n",
    .run = connect_run,
};
