/*
 * connect: a client. Resolve, socket, connect, send and receive, close.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/connect_check.h"
#include "cmd/options.h"
#include "cmd/result.h"
#include "cmd/stdio_relay.h"
#include "cmd/table.h"
#include "net/conn_event.h"
#include "net/endpoint.h"
#include "net/link.h"
#include "net/proc.h"
#include "net/sandbox.h"
#include "net/signals.h"
#include "net/sock.h"
#include "dial/connector.h"
#include "dial/trace.h"

static struct {
	int zero;         /* -z: connect, report, exit */
	int trace;        /* --trace: show the hops of the connection */
	const char *exec; /* -e: a program run by sh -c */
} connect_options;

static const struct opt connect_opts[] = {
    FLAG(
	'z', "zero", connect_options, zero, "only test whether the port opens"),
    STRING('e', "exec", "COMMAND", connect_options, exec,
	"run COMMAND on the connection (sh -c); with -z, become it afterwards",
	.excludes = "program"),
    FLAG(0, "trace", connect_options, trace,
	"show the routers on the way, and whether the port opens",
	.excludes = "zero exec program unix tls starttls proxy via retry-for "
		    "ttl source-port"),
    {.kind = OPT_END},
};

static const struct opt rate_opts[] = {
    SIZE(0, "limit-rate", "SIZE", stdio_relay_options, relay.rate,
	"send at most SIZE bytes of stdin per second", .min = 1,
	.max = 1 << 30),
    {.kind = OPT_END},
};

static const struct opt time_opts[] = {
    OPTIONS_TIMEOUT("connect within TIME, then idle for at most TIME"),
    OPTIONS_CONNECT("connect within TIME"),
    OPTIONS_RETRY("keep retrying for at most TIME"),
    OPTIONS_IDLE("stop when nothing is sent or received for TIME",
	.excludes = "zero exec program trace"),
    OPTIONS_MAX("run for at most TIME"),
    {.kind = OPT_END},
};

#define NOT_RELAYED .excludes = "zero exec program trace"

static const struct opt_group connect_groups[] = {GROUP("action", connect_opts),
    GROUP("testing ports (with --zero)", connect_check_opts, .needs = "zero"),
    GROUP("relaying stdin and stdout", stdio_relay_opts, NOT_RELAYED),
    GROUP("relaying stdin and stdout", rate_opts, NOT_RELAYED),
    GROUP("a scripted conversation", stdio_relay_script_opts, NOT_RELAYED),
    GROUP("recording", stdio_relay_record_opts, NOT_RELAYED),
    GROUP("addresses", options_names, OPTIONS_NOT_VIA),
    GROUP("addresses", options_proxy), GROUP("transport", options_via),
    GROUP("transport", options_tls_on), GROUP("transport", options_starttls),
    GROUP("transport", options_tls, .needs = "tls starttls"),
    GROUP("transport", options_tls_local, .needs = "tls starttls"),
    GROUP("transport", options_tls_connect, .needs = "tls starttls"),
    GROUP("transport", options_tls_version, .needs = "tls starttls"),
    GROUP("local address", options_source, OPTIONS_NOT_VIA),
    GROUP("local address", options_interface, OPTIONS_NOT_VIA),
    GROUP("time limits", time_opts),
    GROUP("socket options", options_keepalive, OPTIONS_NOT_VIA),
    GROUP("socket options", options_socket, OPTIONS_NOT_VIA),
    GROUP("messages", options_report), {.opts = NULL}};

/* What to do with the connection. */
enum action {
	TRACE,   /* none is made: show its hops */
	CHECK,   /* nothing: the result is whether it opens (-z) */
	PROGRAM, /* make it a program's stdin and stdout */
	RELAY    /* send stdin, write received data to stdout */
};

/* The command's state. */
struct client {
	enum action action;
	char *const *program; /* PROGRAM; CHECK: run it afterwards */
	struct connector_options connector;
	struct stdio_relay relay;   /* RELAY */
	struct endpoint *endpoints; /* owned; several with CHECK only */
	size_t count;               /* of them */
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
run_program(const struct client *c, struct link *l, struct err *e)
{
	const struct program program = {.argv = c->program,
	    .in = l->fd,
	    .out = l->fd,
	    .protocol = l->program != NULL ? NULL : "TCP",
	    .local = &l->local,
	    .remote = &l->remote};
	bool is_kept_open;
	struct proc *p;
	int status;

	/* Programs expect a blocking socket. */
	if (sock_nonblocking(l->fd, false) < 0)
		return err_sys(e, ERR_FAILED, errno, "the connection");
	p = proc_start(&program, NULL, e);
	if (p == NULL) {
		link_discard(l);
		return -1;
	}
	status = proc_wait(p, c->until);
	if (p->is_ending && signals_stopped() != 0)
		status = err_sys(e, ERR_FAILED, EINTR, "the program");
	else if (p->is_ending)
		status = deadline_error(
		    c->until, "the program was still running", e);
	proc_free(&p);
	is_kept_open = link_is_direct(l) && status >= 0 && proc_orphans_live();
	link_count(l, is_kept_open);
	if (is_kept_open)
		conn_event_goes_on(l);
	/* A process in between would pass the end of the input on as a complete
	 * end. */
	if (is_kept_open || (status < 0 && !link_is_direct(l)))
		sock_close(&l->fd);
	status = link_close(l, status, c->until, e);
	conn_event_closed(DIAG_NOTE, l, status < 0 ? (int)e->kind : status);
	return status <= 0 ? status : err_status(e, status);
}

static int
connect_and_run(struct client *c, struct err *e)
{
	struct link l;
	int result = 0;

	/* 1. Resolve the name, 2. make a socket, 3. connect it. */
	if (connector_open(c->endpoints, &c->connector, c->until, &l, e) < 0)
		return -1;
	l.start_ns = clock_now();
	/* Unless --on-eof fin was typed. */
	l.delays_end = options.connector.proxy != NULL &&
		       !options.connector.tls.is_on &&
		       stdio_relay_options.on_eof < 0;
	/* 4. Send and receive. */
	if (c->action == PROGRAM) {
		result = run_program(c, &l, e);
	} else {
		sandbox_enter();
		result = stdio_relay_run(&c->relay, &l, e);
	}
	/* 5. Close, unless step 4 has done so: then fd is -1. */
	sock_close(&l.fd);
	return result;
}

/*
 * -z: tests the endpoints, and then becomes the program, if there is one.
 * Returns 0, or -1 with *e.
 */
static int
test_and_replace(struct client *c, struct err *e)
{
	const struct connect_check check = {.endpoints = c->endpoints,
	    .count = c->count,
	    .connector = &c->connector,
	    .has_program = c->program != NULL,
	    .until = c->until};
	int result = connect_check_run(&check, e);
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

/* Prints a row of --trace, or emits it as an event. */
static void
report_hop(const struct trace_hop *hop)
{
	struct json *j;

	if (diag_is_json() && hop->addr.len == 0)
		return;
	if (diag_is_json()) {
		j = diag_event_begin("hop");
		json_number(j, "hop", (uint64_t)hop->first);
		json_text(j, "address", addr_ip_text(&hop->addr));
		json_seconds(j, "seconds", (double)hop->ns / 1e9);
		diag_event_end(DIAG_STEP + 1, "%s", "");
	} else {
		result_print("%s\n", trace_hop_text(hop));
	}
}

/* --trace. Returns 0 if the port is open, or -1 with *e. */
static int
trace(const struct client *c, struct err *e)
{
	const struct connector_options *o = &c->connector;
	struct addr_list list = ADDR_LIST_INIT;
	struct trace_hop hop;
	struct trace *t = NULL;
	int result = -1;

	if (result_start(c->until, true, e) == 0 &&
	    resolve(c->endpoints, o->dial.names,
		deadline_first(
		    c->until, deadline_limit(o->timeout.ms, o->timeout.option)),
		&list, e) == 0)
		t = trace_start(&list.items[0], o->dial.sock, o->timeout);
	if (t != NULL)
		while ((result = trace_next(t, c->until, &hop, e)) > 0) {
			report_hop(&hop);
			if (result_flush(e) < 0) {
				result = -1;
				break;
			}
		}
	trace_free(t);
	addr_list_release(&list);
	return result;
}

/* After a timeout of connecting, names --trace, which shows how far packets
 * get. */
static void
suggest_trace(const struct client *c, struct err *e)
{
	const struct err_row *row = err_find(CAUSE_NO_ANSWER, ERR_AT_TCP);
	const struct endpoint *ep = c->endpoints;
	struct addr a;

	if (ep == NULL || e->kind != ERR_TIMEOUT ||
	    strstr(e->text, row->meaning) == NULL || ep->is_unix ||
	    endpoint_is_localhost(ep) || options.connector.proxy != NULL ||
	    options.connector.via != NULL ||
	    (addr_parse_ip(&a, ep->host, 0) && addr_is_loopback(&a)))
		return;
	diag_error(e);
	diag_warn(
	    "how far packets get is shown by: sockt connect --trace %s %u",
	    text_shown(ep->host), ep->port);
	(void)err_status(e, (int)e->kind);
}

/* Checks options and every endpoint, and opens files, before the first
 * connection is made. */
static int
prepare(struct client *c, struct err *e)
{
	struct connector_options *connector = &c->connector;
	const struct stdio_relay_options *relay = &stdio_relay_options;
	bool ends_early = c->action != RELAY || relay->relay.quit_after_script;
	size_t i;

	c->until = deadline_max_time(options.time.max_ms);
	diag_limit(c->until, options_idle_limit().ms);
	connector->checks_via = c->action == CHECK;
	connector->stops_via = ends_early;
	connector->is_single = c->action != CHECK;
	/* The test repeats its attempts itself. */
	if (c->action == CHECK)
		connector->retry_ms = -1;
	connector->tls.expects_answer =
	    !ends_early && !relay->send_only && relay->on_eof != RELAY_EOF_QUIT;
	/* Unless --on-eof fin was typed. */
	connector->tls.delays_end =
	    connector->tls.expects_answer && relay->on_eof < 0;
	for (i = 0; i < c->count; i++)
		if (connector_check(&c->endpoints[i], connector, e) < 0)
			return -1;
	if (c->action == RELAY && stdio_relay_open(&c->relay, c->until, e) < 0)
		return -1;
	/* From here on a signal ends the command cleanly. */
	return signals_catch(e);
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
	for (; left > 0; operands += used, left -= used) {
		if (c->action == CHECK)
			used = endpoint_operands(operands, left);
		if (endpoint_parse(&c->endpoints[c->count++], operands, used,
			"tcp", e) < 0)
			return -1;
	}
	return c->count == 1 && c->endpoints->is_unix
		   ? options_check_unix(args, e)
		   : 0;
}

static int
connect_run(const struct command_args *args, struct err *e)
{
	const char *exec = connect_options.exec;
	struct client c = {.program = args->program};
	struct proc_shell shell;
	int result = -1;

	if (exec != NULL)
		c.program = proc_shell(&shell, exec);
	if (connect_check_measures() && options.connector.via != NULL &&
	    !options.connector.tls.is_on && options.starttls < 0)
		return err_set(e, ERR_USAGE,
		    "--count, --interval and --stats measure connections: the "
		    "program of --via does not report when it has connected");
	if (connect_options.trace)
		c.action = TRACE;
	else if (connect_options.zero)
		c.action = CHECK;
	else
		c.action = c.program != NULL ? PROGRAM : RELAY;
	if (parse_operands(&c, args, e) == 0 &&
	    options_make_connector(&c.connector, true, e) == 0 &&
	    (args->program == NULL || proc_check(args->program, e) == 0) &&
	    (exec == NULL || proc_check_command(exec, e) == 0) &&
	    prepare(&c, e) == 0)
		result = c.action == TRACE   ? trace(&c, e)
			 : c.action == CHECK ? test_and_replace(&c, e)
					     : connect_and_run(&c, e);
	if (result < 0 && c.action != TRACE)
		suggest_trace(&c, e);
	free(c.endpoints);
	return recorder_close(&c.relay.recorder, true, result, e);
}

const struct command connect_command = {
    .name = "connect",
    .summary = "connect to a server and relay standard input and output",
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
