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
#include "base/rtt.h"
#include "base/step.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "cmd/result.h"
#include "cmd/stdio_relay.h"
#include "cmd/table.h"
#include "dial/connector.h"
#include "net/endpoint.h"
#include "net/link.h"
#include "net/proc.h"
#include "net/sandbox.h"
#include "net/signals.h"
#include "net/sock.h"
#include "net/wait.h"

/* At most this many attempts of -z are in flight; the others wait. */
#define MAX_IN_FLIGHT 256

enum { UNTIL_OPEN, UNTIL_CLOSED };
static const char *const until_words[] = {"open", "closed", NULL};

static struct {
	int zero;         /* -z: connect, report, exit */
	int trace;        /* --trace: show the hops of the connection */
	const char *exec; /* -e: a program run by sh -c */

	/* With -z. */
	int any;             /* one endpoint suffices */
	int64_t count;       /* attempts on each; 0: not given */
	int64_t interval_ms; /* from one attempt to the next; -1: not given */
	int stats;           /* print a summary */
	int until;           /* open or closed */
} connect_options = {.interval_ms = -1};

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
    FLAG(0, "any", connect_options, any,
	"succeed when one of several endpoints is open",
	.excludes = "count interval stats"),
    NUMBER(0, "count", "N", connect_options, count,
	"connect N times, and print each round trip", .min = 1,
	.excludes = "retry-for exec program"),
    DURATION(0, "interval", "TIME", connect_options, interval_ms,
	"connect every TIME, without --count until interrupted",
	.excludes = "retry-for exec program"),
    FLAG(0, "stats", connect_options, stats,
	"print a summary: attempts, failures, round-trip times",
	.excludes = "retry-for exec program"),
    CHOICE(0, "until", "STATE", connect_options, until,
	"succeed when the endpoints are open, or when they are closed",
	.choices = until_words,
	.excludes = "count interval stats proxy via tls"),
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
struct client {
	const struct options *options; /* completed */
	char *const *program; /* its stdin and stdout are the connection; with
				 -z, what follows the test; NULL: none */
	bool relays;          /* stdin is sent, and stdout receives */
	struct connector_options connector;
	struct stdio_relay relay;   /* if relays */
	struct endpoint *endpoints; /* owned; several with -z only */
	size_t count;               /* of them */
	struct deadline until;      /* --max-time */
};

/* -z: whether each endpoint is connected to again and again, and timed. */
static bool
measures(void)
{
	return connect_options.count > 0 || connect_options.interval_ms >= 0 ||
	       connect_options.stats;
}

/* The result of an attempt; a child passes it to its parent. */
struct attempt_record {
	int64_t ns;      /* how long it took, without the name lookup */
	bool is_refused; /* it failed, since nobody listens */
	struct err e;    /* ERR_NONE if it connected */
};

/* An endpoint, and its attempt: a dial, or a child if that needs one. */
struct target {
	const struct endpoint *endpoint;
	int64_t due_ns;               /* when its next attempt may begin;
					 INT64_MAX: it waits for none */
	struct reconnect *retry;      /* --retry-for, owned; NULL */
	uint64_t attempts, connected; /* those recorded */
	enum err_kind kind;           /* of the last failure */
	char *reason; /* its text, if it is reported later; owned */
	struct rtt times;

	int64_t start_ns;
	struct deadline until;
	size_t at; /* its first entry of fds */
	struct dial *dial;
	struct proc *child; /* its pair has the record */
};

/* All of them. */
struct target_list {
	const struct client *client;
	struct target *items;
	uint64_t max;   /* attempts on each; 0: until interrupted */
	size_t cursor;  /* the item that is looked at next */
	int64_t due_ns; /* of the first attempt that waits */
	struct target *in_flight[MAX_IN_FLIGHT];
	size_t count, limit; /* of those in flight */
	struct pollfd *fds;
	struct dial_options dial;
	const char *missing; /* for errors: what did not happen in time */
	bool has_succeeded;  /* an endpoint has */
	int64_t start_ns;
};

/* Makes the attempt in a child. Returns 0, or -1 with *e. */
static int
start_child(struct target *t, const struct connector_options *o, struct err *e)
{
	struct attempt_record r;
	struct link l = {.fd = -1};
	pid_t pid = proc_fork(
	    &t->child, &(const struct proc_options){.has_pair = true});

	if (pid == 0) {
		memset(&r, 0, sizeof(r));
		t->start_ns = clock_now();
		if (signals_catch(&r.e) == 0)
			(void)connector_open(
			    t->endpoint, o, t->until, &l, &r.e);
		r.ns = clock_now() - t->start_ns - l.resolve_ns;
		if (l.fd >= 0) {
			err_clear(&r.e);
			link_discard(&l);
		}
		(void)fd_write_all(t->child->fd, &r, sizeof(r));
		_exit(0);
	}
	if (pid > 0)
		return 0;
	return err_sys(e, ERR_FAILED, errno, "%s", endpoint_text(t->endpoint));
}

/* Reports an attempt: as a result, if round trips are measured. */
static void
log_attempt(const struct target_list *list, const struct target *t,
    const struct attempt_record *r)
{
	bool is_connected = r->e.kind == ERR_NONE;
	bool is_closed = is_connected && connect_options.until == UNTIL_CLOSED;
	struct json *j;
	const char *text = endpoint_text(t->endpoint);
	const char *outcome = !is_connected ? "not connected"
			      : is_closed   ? "closed"
					    : text_format("connected in %s",
						  num_duration_text(r->ns));

	if (measures() && !diag_is_json()) {
		if (is_connected)
			result_print("%s: %s\n", text, outcome);
		else
			diag_warn("%s", r->e.text);
		return;
	}
	j = diag_event_begin("tested");
	json_text(j, "endpoint", text);
	json_number(j, "status", r->e.kind);
	if (is_connected)
		json_seconds(j, "seconds", (double)r->ns / 1e9);
	else
		json_text(j, "reason", r->e.text);
	/* A single endpoint has had the line of its connection. */
	diag_event_end(list->client->count == 1 && !is_closed ? DIAG_STEP + 1
		       : is_connected                         ? DIAG_NOTE
							      : DIAG_STEP,
	    "%s: %s", text, outcome);
}

/* The target waits for its next attempt. */
static void
await_turn(struct target_list *list, struct target *t, int64_t due_ns)
{
	t->due_ns = due_ns;
	if (due_ns < list->due_ns)
		list->due_ns = due_ns;
}

/* Records an attempt. Failures are reported at the end with --any, if none has
 * succeeded, and by the command if the endpoint is the only one. */
static void
record_attempt(
    struct target_list *list, struct target *t, const struct attempt_record *r)
{
	int64_t next_ns = t->start_ns;

	free(t->retry);
	t->retry = NULL;
	t->attempts++;
	log_attempt(list, t, r);
	if (r->e.kind == ERR_NONE) {
		list->has_succeeded = true;
		t->connected++;
		rtt_add(&t->times, r->ns);
	} else {
		t->kind = r->e.kind;
		free(t->reason);
		t->reason = NULL;
		if (measures() || connect_options.any ||
		    list->client->count == 1)
			t->reason = mem_text(r->e.text);
		else
			diag_error(&r->e);
	}
	if (connect_options.interval_ms > 0)
		next_ns += clock_ns(connect_options.interval_ms);
	if (list->max == 0 || t->attempts < list->max)
		await_turn(list, t, next_ns);
}

/*
 * Records an attempt that has ended, unless another one follows. An attempt
 * that ran out of descriptors is repeated when one of the others has ended; one
 * that --max-time ended measures nothing. With --until closed an open port is
 * the failure, and a refusal is not.
 */
static void
on_end(struct target_list *list, struct target *t, struct attempt_record *r)
{
	bool may_retry = r->e.waits;
	int errnum = r->e.errnum;

	if (r->e.kind != ERR_NONE && list->count > 0 &&
	    (err_is_shortage(errnum) ||
		(r->e.kind == ERR_FAILED && errnum == EAGAIN))) {
		list->limit = list->count;
		if (t->retry->last.kind == ERR_NONE) {
			free(t->retry);
			t->retry = NULL;
		}
		await_turn(list, t, clock_now());
		return;
	}
	if (measures() && r->e.kind == ERR_TIMEOUT &&
	    deadline_passed(list->client->until))
		return;
	if (connect_options.until == UNTIL_CLOSED && r->e.kind == ERR_NONE) {
		may_retry = true;
		err_set(&r->e, ERR_FAILED, "%s is open",
		    endpoint_text(t->endpoint));
	} else if (connect_options.until == UNTIL_CLOSED && r->is_refused) {
		err_clear(&r->e);
	}
	if (r->e.kind != ERR_NONE && may_retry &&
	    reconnect_pause(t->retry, list->missing, &r->e) == 0)
		await_turn(list, t, t->retry->due.at_ns);
	else
		record_attempt(list, t, r);
}

/* Begins an attempt on a waiting target, unless its time is over. */
static void
begin_attempt(struct target_list *list, struct target *t)
{
	const struct client *c = list->client;
	struct attempt_record r = {.e = ERR_INIT};
	const struct connector_options *o = &c->connector;

	t->due_ns = INT64_MAX;
	t->start_ns = clock_now();
	if (t->retry == NULL) {
		if (deadline_passed(c->until))
			return;
		t->retry = mem_array(1, sizeof(*t->retry));
		reconnect_start(t->retry, c->options->retry_ms, c->until);
	} else if (reconnect_resume(t->retry, list->missing, &r.e) < 0) {
		record_attempt(list, t, &r);
		return;
	}
	t->until = deadline_first(
	    t->retry->end, deadline_limit(o->timeout.ms, o->timeout.option));
	if (c->count > 1 && step_is_on())
		step_name_endpoint(endpoint_text(t->endpoint));
	if (o->proxy == NULL && o->via == NULL && !o->tls.is_on)
		t->dial = dial_start(t->endpoint, &list->dial, t->until);
	else if (start_child(t, o, &r.e) < 0) {
		on_end(list, t, &r);
		return;
	}
	list->in_flight[list->count++] = t;
}

/* Begins the attempts that are due, as many as may be in flight. */
static void
begin_due(struct target_list *list)
{
	size_t i, count = list->client->count;
	int64_t now = clock_now();
	struct target *t;

	if (deadline_passed(list->client->until))
		now = INT64_MAX - 1;
	if (list->due_ns > now)
		return;
	list->due_ns = INT64_MAX;
	for (i = 0; i < count; i++) {
		t = &list->items[list->cursor];
		if (t->due_ns <= now && list->count < list->limit)
			begin_attempt(list, t);
		if (t->due_ns < list->due_ns)
			list->due_ns = t->due_ns;
		if (t->due_ns <= now && list->count >= list->limit)
			return;
		list->cursor = (list->cursor + 1) % count;
	}
}

/* Goes on with an attempt. Returns whether it has ended, with the record. */
static bool
advance_attempt(
    struct target_list *list, struct target *t, struct attempt_record *r)
{
	const struct pollfd *fds = &list->fds[t->at];
	struct link l;

	*r = (struct attempt_record){.e = ERR_INIT};
	if (list->client->count > 1 && step_is_on())
		step_name_endpoint(endpoint_text(t->endpoint));
	if (t->dial != NULL) {
		if (dial_advance(t->dial, fds) == DIAL_WAITING)
			return false;
		r->is_refused = dial_is_refused(t->dial);
		(void)dial_finish(&t->dial, &l, &r->e);
		r->ns = clock_now() - t->start_ns - l.resolve_ns;
		sock_close(&l.fd);
		return true;
	}
	if (fds->revents == 0)
		return false;
	if (read(t->child->fd, r, sizeof(*r)) != (ssize_t)sizeof(*r))
		err_set(&r->e, ERR_FAILED,
		    "%s: the process that tests it ended early",
		    endpoint_text(t->endpoint));
	proc_free(&t->child);
	return true;
}

/* What is waited for. Attempts that have just begun do not count; a child
 * process reports its own waits. */
static const char *
wait_text(void *context)
{
	const struct target_list *list = context;
	const struct target *first = NULL, *t;
	size_t i, silent = 0;

	for (i = 0; i < list->count; i++) {
		t = list->in_flight[i];
		if (t->dial == NULL || !deadline_passed(deadline_from(
					   t->start_ns, WAIT_REPORT_MS / 2)))
			continue;
		if (silent++ == 0)
			first = t;
	}
	if (silent == 0)
		return NULL;
	return text_format("%s %s%s: no answer yet%s",
	    list->count == 1 && resolve_is_pending() ? "looking up"
						     : "connecting to",
	    endpoint_text(first->endpoint),
	    silent == 1 ? "" : text_format(" and %zu more", silent - 1),
	    deadline_is_set(first->until) ? ""
					  : " (--connect-timeout limits this)");
}

/* Waits for the attempts, and for the next one. Returns 0, or -1 with *e. */
static int
wait_for_attempts(struct target_list *list, struct err *e)
{
	struct deadline due = {.at_ns = list->due_ns}, wake = deadline_none();
	struct target *t;
	size_t i, n = WAIT_SPARE;

	for (i = 0; i < list->count; i++) {
		t = list->in_flight[i];
		n += t->dial != NULL ? dial_capacity(t->dial) : 1;
	}
	list->fds = mem_resize(list->fds, n, sizeof(list->fds[0]));
	for (i = n = 0; i < list->count; i++) {
		t = list->in_flight[i];
		t->at = n;
		if (t->dial != NULL)
			n += dial_poll(t->dial, &list->fds[n], &wake);
		else
			list->fds[n++] =
			    (struct pollfd){t->child->fd, POLLIN, 0};
	}
	if (deadline_is_set(due) && list->count < list->limit)
		wake = deadline_first(
		    wake, deadline_first(due, list->client->until));
	if (wait_poll(list->fds, n, wake) < 0)
		return wait_is_unread()
			   ? err_status(e, ERR_NONE)
			   : err_sys(e, ERR_FAILED, errno, "connecting");
	return 0;
}

/* Tests all. Returns 0, or -1 with *e. */
static int
test_all(struct target_list *list, struct err *e)
{
	struct attempt_record r;
	struct target *t;
	size_t i;

	for (;;) {
		begin_due(list);
		if (list->count == 0 && list->due_ns == INT64_MAX)
			return 0;
		if (wait_for_attempts(list, e) < 0)
			return -1;
		for (i = 0; i < list->count;) {
			t = list->in_flight[i];
			if (!advance_attempt(list, t, &r)) {
				i++;
				continue;
			}
			list->in_flight[i] = list->in_flight[--list->count];
			on_end(list, t, &r);
			if (connect_options.any && list->has_succeeded)
				return 0;
		}
		if (result_flush(e) < 0)
			return -1;
	}
}

/* Reports the summary of an endpoint; as text only with --stats. */
static void
report_summary(const struct target_list *list, const struct target *t)
{
	uint64_t lost = t->attempts - t->connected;
	struct json *j;
	const char *text = endpoint_text(t->endpoint);

	if (diag_is_json()) {
		j = diag_event_begin("summary");
		json_text(j, "endpoint", text);
		json_number(j, "attempts", t->attempts);
		json_number(j, "connected", t->connected);
		json_number(j, "lost", lost);
		rtt_json(&t->times, j);
		json_seconds(
		    j, "seconds", clock_seconds(list->start_ns, clock_now()));
		diag_event_end(DIAG_NOTE, "%s", text);
	} else if (connect_options.stats) {
		result_print("%s: %s, %llu connected, %llu failed (%.3g%%)\n%s",
		    text, num_count_text(t->attempts, "attempt"),
		    (unsigned long long)t->connected, (unsigned long long)lost,
		    100.0 * (double)lost / (double)t->attempts,
		    rtt_text(&t->times));
	}
}

/* Ends the test: reports the remaining failures, and sets the status, unless *e
 * holds an error already. The command reports the failure of a single endpoint.
 */
static int
finish_test(const struct target_list *list, int result, struct err *e)
{
	const struct client *c = list->client;
	bool is_measured = measures(), is_short = false, is_unread;
	bool is_single = c->count == 1 && !is_measured;
	enum err_kind found = ERR_NONE;
	size_t untested = 0;
	struct err failure;
	const struct target *t, *end = list->items + c->count;

	/* Nobody reads it any more. */
	is_unread = result < 0 && e->kind == ERR_NONE;
	for (t = list->items; t < end && is_measured; t++)
		if (t->attempts > 0 && !is_unread)
			report_summary(list, t);
	if (result < 0)
		return -1;
	if (connect_options.any && list->has_succeeded)
		return 0;
	for (t = list->items; t < end; t++) {
		/* Failures that were not reported when they happened. */
		if (t->reason != NULL && !is_single) {
			err_set(&failure, t->kind, "%s", t->reason);
			if (is_measured && t->attempts > 1)
				err_prefix(&failure,
				    "%llu of %llu attempts failed; the last "
				    "one",
				    (unsigned long long)(t->attempts -
							 t->connected),
				    (unsigned long long)t->attempts);
			diag_error(&failure);
		}
		untested += t->attempts == 0;
		is_short =
		    is_short || list->max == 0 || t->attempts < list->max;
		if (found == ERR_NONE ||
		    (connect_options.any ? err_rank(t->kind) < err_rank(found)
					 : err_rank(t->kind) > err_rank(found)))
			found = t->kind;
	}
	if (is_measured && is_short && deadline_passed(c->until))
		return deadline_error(c->until, "", e);
	if (untested > 0)
		return deadline_error(c->until,
		    text_format(
			"%s not tested", num_count_text(untested, "endpoint")),
		    e);
	if (found == ERR_NONE)
		return 0;
	return is_single ? err_set(e, found, "%s", list->items[0].reason)
			 : err_status(e, (int)found);
}

/*
 * -z: connects to all endpoints and closes the connections. Returns 0 if all
 * were connected to (with --until closed: refused), with --any one of them.
 * Otherwise returns -1 with *e: the error of a single endpoint, or no text,
 * since each failure was reported. The status is that of the worst failure,
 * with --any of the best one (in sockt-connect(1), EXIT STATUS).
 */
static int
test_endpoints(const struct client *c, struct err *e)
{
	struct target_list list = {.client = c,
	    .max = connect_options.count == 0 && connect_options.interval_ms < 0
		       ? 1
		       : (uint64_t)connect_options.count,
	    .limit = MAX_IN_FLIGHT,
	    .dial = c->connector.dial,
	    .due_ns = INT64_MAX,
	    .missing = connect_options.until == UNTIL_CLOSED ? "not closed"
							     : "no connection",
	    .start_ns = clock_now()};
	struct wait_reason reason;
	struct target *t;
	int result;

	if ((measures() || (diag_is_json() && c->program == NULL)) &&
	    result_start(c->until, true, e) < 0)
		return -1;
	if (measures())
		wait_watch_reader(STDOUT_FILENO);
	list.dial.accepts_reset = true;
	list.items = mem_array(c->count, sizeof(list.items[0]));
	for (t = list.items; t < list.items + c->count; t++) {
		t->endpoint = &c->endpoints[t - list.items];
		await_turn(&list, t, 0);
	}
	wait_begin(&reason, wait_text, &list);
	result = test_all(&list, e);
	wait_watch_reader(-1);
	wait_end();
	/* All children receive the signal at the same time. */
	proc_end_all();
	for (t = list.items; t < list.items + c->count; t++) {
		dial_free(&t->dial);
		proc_free(&t->child);
		free(t->retry);
	}
	result = finish_test(&list, result, e);
	for (t = list.items; t < list.items + c->count; t++)
		free(t->reason);
	free(list.items);
	free(list.fds);
	return result;
}

/* -z: tests the endpoints, and then becomes the program, if there is one. */
static int
test_and_replace(struct client *c, struct err *e)
{
	int result = test_endpoints(c, e);
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

/* Prints a row of --trace, as in "3  192.0.2.7  0.31 ms  open" or "3-30  *", or
 * emits it as an event, unless it is silent. Returns 0, or -1 with *e. */
static int
report_hop(const struct trace_hop *hop, struct err *e)
{
	struct json *j;

	if (diag_is_json() && hop->addr.len != 0) {
		j = diag_event_begin("hop");
		json_number(j, "hop", (uint64_t)hop->first);
		json_text(j, "address", addr_ip_text(&hop->addr));
		if (hop->ns != 0)
			json_seconds(j, "seconds", (double)hop->ns / 1e9);
		diag_event_end(DIAG_STEP + 1, "%s", "");
	} else if (!diag_is_json() && hop->addr.len != 0) {
		result_print("%d  %s%s%s%s%s\n", hop->first,
		    addr_ip_text(&hop->addr), hop->ns != 0 ? "  " : "",
		    hop->ns != 0 ? num_duration_text(hop->ns) : "",
		    hop->state != NULL ? "  " : "",
		    hop->state != NULL ? hop->state : "");
	} else if (!diag_is_json()) {
		result_print("%d%s  *\n", hop->first,
		    hop->first == hop->last ? ""
					    : text_format("-%d", hop->last));
	}
	return result_flush(e);
}

/* --trace. Returns 0 if the port is open, or -1 with *e. */
static int
trace(const struct client *c, struct err *e)
{
	const struct connector_options *o = &c->connector;
	struct deadline limit =
	    deadline_limit(o->timeout.ms, o->timeout.option);
	struct addr_list list = {0};
	int result = -1;

	if (result_start(c->until, true, e) == 0 &&
	    resolve(c->endpoints, o->dial.names,
		deadline_first(c->until, limit), &list, e) == 0)
		result = trace_run(&list.items[0], o->dial.sock, o->timeout,
		    c->until, report_hop, e);
	addr_list_release(&list);
	return result;
}

/* After a timeout of connecting, suggests --trace. */
static void
suggest_trace(const struct client *c, struct err *e)
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
	diag_warn(
	    "how far packets get is shown by: sockt connect --trace %s %u",
	    text_shown(ep->host), ep->port);
	(void)err_status(e, (int)e->kind);
}

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
	is_killed = p->is_killed && !p->is_ending;
	proc_free(&p);
	is_kept_open = link_is_direct(l) && status >= 0 && proc_orphans_live();
	link_count(l, is_kept_open);
	if (status >= 0 && !is_kept_open) {
		link_note_exit(l, status, fd_available(l->fd));
		/* A FIN would make half an answer look whole. */
		if (is_killed)
			l->reset = LINK_RESET_BY_US;
	}
	/* A process in between would make a complete end of a FIN. */
	if (is_kept_open || (status < 0 && !link_is_direct(l)))
		sock_close(&l->fd);
	status = link_close(l, status, c->until, e);
	link_log_closed(DIAG_NOTE, l, status < 0 ? (int)e->kind : status);
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
	/* 4. Send and receive. */
	if (c->program != NULL) {
		result = run_program(c, &l, e);
	} else {
		sandbox_enter();
		result = stdio_relay_run(&c->relay, &l, e);
	}
	/* 5. Close, unless step 4 has done so: then fd is -1. */
	sock_close(&l.fd);
	return result;
}

/* Checks options and endpoints, and opens files, before connecting. */
static int
prepare(struct client *c, struct err *e)
{
	struct connector_options *connector = &c->connector;
	const struct stdio_relay_options *relay =
	    stdio_relay_complete(c->options);
	size_t i;

	c->until = c->options->until;
	diag_limit(c->until, c->options->idle.ms);
	connector->checks_via = connect_options.zero;
	connector->stops_via = !c->relays || relay->relay.quit_after_script;
	connector->tls.is_single = !connect_options.zero;
	/* The test repeats its attempts itself. */
	if (connect_options.zero)
		connector->retry_ms = -1;
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

/* Parses the operands: one endpoint, or with -z any number. */
static int
parse_operands(struct client *c, const struct command_args *args, struct err *e)
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

static int
connect_run(const struct command_args *args, struct err *e)
{
	const char *exec = connect_options.exec;
	struct client c = {
	    .options = options_complete(true, e), .program = args->program};
	char *shell[4];
	int result = -1;

	if (c.options == NULL)
		return -1;
	c.connector = c.options->connector;
	if (exec != NULL)
		c.program = proc_shell(shell, exec);
	if (measures() && c.connector.via != NULL && !c.connector.tls.is_on)
		return err_set(e, ERR_USAGE,
		    "--count, --interval and --stats measure connections: the "
		    "program of --via does not report when it has connected");
	c.relays = !connect_options.trace && !connect_options.zero &&
		   c.program == NULL;
	if (parse_operands(&c, args, e) == 0 &&
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
