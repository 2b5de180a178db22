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
	struct stdio_relay_options talk;
	int zero;         /* -z: connect, report, leave */
	const char *exec; /* -e: a program by way of sh -c */
};

static const struct connect_options connect_defaults = {
    .time = TIME_OPTIONS_INIT,
    .sock = SOCK_OPTIONS_INIT,
    .talk = STDIO_RELAY_OPTIONS_INIT,
};

static const struct opt connect_opts[] = {
    FLAG('z', "zero", connect_options, zero, "connect, report, leave"),
    STRING('e', "exec", "CMD", connect_options, exec,
	"give the connection to CMD, by way of sh -c"),
    {.kind = OPT_END},
};

static const struct opt_group connect_groups[] = {
    {"what to do", connect_opts, 0},
    {"relaying", talk_relay_opts, offsetof(struct connect_options, talk)},
    {"script", talk_script_opts, offsetof(struct connect_options, talk)},
    {"records", talk_record_opts, offsetof(struct connect_options, talk)},
    {"addresses", options_names, offsetof(struct connect_options, names)},
    {"addresses", options_proxy, offsetof(struct connect_options, proxy)},
    {"own end", options_source, offsetof(struct connect_options, source)},
    {"time", options_timeout, offsetof(struct connect_options, time)},
    {"time", options_retry, offsetof(struct connect_options, time)},
    {"time", options_idle, offsetof(struct connect_options, time)},
    {"time", options_max, offsetof(struct connect_options, time)},
    {"socket", options_socket, offsetof(struct connect_options, sock)},
    {"report", options_report, offsetof(struct connect_options, report)},
    {NULL, NULL, 0}};

/* One connection. */
struct connection {
	int fd;
	struct dial_result names;
};

/*
 * The end of a program's connection. What the program has started may go on
 * with it: then our copy is closed only, since shutdown(2) is of the
 * connection. Else what the peer still sends is drained.
 */
static void
end_connection(struct connection *c, struct deadline until, bool goes_on)
{
	if (goes_on)
		sock_close(&c->fd);
	else
		sock_close_drained(&c->fd, until);
}

/* A program; its exit status becomes ours. */
static int
run_program(struct connection *c, char *const *argv, struct deadline until,
    struct err *e)
{
	struct program p = {.argv = argv,
	    .protocol = "TCP",
	    .local = &c->names.local,
	    .remote = &c->names.remote};
	struct conn conn = {c->names.local, c->names.remote, clock_now()};
	struct conn_summary sum;
	bool goes_on;
	pid_t pid;
	int status;

	if (sock_nonblocking(c->fd, false) < 0)
		return err_sys(e, ERR_FAILED, errno, "the connection");
	p.in = p.out = c->fd;
	program_watch_descendants();
	pid = program_start(&p, e);
	if (pid < 0)
		return -1;
	status = program_wait(pid, until, e);
	goes_on = status >= 0 && program_descendants_live();
	conn_event_summarize(c->fd, goes_on, &sum);
	if (goes_on)
		conn_event_goes_on(&conn);
	end_connection(c,
	    deadline_first(
		until, deadline_after(status < 0 ? 0 : SOCK_DRAIN_MS)),
	    goes_on);
	conn_event_closed(
	    DIAG_NOTE, &conn, &sum, status < 0 ? (int)e->kind : status);
	return status <= 0 ? status : err_status(e, status);
}

/* Options about stdin and stdout, where these are not used. */
static int
check_unused(const struct connect_options *o, const struct command_args *args,
    struct err *e)
{
	const char *with = o->zero ? "--zero" : "a program";

	if (o->time.idle_ms >= 0)
		return err_set(e, ERR_USAGE,
		    "--idle-timeout is about relaying: it does not apply with "
		    "%s",
		    with);
	return stdio_relay_check_unused(args->given, with, e);
}

/* Everything behind the options: open, run, close. */
static int
run(const struct connect_options *o, const struct endpoint *ep,
    char *const *program, struct stdio_relay *t, struct err *e)
{
	struct deadline until = deadline_after(o->time.max_ms);
	struct connector_options r = {
	    .timeout_ms = o->time.timeout_ms, .retry_ms = o->time.retry_ms};
	struct connection c = {.fd = -1};
	int result = 0;

	if (o->proxy.proxy.kind != PROXY_NONE)
		r.proxy = &o->proxy.proxy;
	options_make_dial(&r.dial, &o->names, &o->source, &o->sock);
	if (connector_check(ep, &r, e) < 0 ||
	    (t != NULL &&
		stdio_relay_open(t, &o->talk, &o->time, until, e) < 0))
		return -1;
	if (signals_catch(SIGNALS_STOP, e) < 0)
		return -1;
	c.fd = connector_open(ep, &r, until, &c.names, e);
	if (c.fd < 0)
		return -1;
	if (program != NULL)
		result = run_program(&c, program, until, e);
	else if (t != NULL)
		result = stdio_relay_run(
		    t, &c.fd, &c.names.local, &c.names.remote, e);
	sock_close(&c.fd);
	return result;
}

static int
connect_run(const void *options, const struct command_args *args, struct err *e)
{
	const struct connect_options *o = options;
	char *const *program = args->program;
	struct program_shell shell;
	struct stdio_relay t = {0};
	struct endpoint ep;
	int result;

	if (o->exec != NULL && program != NULL)
		return err_set(e, ERR_USAGE,
		    "--exec and a program cannot be used together");
	if (o->zero && (o->exec != NULL || program != NULL))
		return err_set(e, ERR_USAGE,
		    "--zero only connects: a program cannot be given the "
		    "connection ('sockt connect -z HOST PORT && PROGRAM' runs "
		    "it afterwards)");
	if (o->exec != NULL)
		program = program_shell(&shell, o->exec);
	if (endpoint_parse(&ep, args->operands, args->count, "tcp", e) < 0)
		return -1;
	if (o->zero || program != NULL)
		return check_unused(o, args, e) < 0
			   ? -1
			   : run(o, &ep, program, NULL, e);
	result = run(o, &ep, NULL, &t, e);
	return stdio_relay_release(&t, result, e);
}

const struct command connect_command = {
    .name = "connect",
    .summary = "connect to a server and relay stdin and stdout",
    .operands = "HOST PORT",
    .min_operands = 1,
    .max_operands = 2,
    .takes_program = true,
    .groups = connect_groups,
    .defaults = &connect_defaults,
    .size = sizeof(struct connect_options),
    .notes =
	"HOST PORT may also be HOST:PORT, [V6]:PORT, unix:PATH or "
	"unix:@NAME.\n\n"
	"examples:\n"
	"  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | sockt connect localhost 80\n"
	"  sockt connect -z -w 2 localhost 22 && echo open\n"
	"  sockt connect -vv localhost 9999\n",
    .run = connect_run,
};
