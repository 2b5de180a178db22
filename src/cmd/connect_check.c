/* The engine of connect -z: many endpoints, many attempts, one loop. */
#include "cmd/connect_check.h"

#include <errno.h>
#include <limits.h>
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
#include "cmd/options.h"
#include "cmd/result.h"
#include "net/endpoint.h"
#include "net/link.h"
#include "net/proc.h"
#include "net/signals.h"
#include "net/sock.h"
#include "net/wait.h"
#include "dial/connector.h"
#include "dial/reconnect.h"

/* At most this many attempts are in flight; the others wait their turn. */
#define MAX_IN_FLIGHT 256

enum { UNTIL_OPEN, UNTIL_CLOSED };
static const char *const until_words[] = {"open", "closed", NULL};

static struct {
	int any;             /* one endpoint suffices */
	int64_t count;       /* attempts on each; 0: not given */
	int64_t interval_ms; /* from one attempt to the next; -1: not given */
	int stats;           /* print a summary */
	int until;           /* open or closed */
} check_options = {.interval_ms = -1};

const struct opt connect_check_opts[] = {
    FLAG(0, "any", check_options, any,
	"succeed when one of several endpoints is open",
	.excludes = "count interval stats"),
    NUMBER(0, "count", "N", check_options, count,
	"connect N times, and print each round trip", .min = 1,
	.excludes = "retry-for exec program"),
    DURATION(0, "interval", "TIME", check_options, interval_ms,
	"connect every TIME, without --count until interrupted",
	.excludes = "retry-for exec program"),
    FLAG(0, "stats", check_options, stats,
	"print a summary: attempts, failures, round-trip times",
	.excludes = "retry-for exec program"),
    CHOICE(0, "until", "STATE", check_options, until,
	"succeed when the endpoints are open, or when they are closed",
	.choices = until_words,
	.excludes = "count interval stats proxy via tls"),
    {.kind = OPT_END},
};

/* The result of an attempt; a child passes it to its parent. */
struct attempt_record {
	int64_t start_ns;
	int64_t ns;      /* how long it took, without the name lookup */
	bool is_refused; /* it failed, since nobody listens */
	struct err e;    /* ERR_NONE if it connected */
};

/* A pipe transfers it in one piece. */
_Static_assert(sizeof(struct attempt_record) <= PIPE_BUF, "a record");

/* An endpoint. */
struct target {
	const struct endpoint *endpoint;
	bool is_waiting;              /* for its next attempt */
	int64_t due_ns;               /* when that may begin */
	struct reconnect *retry;      /* --retry-for, owned; NULL */
	uint64_t attempts, connected; /* those recorded */
	enum err_kind kind;           /* of the last failure */
	char *reason; /* its text, if it is reported later; owned */
	struct rtt times;
};

/* An attempt: a dial, or a child process for what needs one. */
struct attempt {
	struct target *target;
	int64_t start_ns;
	struct deadline until;
	size_t at; /* its first entry of fds */
	struct dial *dial;
	struct proc *child;
	int in; /* the child's record */
};

/* All of them. */
struct target_list {
	const struct connect_check *check;
	struct target *items;
	uint64_t max;   /* attempts on each; 0: until interrupted */
	size_t waiting; /* items that wait for an attempt */
	size_t cursor;  /* the item that is looked at next */
	int64_t due_ns; /* no waiting item is due earlier */
	size_t untested;
	struct attempt attempts[MAX_IN_FLIGHT];
	size_t in_flight, limit;
	struct pollfd *fds;
	struct dial_options dial;
	const char *missing; /* for errors: what did not happen in time */
	bool has_succeeded;  /* an endpoint has */
	int64_t start_ns;
};

bool
connect_check_measures(void)
{
	return check_options.count > 0 || check_options.interval_ms >= 0 ||
	       check_options.stats;
}

/* In the child: makes the attempt, and sends its record. */
static void
attempt_in_child(
    const struct attempt *a, const struct connector_options *o, int out)
{
	struct attempt_record r;
	struct link l = {.fd = -1};

	memset(&r, 0, sizeof(r));
	r.start_ns = clock_now();
	if (signals_catch(&r.e) == 0)
		(void)connector_open(
		    a->target->endpoint, o, a->until, &l, &r.e);
	r.ns = clock_now() - r.start_ns - l.resolve_ns;
	if (l.fd >= 0) {
		err_clear(&r.e);
		link_discard(&l);
	}
	(void)fd_write_all(out, &r, sizeof(r));
}

/* Starts a child for the attempt. Returns 0, or -1 with *e. */
static int
start_child(struct attempt *a, const struct connector_options *o, struct err *e)
{
	int ends[2] = {-1, -1}, errnum;
	pid_t pid = -1;

	if (fd_pipe(ends, false) == 0)
		pid = proc_fork(&a->child, NULL);
	errnum = errno;
	if (pid == 0) {
		fd_close(&ends[0]);
		attempt_in_child(a, o, ends[1]);
		_exit(0);
	}
	fd_close(&ends[1]);
	a->in = ends[0];
	if (pid > 0)
		return 0;
	fd_close(&a->in);
	return err_sys(
	    e, ERR_FAILED, errnum, "%s", endpoint_text(a->target->endpoint));
}

/* Reports an attempt as an event, or else as a line: a result if round trips
 * are measured. */
static void
log_attempt(const struct target_list *list, const struct target *t,
    const struct attempt_record *r)
{
	bool is_connected = r->e.kind == ERR_NONE;
	bool is_closed = is_connected && check_options.until == UNTIL_CLOSED;
	struct json *j;
	const char *text = endpoint_text(t->endpoint);
	const char *duration = num_duration_text(r->ns);

	if (connect_check_measures() && !diag_is_json()) {
		if (is_connected)
			result_print("%s: connected in %s\n", text, duration);
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
	diag_event_end(list->check->count == 1 && !is_closed ? DIAG_STEP + 1
		       : is_connected                        ? DIAG_NOTE
							     : DIAG_STEP,
	    "%s: %s%s", text,
	    is_closed      ? "closed"
	    : is_connected ? "connected in "
			   : "not connected",
	    is_connected && !is_closed ? duration : "");
}

/* The target waits for its next attempt. */
static void
await_turn(struct target_list *list, struct target *t, int64_t due_ns)
{
	t->is_waiting = true;
	t->due_ns = due_ns;
	list->waiting++;
	if (due_ns < list->due_ns)
		list->due_ns = due_ns;
}

/* Records an attempt. Failures are reported at the end with --any, if none has
 * succeeded, and by the command if the endpoint is the only one. */
static void
record(
    struct target_list *list, struct target *t, const struct attempt_record *r)
{
	int64_t next_ns = r->start_ns;

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
		if (connect_check_measures() || check_options.any ||
		    list->check->count == 1)
			t->reason = mem_text(r->e.text);
		else
			diag_error(&r->e);
	}
	if (check_options.interval_ms > 0)
		next_ns += clock_ns(check_options.interval_ms);
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

	if (r->e.kind != ERR_NONE && list->in_flight > 0 &&
	    (err_is_shortage(errnum) ||
		(r->e.kind == ERR_FAILED && errnum == EAGAIN))) {
		list->limit = list->in_flight;
		if (t->retry->last.kind == ERR_NONE) {
			free(t->retry);
			t->retry = NULL;
		}
		await_turn(list, t, clock_now());
		return;
	}
	if (connect_check_measures() && r->e.kind == ERR_TIMEOUT &&
	    deadline_passed(list->check->until))
		return;
	if (check_options.until == UNTIL_CLOSED && r->e.kind == ERR_NONE) {
		may_retry = true;
		err_set(&r->e, ERR_FAILED, "%s is open",
		    endpoint_text(t->endpoint));
	} else if (check_options.until == UNTIL_CLOSED && r->is_refused) {
		err_clear(&r->e);
	}
	if (r->e.kind != ERR_NONE && may_retry &&
	    reconnect_pause(t->retry, list->missing, &r->e) == 0)
		await_turn(list, t, t->retry->due.at_ns);
	else
		record(list, t, r);
}

/* Begins an attempt on a waiting target, unless its time is over. */
static void
begin(struct target_list *list, struct target *t)
{
	const struct connect_check *c = list->check;
	struct attempt *a = &list->attempts[list->in_flight];
	struct attempt_record r = {.start_ns = clock_now()};
	const struct connector_options *o = c->connector;

	t->is_waiting = false;
	list->waiting--;
	if (t->retry == NULL && !deadline_passed(c->until)) {
		t->retry = mem_array(1, sizeof(*t->retry));
		reconnect_start(t->retry, options.time.retry_ms, c->until);
	} else if (t->retry == NULL) {
		list->untested += t->attempts == 0;
		return;
	} else if (reconnect_resume(t->retry, list->missing, &r.e) < 0) {
		record(list, t, &r);
		return;
	}
	*a = (struct attempt){.target = t,
	    .start_ns = r.start_ns,
	    .until = deadline_first(t->retry->end,
		deadline_limit(o->timeout.ms, o->timeout.option)),
	    .in = -1};
	if (c->count > 1 && step_is_on())
		step_name_endpoint(endpoint_text(t->endpoint));
	if (o->proxy == NULL && o->via == NULL && !o->tls.is_on)
		a->dial = dial_start(t->endpoint, &list->dial, a->until);
	else if (start_child(a, o, &r.e) < 0) {
		on_end(list, t, &r);
		return;
	}
	list->in_flight++;
}

/* Begins the attempts that are due, as many as may be in flight. */
static void
begin_due(struct target_list *list)
{
	size_t i, count = list->check->count;
	int64_t now = clock_now(), next = INT64_MAX;
	struct target *t;

	if (deadline_passed(list->check->until))
		now = INT64_MAX;
	if (list->due_ns > now)
		return;
	/* await_turn() lowers it, also for one that could not begin. */
	list->due_ns = INT64_MAX;
	for (i = 0; i < count; i++) {
		t = &list->items[list->cursor];
		if (t->is_waiting && t->due_ns > now) {
			next = t->due_ns < next ? t->due_ns : next;
		} else if (t->is_waiting) {
			if (list->in_flight >= list->limit) {
				list->due_ns = t->due_ns;
				return;
			}
			begin(list, t);
		}
		list->cursor = (list->cursor + 1) % count;
	}
	if (next < list->due_ns)
		list->due_ns = next;
}

/* Goes on with an attempt. Returns whether it has ended, with the record. */
static bool
advance(struct target_list *list, struct attempt *a, struct attempt_record *r)
{
	const struct pollfd *fds = &list->fds[a->at];
	struct link l;

	*r = (struct attempt_record){.start_ns = a->start_ns};
	if (list->check->count > 1 && step_is_on())
		step_name_endpoint(endpoint_text(a->target->endpoint));
	if (a->dial != NULL) {
		if (dial_advance(a->dial, fds) == DIAL_WAITING)
			return false;
		r->is_refused = dial_is_refused(a->dial);
		(void)dial_finish(&a->dial, &l, &r->e);
		r->ns = clock_now() - r->start_ns - l.resolve_ns;
		sock_close(&l.fd);
		return true;
	}
	if (fds->revents == 0)
		return false;
	if (read(a->in, r, sizeof(*r)) != (ssize_t)sizeof(*r)) {
		*r = (struct attempt_record){.start_ns = a->start_ns};
		err_set(&r->e, ERR_FAILED,
		    "%s: the process that tests it ended early",
		    endpoint_text(a->target->endpoint));
	}
	fd_close(&a->in);
	proc_free(&a->child);
	return true;
}

/* What is waited for. Attempts that have just begun do not count; a child
 * process reports its own waits. */
static const char *
wait_text(void *context)
{
	const struct target_list *list = context;
	const struct attempt *first = NULL, *a = list->attempts;
	size_t i, silent = 0;

	for (i = 0; i < list->in_flight; i++, a++) {
		if (a->dial == NULL || !deadline_passed(deadline_from(
					   a->start_ns, WAIT_REPORT_MS / 2)))
			continue;
		if (silent++ == 0)
			first = a;
	}
	if (silent == 0)
		return NULL;
	return text_format("%s %s%s: no answer yet%s",
	    list->in_flight == 1 && resolve_is_pending() ? "looking up"
							 : "connecting to",
	    endpoint_text(first->target->endpoint),
	    silent == 1 ? "" : text_format(" and %zu more", silent - 1),
	    deadline_is_set(first->until) ? ""
					  : " (--connect-timeout limits this)");
}

/* Waits for the attempts in flight, and for the next one. Returns 0, or -1 with
 * *e. */
static int
wait_for_attempts(struct target_list *list, struct err *e)
{
	struct deadline due = {.at_ns = list->due_ns}, wake = deadline_none();
	struct attempt *a, *end = list->attempts + list->in_flight;
	size_t n = 1;

	for (a = list->attempts; a < end; a++)
		n += a->dial != NULL ? dial_capacity(a->dial) : 1;
	list->fds = mem_resize(list->fds, n, sizeof(list->fds[0]));
	for (a = list->attempts, n = 0; a < end; a++) {
		a->at = n;
		if (a->dial != NULL)
			n += dial_poll(a->dial, &list->fds[n], &wake);
		else
			list->fds[n++] = (struct pollfd){a->in, POLLIN, 0};
	}
	if (list->waiting > 0 && list->in_flight < list->limit)
		wake = deadline_first(
		    wake, deadline_first(due, list->check->until));
	if (wait_poll(list->fds, n, wake) < 0)
		return err_sys(e, ERR_FAILED, errno, "connecting");
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
		if (list->in_flight == 0 && list->waiting == 0)
			return 0;
		if (wait_for_attempts(list, e) < 0)
			return -1;
		for (i = 0; i < list->in_flight;) {
			t = list->attempts[i].target;
			if (!advance(list, &list->attempts[i], &r)) {
				i++;
				continue;
			}
			list->attempts[i] = list->attempts[--list->in_flight];
			on_end(list, t, &r);
			if (check_options.any && list->has_succeeded)
				return 0;
		}
		if (result_flush(e) < 0)
			return -1;
	}
}

/* Reports the summary of an endpoint: on stdout with --stats, and always as an
 * event. */
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
	} else if (check_options.stats) {
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
finish(const struct target_list *list, int result, struct err *e)
{
	const struct connect_check *c = list->check;
	bool measures = connect_check_measures(), is_short = false;
	bool is_done = check_options.any && list->has_succeeded;
	bool is_single = c->count == 1 && !measures;
	enum err_kind found = ERR_NONE;
	struct err failure;
	const struct target *t, *end = list->items + c->count;

	for (t = list->items; t < end && measures; t++)
		if (t->attempts > 0)
			report_summary(list, t);
	if (result < 0)
		return -1;
	for (t = list->items; t < end; t++) {
		/* Failures that were not reported when they happened. */
		if (t->reason != NULL && !is_single && !is_done) {
			err_set(&failure, t->kind, "%s", t->reason);
			if (measures && t->attempts > 1)
				err_prefix(&failure,
				    "%llu of %llu attempts failed; the last "
				    "one",
				    (unsigned long long)(t->attempts -
							 t->connected),
				    (unsigned long long)t->attempts);
			diag_error(&failure);
		}
		is_short =
		    is_short || list->max == 0 || t->attempts < list->max;
		if (found == ERR_NONE ||
		    (check_options.any ? err_rank(t->kind) < err_rank(found)
				       : err_rank(t->kind) > err_rank(found)))
			found = t->kind;
	}
	if (measures && is_short && deadline_passed(c->until))
		return deadline_error(c->until, "", e);
	if (is_done)
		return 0;
	if (list->untested > 0)
		return deadline_error(c->until,
		    text_format("%s not tested",
			num_count_text(list->untested, "endpoint")),
		    e);
	if (found == ERR_NONE)
		return 0;
	return is_single ? err_set(e, found, "%s", list->items[0].reason)
			 : err_status(e, (int)found);
}

int
connect_check_run(const struct connect_check *c, struct err *e)
{
	struct target_list list = {.check = c,
	    .max = check_options.count == 0 && check_options.interval_ms < 0
		       ? 1
		       : (uint64_t)check_options.count,
	    .limit = MAX_IN_FLIGHT,
	    .dial = c->connector->dial,
	    .due_ns = INT64_MAX,
	    .missing = check_options.until == UNTIL_CLOSED ? "not closed"
							   : "no connection",
	    .start_ns = clock_now()};
	struct wait_reason reason;
	struct attempt *a;
	struct target *t;
	int result;

	if ((connect_check_measures() || (diag_is_json() && !c->has_program)) &&
	    result_start(c->until, true, e) < 0)
		return -1;
	list.dial.accepts_reset = true;
	list.items = mem_array(c->count, sizeof(list.items[0]));
	for (t = list.items; t < list.items + c->count; t++) {
		t->endpoint = &c->endpoints[t - list.items];
		await_turn(&list, t, 0);
	}
	wait_begin(&reason, wait_text, &list);
	result = test_all(&list, e);
	wait_end();
	/* All children receive the signal at the same time. */
	proc_end_all();
	for (a = list.attempts; a < list.attempts + list.in_flight; a++) {
		dial_free(&a->dial);
		proc_free(&a->child);
		fd_close(&a->in);
	}
	result = finish(&list, result, e);
	for (t = list.items; t < list.items + c->count; t++) {
		free(t->retry);
		free(t->reason);
	}
	free(list.items);
	free(list.fds);
	return result;
}
