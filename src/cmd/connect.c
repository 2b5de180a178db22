/*
 * connect: a client. Resolve, socket, connect, send and receive, close.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/connect_check.h"
#include "cmd/options.h"
#include "cmd/table.h"
#include "cmd/stdio_relay.h"
#include "net/endpoint.h"
#include "net/proc.h"
#include "dial/connector.h"
#include "net/sock.h"
#include "net/conn_event.h"
#include "net/sandbox.h"
#include "net/signals.h"
#include "net/stream.h"

struct connect_options {
	int zero;         /* -z: connect, report, exit */
	const char *exec; /* -e: a program run by sh -c */
};

static struct connect_options connect_options;

static const struct opt connect_opts[] = {
    FLAG(
	'z', "zero", connect_options, zero, "only test whether the port opens"),
    STRING('e', "exec", "CMD", connect_options, exec,
	"run sh -c CMD with the connection as stdin, stdout; with -z, become "
	"CMD afterwards"),
    {.kind = OPT_END},
};

static const struct opt time_opts[] = {
    OPTIONS_TIMEOUT("time limit for connecting, and then without data"),
    OPTIONS_CONNECT("time limit for connecting alone"),
    OPTIONS_RETRY("keep retrying for at most T"),
    OPTIONS_IDLE("time limit without data sent or received alone"),
    OPTIONS_MAX("time limit for the command as a whole"),
    {.kind = OPT_END},
};

static const struct opt_group connect_groups[] = {{"action", connect_opts},
    {"testing ports (with --zero)", connect_check_opts},
    {"relaying stdin and stdout", stdio_relay_opts},
    {"scripted conversation", stdio_relay_script_opts},
    {"recording", stdio_relay_record_opts},
    {"recording", stdio_relay_progress_opts}, {"addresses", options_names},
    {"addresses", options_proxy}, {"transport", options_via},
    {"transport", options_tls}, {"transport", options_tls_local},
    {"transport", options_tls_alpn}, {"local address", options_source},
    {"time limits", time_opts}, {"socket options", options_keepalive},
    {"socket options", options_socket}, {"messages", options_report},
    {NULL, NULL}};

/* What to do with the connection. */
enum action {
	CHECK,   /* nothing: the result is whether it opens (-z) */
	PROGRAM, /* make it a program's stdin and stdout */
	RELAY    /* send stdin, write received data to stdout */
};

/* The command's state. */
struct client {
	enum action action;
	char *const *program;       /* PROGRAM; CHECK: run it afterwards */
	struct stdio_relay relay;   /* RELAY */
	struct connect_check check; /* CHECK */
	struct endpoint *endpoints; /* owned; several with CHECK only */
	struct deadline until;      /* --max-time */
};

/*
 * Runs a program with the connection as its stdin and stdout. Returns -1 with
 * *e, or the program's exit status, which becomes sockt's. If child processes
 * of the program still hold the connection when it exits, only this process's
 * descriptor is closed, since shutdown(2) would affect them too. Otherwise what
 * the peer still sends is drained.
 */
static int
run_program(const struct client *c, int *fd, const struct conn *conn,
    struct dial_result *dialed, struct err *e)
{
	const struct program program = {.argv = c->program,
	    .in = *fd,
	    .out = *fd,
	    .protocol = dialed->via != NULL ? NULL : "TCP",
	    .local = &conn->local,
	    .remote = &conn->remote};
	struct conn_summary sum;
	bool is_direct = dialed->via == NULL && dialed->tls == NULL,
	     is_kept_open;
	struct proc *p;
	int status;

	/* Programs expect a blocking socket. */
	if (sock_nonblocking(*fd, false) < 0)
		return err_sys(e, ERR_FAILED, errno, "the connection");
	p = proc_start(&program, NULL, e);
	if (p == NULL) {
		connector_discard(dialed, fd);
		return -1;
	}
	status = proc_wait(p, c->until);
	if (p->is_ending && signals_stopped() != 0)
		status = err_sys(e, ERR_FAILED, EINTR, "the program");
	else if (p->is_ending)
		status = deadline_error(
		    c->until, "the program was still running", e);
	proc_free(&p);
	is_kept_open = is_direct && status >= 0 && proc_orphans_live();
	conn_event_summarize(*fd, is_kept_open, &sum);
	if (is_kept_open) {
		conn_event_goes_on(conn);
		sock_close(fd);
	}
	/* No effect if it is closed already. */
	stream_drain(fd,
	    deadline_first(
		c->until, deadline_after(status < 0 ? 0 : STREAM_DRAIN_MS)),
	    &sum);
	if (status == 0)
		status = connector_close(dialed, 0, c->until, e);
	connector_discard(dialed, fd);
	conn_event_closed(
	    DIAG_NOTE, conn, &sum, status < 0 ? (int)e->kind : status);
	return status <= 0 ? status : err_status(e, status);
}

static int
connect_and_run(struct client *c, struct err *e)
{
	struct dial_result dialed = {.ns = 0};
	struct conn conn;
	int fd, result = 0;

	/* 1. Resolve the name, 2. make a socket, 3. connect it. */
	fd = connector_open(
	    c->endpoints, &options.connector, c->until, &dialed, e);
	if (fd < 0)
		return -1;
	conn = (struct conn){dialed.local, dialed.remote, clock_now(), 0};
	/* 4. Send and receive. */
	if (c->action == PROGRAM) {
		result = run_program(c, &fd, &conn, &dialed, e);
	} else {
		c->relay.dialed = &dialed;
		sandbox_enter();
		result = stdio_relay_run(&c->relay, &fd, &conn, e);
	}
	/* 5. Close, unless step 4 has done so: then fd is -1. */
	sock_close(&fd);
	return result;
}

/*
 * -z: tests the endpoints, and then becomes the program, if there is one.
 * Returns 0, or -1 with *e.
 */
static int
test_and_replace(struct client *c, struct err *e)
{
	int result = connect_check_run(&c->check, e);
	const char *shown;

	if (c->program == NULL)
		return result;
	if (result == 0)
		return proc_replace(c->program, e);
	shown = text_shown(
	    connect_options.exec != NULL ? "--exec's command" : c->program[0]);
	if (e->text[0] != '\0')
		return err_append(e, "%s was not run", shown);
	return err_set(e, e->kind, "%s was not run", shown);
}

/* Checks options and every endpoint, and opens files, before the first
 * connection is made. */
static int
prepare(struct client *c, struct err *e)
{
	struct connector_options *connector = &options.connector;
	const struct stdio_relay_options *relay = &stdio_relay_options;
	bool ends_early = c->action != RELAY || relay->relay.quit_after_script;
	size_t i;

	c->until = deadline_max_time(options.time.max_ms);
	diag_limit(c->until, options_idle_limit().ms);
	c->check.has_program = c->program != NULL;
	c->check.until = c->until;
	connector->checks_via = c->action == CHECK;
	connector->stops_via = ends_early;
	connector->timeout = options_connect_limit();
	/* The test repeats its attempts itself. */
	connector->retry_ms = c->action == CHECK ? -1 : options.time.retry_ms;
	connector->tls.expects_answer =
	    !ends_early && !relay->send_only && relay->on_eof != RELAY_EOF_QUIT;
	/* Unless --on-eof fin was typed. */
	connector->tls.delays_end =
	    connector->tls.expects_answer && relay->on_eof < 0;
	stdio_relay_options.relay.delays_end = connector->proxy != NULL &&
					       !connector->tls.is_on &&
					       relay->on_eof < 0;
	for (i = 0; i < c->check.count; i++)
		if (connector_check(&c->check.endpoints[i], connector, e) < 0)
			return -1;
	if (c->action == RELAY && stdio_relay_open(&c->relay, c->until, e) < 0)
		return -1;
	/* From here on a signal ends the command cleanly. */
	return signals_catch(e);
}

/*
 * Rejects options about stdin and stdout if they are not relayed, and options
 * of tests if none is made.
 */
static int
check_unused(
    const struct client *c, const struct opt *const *used, struct err *e)
{
	const char *with = c->action == CHECK ? "--zero" : "a program";
	const struct opt *test = opt_find_used(used, connect_check_opts);

	if (c->action != CHECK && test != NULL)
		return err_set(e, ERR_USAGE,
		    "--%s is about testing ports: it needs --zero (-z)",
		    test->name);
	if (test != NULL && connect_check_measures() &&
	    options.connector.via != NULL && !options.connector.tls.is_on)
		return err_set(e, ERR_USAGE,
		    "--%s measures connections: the program of --via does not "
		    "report when it has connected",
		    test->name);
	if (c->action == RELAY)
		return 0;
	if (options.time.idle_ms >= 0)
		return err_set(e, ERR_USAGE,
		    "--idle-timeout is about relaying: it does not apply with "
		    "%s",
		    with);
	return stdio_relay_check_unused(used, with, false, e);
}

/* Parses the operands: one endpoint, or with -z any number. */
static int
parse_operands(struct client *c, const struct command_args *args, struct err *e)
{
	char *const *operands = args->operands;
	int left = args->count, used = left;

	if (c->action != CHECK && left > 2)
		return err_set(e, ERR_USAGE, "unexpected operand '%s'",
		    text_shown(operands[2]));
	c->endpoints = mem_array((size_t)left, sizeof(c->endpoints[0]));
	c->check.endpoints = c->endpoints;
	for (; left > 0; operands += used, left -= used) {
		if (c->action == CHECK)
			used = endpoint_operands(operands, left);
		if (endpoint_parse(&c->endpoints[c->check.count++], operands,
			used, "tcp", e) < 0)
			return -1;
	}
	return c->check.count == 1 && c->endpoints->is_unix
		   ? options_check_endpoint(args->used, OPTIONS_UNIX, e)
		   : 0;
}

static int
connect_run(const struct command_args *args, struct err *e)
{
	const char *exec = connect_options.exec;
	struct client c = {.program = args->program};
	struct proc_shell shell;
	int result = -1;

	if (exec != NULL && c.program != NULL)
		return err_set(e, ERR_USAGE,
		    "--exec and a program cannot be used together");
	if (exec != NULL)
		c.program = proc_shell(&shell, exec);
	if (connect_check_measures() && c.program != NULL)
		return err_set(e, ERR_USAGE,
		    "--count, --interval and --stats measure connections: they "
		    "do not run a program");
	if (connect_options.zero)
		c.action = CHECK;
	else
		c.action = c.program != NULL ? PROGRAM : RELAY;
	if (parse_operands(&c, args, e) == 0 &&
	    check_unused(&c, args->used, e) == 0 &&
	    options_check_connector(true, args->used, e) == 0 &&
	    (args->program == NULL || proc_check(args->program, e) == 0) &&
	    (exec == NULL || proc_check_command(exec, e) == 0) &&
	    prepare(&c, e) == 0)
		result = c.action == CHECK ? test_and_replace(&c, e)
					   : connect_and_run(&c, e);
	free(c.endpoints);
	return stdio_relay_release(&c.relay, result, e);
}

const struct command connect_command = {
    .name = "connect",
    .summary = "connect to a server and relay stdin and stdout",
    .operands = "HOST PORT",
    .min_operands = 1,
    .max_operands = -1,
    .runs_program = true,
    .groups = connect_groups,
    .usual = "zero timeout retry-for max-time exec crlf hexdump tls via "
	     "proxy send-only recv-only verbose",
    .notes =
	"HOST PORT can also be HOST:PORT, [IPV6]:PORT, unix:PATH or "
	"unix:@NAME; with -z there can be several. A PROGRAM gets the "
	"connection as its stdin and stdout; with -z it is run afterwards.",
    .examples =
	"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | sockt connect localhost 80\n"
	"sockt connect -z --retry-for 30 db:5432 cache:6379 -- ./start\n"
	"sockt connect -vv localhost 9999\n",
    .run = connect_run,
};
