/*
 * connect: a client. Resolve, socket, connect, send and receive, close.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "cmd/result.h"
#include "cmd/stdio_relay.h"
#include "cmd/table.h"
#include "dial/connector.h"
#include "dial/tester.h"
#include "dial/trace.h"
#include "net/endpoint.h"
#include "net/link.h"
#include "net/proc.h"
#include "net/sandbox.h"
#include "net/signals.h"
#include "net/sock.h"

static const char *const until_words[] = {"open", "closed", NULL};

static struct {
	/* -z: connect, report and exit. */
	int zero;
	/* The options of that test, as far as they can be typed. */
	struct tester_options test;
	/* --trace: show the routers on the way. */
	int trace;
	/* -e: a program that is run by sh -c. */
	const char *exec;
} connect_options = {.test.interval_ms = -1};

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

static const struct opt zero_opts[] = {
    FLAG(0, "any", connect_options, test.any,
	"succeed when one of several endpoints is open",
	.excludes = "count interval stats"),
    NUMBER(0, "count", "N", connect_options, test.attempts,
	"connect N times, and print each round trip", .min = 1,
	.excludes = "retry-for exec program"),
    DURATION(0, "interval", "TIME", connect_options, test.interval_ms,
	"connect every TIME, without --count until interrupted",
	.excludes = "retry-for exec program"),
    FLAG(0, "stats", connect_options, test.has_summary,
	"print a summary: attempts, failures, round-trip times",
	.excludes = "retry-for exec program"),
    CHOICE(0, "until", "STATE", connect_options, test.awaits_closed,
	"succeed when the endpoints are open, or when they are closed",
	.choices = until_words,
	.excludes = "count interval stats proxy via tls starttls"),
    {.kind = OPT_END},
};

#define NOT_RELAYED .excludes = "zero exec program trace"

static const struct opt_group connect_groups[] = {GROUP("action", connect_opts),
    GROUP("testing ports (with --zero)", zero_opts, .needs = "zero"),
    GROUP("relaying stdin and stdout", stdio_relay_opts, NOT_RELAYED),
    GROUP("relaying stdin and stdout", stdio_relay_rate_opts, NOT_RELAYED),
    GROUP("a scripted conversation", stdio_relay_script_opts, NOT_RELAYED),
    GROUP("recording", stdio_relay_record_opts, NOT_RELAYED),
    GROUP("addresses", options_names, OPTIONS_NOT_VIA),
    GROUP("transport", options_proxy), GROUP("transport", options_tls_on),
    GROUP("transport", options_tls_server),
    GROUP("transport", options_tls, .needs = "tls starttls"),
    GROUP("transport", options_tls_local, .needs = "tls starttls"),
    GROUP("transport", options_tls_version, .needs = "tls starttls"),
    GROUP("local address", options_source, OPTIONS_NOT_VIA),
    GROUP("local address", options_interface, OPTIONS_NOT_VIA),
    GROUP("time limits", options_time_connect),
    GROUP("socket options", options_keepalive, OPTIONS_NOT_VIA),
    GROUP("socket options", options_socket, OPTIONS_NOT_VIA),
    GROUP("messages", options_report), {.opts = NULL}};

/* The command's state. */
struct connect_state {
	const struct options *options;

	/* The program that gets the connection as its stdin and stdout, or
	 * with -z runs after the test. NULL: none. */
	char *const *program;

	/* The endpoints to connect to: several with -z, otherwise one. The
	 * array is owned. */
	struct endpoint *endpoints;
	size_t count;

	/* How to connect. */
	struct connector_options connector;

	/* Whether stdin is sent and stdout receives, and the relay that does
	 * that. */
	bool relays;
	struct stdio_relay relay;
};

static int parse_operands(
    struct connect_state *c, const struct command_args *args, struct err *e);
static int prepare(struct connect_state *c, struct err *e);
static int connect_and_run(struct connect_state *c, struct err *e);
static int run_program(
    const struct connect_state *c, struct link *l, struct err *e);
static int test_and_replace(struct connect_state *c, struct err *e);
static int trace(const struct connect_state *c, struct err *e);
static void suggest_trace(const struct connect_state *c, struct err *e);

/* Takes the options and the operands; then connects for a relay or a program,
 * tests endpoints (-z), or traces the way to one. */
static int
connect_run(const struct command_args *args, struct err *e)
{
	const char *exec = connect_options.exec;
	struct connect_state c = {
	    .options = options_complete(true), .program = args->program};
	char *shell[4];
	int result = -1;

	c.connector = c.options->connector;
	if (exec != NULL)
		c.program = proc_shell(shell, exec);
	if (tester_measures(&connect_options.test) && c.connector.via != NULL &&
	    !c.connector.tls.is_on)
		return err_set(e, ERR_USAGE,
		    "--count, --interval and --stats measure connections: the "
		    "program of --via does not report when it has connected");
	c.relays = !connect_options.trace && !connect_options.zero &&
		   c.program == NULL;
	if (parse_operands(&c, args, e) == 0 && options_check_via(e) == 0 &&
	    (args->program == NULL || proc_check(args->program, e) == 0) &&
	    (exec == NULL || proc_check_command(exec, e) == 0) &&
	    prepare(&c, e) == 0)
		result = connect_options.trace  ? trace(&c, e)
			 : connect_options.zero ? test_and_replace(&c, e)
						: connect_and_run(&c, e);
	if (result < 0 && !connect_options.trace)
		suggest_trace(&c, e);
	free(c.endpoints);
	return stdio_relay_close(&c.relay, result, e);
}

/* Parses the operands: one endpoint, or with -z any number. */
static int
parse_operands(
    struct connect_state *c, const struct command_args *args, struct err *e)
{
	char *const *operands = args->operands;
	int left = args->count, used = left;

	if (!connect_options.zero && left > 2)
		return err_set(e, ERR_USAGE, "unexpected operand '%s'",
		    text_shown(operands[2]));
	c->endpoints = mem_array((size_t)left, sizeof(c->endpoints[0]));
	for (; left > 0; operands += used, left -= used) {
		if (connect_options.zero)
			used = endpoint_operands(operands, left);
		if (endpoint_parse(&c->endpoints[c->count++], operands, used,
			"tcp", e) < 0)
			return -1;
	}
	return c->count == 1 && c->endpoints->is_unix
		   ? options_check_unix(args, e)
		   : 0;
}

/* Checks options and endpoints, and opens files, before connecting. */
static int
prepare(struct connect_state *c, struct err *e)
{
	struct connector_options *connector = &c->connector;
	const struct stdio_relay_options *relay =
	    stdio_relay_complete(c->options);
	size_t i;

	diag_limit(c->options->until, c->options->idle.ms);
	connector->checks_via = connect_options.zero;
	connector->stops_via = !c->relays || relay->relay.quit_after_script;
	connector->tls.is_single = !connect_options.zero;
	connector->eof = relay->eof;
	connector->expects_answer = c->relays && relay->expects_answer;
	for (i = 0; i < c->count; i++)
		if (connector_check(&c->endpoints[i], connector, e) < 0)
			return -1;
	if (c->relays && stdio_relay_open(&c->relay, relay, e) < 0)
		return -1;
	/* From here on a signal ends the command cleanly. */
	return signals_catch(e);
}

/* The steps of a client. Returns as stdio_relay_run() or run_program(). */
static int
connect_and_run(struct connect_state *c, struct err *e)
{
	struct link l;
	int result;

	/* 1. Resolve the name, 2. make a socket, 3. connect it. */
	if (connector_open(
		c->endpoints, &c->connector, c->options->until, &l, e) < 0)
		return -1;
	l.start_ns = clock_now();
	/* 4. Send and receive. */
	if (c->program != NULL) {
		result = run_program(c, &l, e);
	} else {
		sandbox_enter();
		result = stdio_relay_run(&c->relay, &l, e);
	}
	/* 5. Close, unless step 4 has done so. */
	link_discard(&l);
	return result;
}

/*
 * Runs a program with the connection as its stdin and stdout. Returns -1 with
 * *e, or the program's exit status, which becomes sockt's. If child processes
 * of the program still hold the connection when it exits, only this process's
 * descriptor is closed, since shutdown(2) would affect them too. Otherwise what
 * the peer still sends is drained.
 */
static int
run_program(const struct connect_state *c, struct link *l, struct err *e)
{
	const struct program program = {.argv = c->program,
	    .in = l->fd,
	    .out = l->fd,
	    .protocol = l->route == LINK_ROUTE_PROGRAM ? NULL : "TCP",
	    .local = &l->local,
	    .remote = &l->remote};
	bool is_kept_open, is_killed;
	struct proc *p;
	int status;

	/* Programs expect a blocking socket. */
	if (sock_nonblocking(l->fd, false) < 0)
		return err_sys(e, ERR_FAILED, errno, "the connection");
	p = proc_start(&program, e);
	if (p == NULL)
		return -1;
	status = proc_wait(p, c->options->until);
	if (p->is_ending && signals_stopped() != 0)
		status = err_sys(e, ERR_FAILED, EINTR, "the program");
	else if (p->is_ending)
		status = deadline_error(
		    c->options->until, "the program was still running", e);
	is_killed = p->is_killed && !p->is_ending;
	proc_free(&p);
	is_kept_open = link_is_direct(l) && status >= 0 && proc_orphans_live();
	link_find_outcome(l, is_kept_open);
	if (status >= 0 && !is_kept_open) {
		link_record_program_exit(l, status, fd_available(l->fd));
		/* A FIN would make half an answer look whole. */
		if (is_killed)
			l->reset = LINK_RESET_BY_US;
	}
	/* TLS or the program of --via would turn a FIN into a complete end. */
	if (is_kept_open || (status < 0 && !link_is_direct(l)))
		sock_close(&l->fd);
	status = link_close(l, status, c->options->until, e);
	link_log_closed(DIAG_NOTE, l, status < 0 ? (int)e->kind : status);
	return status <= 0 ? status : err_status(e, status);
}

/* After a timeout of connecting, suggests --trace. */
static void
suggest_trace(const struct connect_state *c, struct err *e)
{
	const struct err_row *row = err_find(CAUSE_NO_ANSWER, ERR_AT_TCP);
	const struct endpoint *ep = c->endpoints;
	struct addr a;

	if (ep == NULL || e->kind != ERR_TIMEOUT ||
	    strstr(e->text, row->meaning) == NULL || ep->is_unix ||
	    endpoint_is_under(ep, "localhost") || c->connector.proxy != NULL ||
	    c->connector.via != NULL ||
	    (addr_parse_ip(&a, ep->host, 0) && addr_is_loopback(&a)))
		return;
	diag_error(e);
	diag_warn("to see how far packets get: sockt connect --trace %s %u",
	    text_shown(ep->host), ep->port);
	(void)err_status(e, (int)e->kind);
}

/*
 * -z: tests the endpoints, and then becomes the program, if there is one.
 * Returns -1 with *e if an endpoint failed; its status is that of the worst
 * failure, with --any of the best one (in sockt-connect(1), EXIT STATUS).
 */
static int
test_and_replace(struct connect_state *c, struct err *e)
{
	struct tester_options o = connect_options.test;
	bool has_results =
	    tester_measures(&o) || (diag_is_json() && c->program == NULL);
	const char *shown;

	o.endpoints = c->endpoints;
	o.count = c->count;
	o.connector = &c->connector;
	o.until = c->options->until;
	o.output = STDOUT_FILENO;
	o.print = result_print;
	o.flush = result_flush;
	if ((!has_results || result_start(c->options->until, true, e) == 0) &&
	    tester_run(&o, e) == 0)
		return c->program == NULL ? 0 : proc_replace(c->program, e);
	if (c->program == NULL)
		return -1;
	shown = text_shown(
	    connect_options.exec != NULL ? "--exec's command" : c->program[0]);
	if (e->text[0] != '\0')
		return err_append(e, "%s was not run", shown);
	return err_set(e, e->kind, "%s was not run", shown);
}

/* Prints a row of --trace, as in "3  192.0.2.7  0.31 ms  open" or "3-30  *", or
 * emits it as an event, unless it is silent. Returns 0, or -1 with *e. */
static int
report_hop(const struct trace_hop *hop, struct err *e)
{
	bool is_silent = hop->addr.len == 0;
	struct json *j;

	if (diag_is_json() && !is_silent) {
		j = diag_event_begin("hop");
		json_number(j, "hop", (uint64_t)hop->first);
		json_text(j, "address", addr_ip_text(&hop->addr));
		if (hop->ns != 0)
			json_seconds(j, "seconds", (double)hop->ns / 1e9);
		diag_event_end(DIAG_STEP + 1, "%s", "");
	} else if (!diag_is_json()) {
		result_print("%d", hop->first);
		if (hop->last > hop->first)
			result_print("-%d", hop->last);
		result_print(
		    "  %s", is_silent ? "*" : addr_ip_text(&hop->addr));
		if (hop->ns != 0)
			result_print("  %s", num_duration_text(hop->ns));
		if (hop->state != NULL)
			result_print("  %s", hop->state);
		result_print("\n");
	}
	return result_flush(e);
}

/* --trace. Returns 0 if the port is open, or -1 with *e. */
static int
trace(const struct connect_state *c, struct err *e)
{
	const struct connector_options *o = &c->connector;
	struct deadline limit =
	    deadline_limit(o->timeout.ms, o->timeout.option);
	struct addr_list list = {0};
	int result = -1;

	if (result_start(c->options->until, true, e) == 0 &&
	    resolve(c->endpoints, o->dial.names,
		deadline_first(c->options->until, limit), &list, e) == 0)
		result = trace_run(&list.items[0], o->dial.sock, o->timeout,
		    c->options->until, report_hop, e);
	addr_list_release(&list);
	return result;
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
