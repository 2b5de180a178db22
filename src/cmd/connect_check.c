/* connect -z: tests endpoints, many at once, or measures round trips. */
#include "cmd/connect_check.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/step.h"
#include "base/text.h"
#include "cmd/result.h"
#include "dial/connector.h"
#include "dial/reconnect.h"
#include "net/proc.h"
#include "net/endpoint.h"
#include "net/os.h"
#include "net/signals.h"
#include "net/sock.h"
#include "net/wait.h"
#include "udp/rtt_stats.h"

/* At most this many attempts are in flight; the rest waits its turn. */
#define MAX_IN_FLIGHT 256

enum { UNTIL_OPEN, UNTIL_CLOSED };
static const char *const until_words[] = {"open", "closed", NULL};

struct connect_check_options connect_check_options = CONNECT_CHECK_OPTIONS_INIT;

const struct opt connect_check_opts[] = {
    FLAG(0, "any", connect_check_options, any,
	"succeed when one of several endpoints is open",
	.excludes = "count interval stats"),
    NUMBER(0, "count", "N", connect_check_options, count,
	"connect N times, and print each round trip", .min = 1,
	.excludes = "retry-for"),
    DURATION(0, "interval", "T", connect_check_options, interval_ms,
	"connect every T, without --count until interrupted",
	.excludes = "retry-for"),
    FLAG(0, "stats", connect_check_options, stats,
	"print a summary: attempts, lost, round-trip times",
	.excludes = "retry-for"),
    CHOICE(0, "until", "STATE", connect_check_options, until,
	"succeed when the endpoints are open, or when they are closed",
	.choices = until_words,
	.excludes = "count interval stats proxy via tls"),
    {.kind = OPT_END},
};

/* The result of an attempt; a child passes it to its parent. */
struct attempt_record {
	int64_t start_ns, end_ns;
	int64_t ns;      /* how long it took, without the name lookup */
	bool is_refused; /* it failed, since nobody listens */
	struct err e;    /* ERR_NONE if it connected */
};

/* So that it is read in one piece. */
_Static_assert(sizeof(struct attempt_record) <= PIPE_BUF, "of a pipe");

/* An endpoint. */
struct target {
	const struct endpoint *endpoint;
	bool is_waiting;         /* for its next attempt */
	int64_t due_ns;          /* when that may begin */
	struct reconnect *retry; /* --retry-for, owned; NULL */
	int64_t attempts;        /* whose results are recorded */
	enum err_kind kind;      /* of the last failure */
	char *reason;            /* its text if it is reported later; owned */
	struct rtt_stats stats;  /* if round trips are measured */
};

/* An attempt: a dial, or a child process for what needs one. */
struct attempt {
	struct target *target;
	int64_t start_ns;
	size_t at; /* its first entry of fds */
	struct dial *dial;
	struct proc *child;
	int in; /* the child's record */
};

/* All of them. */
struct target_list {
	const struct connect_check *check;
	struct target *items;
	size_t waiting; /* items that wait for an attempt */
	size_t cursor;  /* the item that is looked at next */
	int64_t due_ns; /* no waiting item is due earlier */
	size_t untested;
	struct attempt attempts[MAX_IN_FLIGHT];
	size_t in_flight, limit;
	struct pollfd *fds;
	const char *missing; /* of errors: what did not happen in time */
	bool has_succeeded;  /* an endpoint has */
	int64_t start_ns;
};

struct endpoint *
connect_check_parse(
    char *const *operands, int count, size_t *parsed, struct err *e)
{
	struct endpoint *list = mem_array((size_t)count, sizeof(list[0]));
	int used;

	*parsed = 0;
	for (; count > 0; operands += used, count -= used) {
		used = endpoint_operands(operands, count);
		if (endpoint_parse(
			&list[(*parsed)++], operands, used, "tcp", e) < 0) {
			free(list);
			return NULL;
		}
	}
	return list;
}

bool
connect_check_measures(const struct connect_check_options *o)
{
	return o->count > 0 || o->interval_ms >= 0 || o->stats;
}

/* The number of attempts on each endpoint; 0: until interrupted. */
static int64_t
max_attempts(const struct connect_check_options *o)
{
	return o->count == 0 && o->interval_ms < 0 ? 1 : o->count;
}

/* Whether an attempt needs no process of its own. */
static bool
is_direct(const struct connector_options *o)
{
	return o->proxy == NULL && o->via == NULL && !o->tls.is_on;
}

/* In the child: one attempt. Unused bytes of the record are 0. */
static void
attempt_in_child(const struct connect_check *c, const struct endpoint *ep,
    struct deadline until, int out)
{
	struct connector_options once = *c->connector;
	struct attempt_record r;
	struct dial_result dialed = {.resolve_ns = 0};
	struct err e = ERR_INIT;
	int fd;

	memset(&r, 0, sizeof(r));
	r.start_ns = clock_now();
	once.retry_ms = -1;
	if (signals_catch(&e) < 0 ||
	    (fd = connector_open(ep, &once, until, &dialed, &e)) < 0) {
		r.e.kind = e.kind;
		r.e.errnum = e.errnum;
		r.e.waits = e.waits;
		snprintf(r.e.text, sizeof(r.e.text), "%s", e.text);
	}
	r.end_ns = clock_now();
	r.ns = r.end_ns - r.start_ns - dialed.resolve_ns;
	if (r.e.kind == ERR_NONE)
		connector_discard(&dialed, &fd);
	step_flush();
	(void)fd_write_all(out, &r, sizeof(r));
}

/* Starts a child for the attempt. Returns 0, or -1 with *e. */
static int
start_child(const struct connect_check *c, struct attempt *a,
    struct deadline until, struct err *e)
{
	const struct endpoint *ep = a->target->endpoint;
	int ends[2], saved;
	pid_t pid;

	if (fd_pipe(ends, false) < 0)
		return err_sys(e, ERR_FAILED, errno, "%s", endpoint_text(ep));
	pid = proc_fork(&a->child, NULL);
	if (pid == 0) {
		fd_close(&ends[0]);
		attempt_in_child(c, ep, until, ends[1]);
		_exit(0);
	}
	saved = errno;
	fd_close(&ends[1]);
	a->in = ends[0];
	if (pid > 0)
		return 0;
	fd_close(&a->in);
	return err_sys(e, ERR_FAILED, saved, "%s", endpoint_text(ep));
}

/* Reports an attempt as an event, or else as a line: a result if round trips
 * are measured. */
static void
log_attempt(const struct target_list *list, const struct target *t,
    const struct attempt_record *r)
{
	const struct connect_check *c = list->check;
	bool measures = connect_check_measures(c->o);
	bool is_connected = r->e.kind == ERR_NONE;
	bool is_closed = is_connected && c->o->until == UNTIL_CLOSED;
	struct json *j;
	const char *text = endpoint_text(t->endpoint);
	const char *duration = num_duration_text(r->ns);

	if (measures && !diag_is_json()) {
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
	/* The line of a single one was that of its connection. */
	diag_event_end(c->count == 1 && !is_closed ? DIAG_STEP + 1
		       : is_connected              ? DIAG_NOTE
						   : DIAG_STEP,
	    "%s: %s%s", text,
	    is_closed      ? "closed"
	    : is_connected ? "connected in "
			   : "not connected",
	    is_connected && !is_closed ? duration : "");
}

/* Adds an attempt to the target's statistics. */
static void
count_attempt(struct target *t, const struct attempt_record *r)
{
	int64_t rtt;

	rtt_stats_sent(&t->stats, r->end_ns - r->ns);
	if (r->e.kind == ERR_NONE)
		(void)rtt_stats_received(&t->stats, -1, r->end_ns, &rtt);
	else
		rtt_stats_expire(&t->stats, r->end_ns);
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

/* The failures of --any are reported once none has succeeded, those of a single
 * endpoint by the command. */
static void
record(
    struct target_list *list, struct target *t, const struct attempt_record *r)
{
	const struct connect_check *c = list->check;
	bool measures = connect_check_measures(c->o);
	int64_t next_ns = r->start_ns, max = max_attempts(c->o);

	free(t->retry);
	t->retry = NULL;
	t->attempts++;
	if (measures)
		count_attempt(t, r);
	log_attempt(list, t, r);
	if (r->e.kind == ERR_NONE) {
		list->has_succeeded = true;
	} else {
		t->kind = r->e.kind;
		free(t->reason);
		t->reason = NULL;
		if (measures || c->o->any || c->count == 1)
			t->reason = mem_text(r->e.text);
		else
			diag_error(&r->e);
	}
	if (c->o->interval_ms > 0)
		next_ns += clock_ns(c->o->interval_ms);
	if (max == 0 || t->attempts < max)
		await_turn(list, t, next_ns);
}

/* With --until closed an open port is the failure, and a refusal is not. */
static void
invert(const struct target *t, struct attempt_record *r)
{
	if (r->e.kind == ERR_NONE)
		err_set(&r->e, ERR_FAILED, "%s is open",
		    endpoint_text(t->endpoint));
	else if (r->is_refused)
		err_clear(&r->e);
}

/*
 * An attempt has ended: it is recorded, unless there will be another one. One
 * that failed for want of what the others in flight have waits for their end;
 * one that --max-time ended measures nothing.
 */
static void
on_end(struct target_list *list, struct target *t, struct attempt_record *r)
{
	const struct connect_check *c = list->check;
	bool is_closed = c->o->until == UNTIL_CLOSED, is_transient;
	int errnum = r->e.errnum;

	if (r->e.kind != ERR_NONE && list->in_flight > 0 &&
	    (err_is_shortage(errnum) ||
		(r->e.kind == ERR_FAILED && errnum == EAGAIN))) {
		list->limit = list->in_flight;
		if (t->retry != NULL && t->retry->last.kind == ERR_NONE) {
			free(t->retry);
			t->retry = NULL;
		}
		await_turn(list, t, r->end_ns);
		return;
	}
	if (connect_check_measures(c->o) && r->e.kind == ERR_TIMEOUT &&
	    deadline_passed(c->until))
		return;
	is_transient = r->e.waits || (is_closed && r->e.kind == ERR_NONE);
	if (is_closed)
		invert(t, r);
	if (r->e.kind != ERR_NONE && t->retry != NULL && is_transient &&
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
	struct deadline until;

	t->is_waiting = false;
	list->waiting--;
	r.end_ns = r.start_ns;
	if (t->retry == NULL && !deadline_passed(c->until)) {
		t->retry = mem_array(1, sizeof(*t->retry));
		reconnect_start(t->retry, c->connector->retry_ms, c->until);
	} else if (t->retry == NULL) {
		list->untested += t->attempts == 0;
		return;
	} else if (reconnect_resume(t->retry, list->missing, &r.e) < 0) {
		record(list, t, &r);
		return;
	}
	until = deadline_first(
	    t->retry->end, deadline_limit(c->connector->timeout.ms,
			       c->connector->timeout.option));
	*a = (struct attempt){.target = t, .start_ns = r.start_ns, .in = -1};
	if (c->count > 1 && step_is_on())
		step_name_endpoint(endpoint_text(t->endpoint));
	if (is_direct(c->connector))
		a->dial = dial_start(t->endpoint, &c->connector->dial, until);
	else if (start_child(c, a, until, &r.e) < 0) {
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
	for (i = 0; i < count && list->due_ns <= now; i++) {
		t = &list->items[list->cursor];
		if (t->is_waiting && t->due_ns > now) {
			next = t->due_ns < next ? t->due_ns : next;
		} else if (t->is_waiting) {
			if (list->in_flight >= list->limit)
				return;
			begin(list, t);
		}
		list->cursor = (list->cursor + 1) % count;
	}
	if (i == count)
		list->due_ns = next;
}

/* Goes on with an attempt. Returns whether it has ended, with the record. */
static bool
advance(struct target_list *list, struct attempt *a, struct attempt_record *r)
{
	const struct pollfd *fds = &list->fds[a->at];
	struct dial_result dialed = {.resolve_ns = 0};
	int fd;

	memset(r, 0, sizeof(*r));
	if (list->check->count > 1 && step_is_on())
		step_name_endpoint(endpoint_text(a->target->endpoint));
	if (a->dial != NULL) {
		if (dial_advance(a->dial, fds) == DIAL_WAITING)
			return false;
		r->is_refused = dial_is_refused(a->dial);
		fd = dial_finish(&a->dial, &dialed, &r->e);
		r->start_ns = a->start_ns;
		r->end_ns = clock_now();
		r->ns = r->end_ns - r->start_ns - dialed.resolve_ns;
		sock_close(&fd);
		return true;
	}
	if (fds->revents == 0)
		return false;
	if (read(a->in, r, sizeof(*r)) != (ssize_t)sizeof(*r)) {
		memset(r, 0, sizeof(*r));
		r->start_ns = a->start_ns;
		r->end_ns = clock_now();
		err_set(&r->e, ERR_FAILED,
		    "%s: the process that tests it ended early",
		    endpoint_text(a->target->endpoint));
	}
	fd_close(&a->in);
	proc_free(&a->child);
	return true;
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
			if (list->check->o->any && list->has_succeeded)
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
	const struct rtt_stats *s = &t->stats;
	uint64_t lost = rtt_stats_lost(s);
	struct json *j;
	const char *text = endpoint_text(t->endpoint);

	if (diag_is_json()) {
		j = diag_event_begin("summary");
		json_text(j, "endpoint", text);
		json_number(j, "attempts", s->sent);
		json_number(j, "connected", s->answered);
		json_number(j, "lost", lost);
		rtt_stats_json(s, j);
		json_seconds(
		    j, "seconds", clock_seconds(list->start_ns, clock_now()));
		diag_event_end(DIAG_NOTE, "%s", text);
	} else if (list->check->o->stats) {
		result_print("%s: %s, %llu connected, %llu lost (%.3g%%)\n%s",
		    text, num_count_text(s->sent, "attempt"),
		    (unsigned long long)s->answered, (unsigned long long)lost,
		    100.0 * (double)lost / (double)s->sent, rtt_stats_times(s));
	}
}

/* Reports the failures that were not reported when they happened. */
static void
report_failure(const struct target_list *list, const struct target *t)
{
	const struct connect_check *c = list->check;
	bool measures = connect_check_measures(c->o);
	struct err e;

	if (t->reason == NULL || (c->count == 1 && !measures) ||
	    (c->o->any && list->has_succeeded))
		return;
	err_set(&e, t->kind, "%s", t->reason);
	if (measures && t->attempts > 1)
		err_lead(&e, "%llu of %lld attempts failed; the last one: ",
		    (unsigned long long)rtt_stats_lost(&t->stats),
		    (long long)t->attempts);
	diag_error(&e);
}

/* Sets the status. Returns 0, or -1 with *e, which has no text unless that of a
 * single endpoint. */
static int
set_status(const struct target_list *list, struct err *e)
{
	const struct connect_check *c = list->check;
	enum err_kind kind, found = ERR_NONE;
	size_t i;

	if (c->o->any && list->has_succeeded)
		return 0;
	for (i = 0; i < c->count; i++) {
		kind = list->items[i].kind;
		if (found == ERR_NONE ||
		    (c->o->any ? err_rank(kind) < err_rank(found)
			       : err_rank(kind) > err_rank(found)))
			found = kind;
	}
	if (c->count == 1 && !connect_check_measures(c->o) && found != ERR_NONE)
		return err_set(e, found, "%s", list->items[0].reason);
	return found == ERR_NONE ? 0 : err_status(e, (int)found);
}

/* Ends the test: reports what is left, and sets the status, unless *e holds an
 * error already. */
static int
finish(const struct target_list *list, int result, struct err *e)
{
	const struct connect_check *c = list->check;
	bool measures = connect_check_measures(c->o);
	bool is_short = false;
	size_t i;

	for (i = 0; i < c->count && measures; i++)
		if (list->items[i].attempts > 0)
			report_summary(list, &list->items[i]);
	if (result < 0)
		return -1;
	for (i = 0; i < c->count; i++) {
		report_failure(list, &list->items[i]);
		is_short = is_short || max_attempts(c->o) == 0 ||
			   list->items[i].attempts < max_attempts(c->o);
	}
	if (measures && is_short && deadline_passed(c->until))
		return deadline_error(c->until, "", e);
	if (list->untested > 0 && !(c->o->any && list->has_succeeded))
		return deadline_error(c->until,
		    text_format("%s not tested",
			num_count_text(list->untested, "endpoint")),
		    e);
	return set_status(list, e);
}

int
connect_check_run(const struct connect_check *c, struct err *e)
{
	bool measures = connect_check_measures(c->o);
	struct target_list list = {.check = c,
	    .limit = MAX_IN_FLIGHT,
	    .due_ns = INT64_MAX,
	    .missing =
		c->o->until == UNTIL_CLOSED ? "not closed" : "no connection",
	    .start_ns = clock_now()};
	struct attempt *a;
	struct target *t;
	int result;

	if (measures || (diag_is_json() && !c->has_program)) {
		result_print_events();
		if (result_start(c->until, e) < 0)
			return -1;
	}
	list.items = mem_array(c->count, sizeof(list.items[0]));
	for (t = list.items; t < list.items + c->count; t++) {
		t->endpoint = &c->endpoints[t - list.items];
		if (measures)
			rtt_stats_start(&t->stats, 1, 0);
		await_turn(&list, t, 0);
	}
	result = test_all(&list, e);
	/* All children receive the signal at the same time. */
	proc_end_all();
	for (a = list.attempts; a < list.attempts + list.in_flight; a++) {
		dial_free(&a->dial);
		proc_free(&a->child);
		fd_close(&a->in);
	}
	result = finish(&list, result, e);
	for (t = list.items; t < list.items + c->count; t++) {
		rtt_stats_release(&t->stats);
		free(t->retry);
		free(t->reason);
	}
	free(list.items);
	free(list.fds);
	return result;
}
