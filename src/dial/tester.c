/* Tests endpoints: their attempts in flight, retries, totals and the status. */
#include "dial/tester.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rtt.h"
#include "base/step.h"
#include "base/text.h"
#include "dial/connector.h"
#include "dial/dial.h"
#include "dial/reconnect.h"
#include "net/endpoint.h"
#include "net/link.h"
#include "net/proc.h"
#include "net/resolve.h"
#include "net/signals.h"
#include "net/sock.h"
#include "net/wait.h"

/* At most this many attempts are in flight; the others wait. */
#define MAX_IN_FLIGHT 256

/* How an attempt ended; a child passes it to its parent. */
struct test_result {
	int64_t ns;      /* The time it took, without the name lookup. */
	bool is_refused; /* It failed because nobody listens. */
	struct err e;    /* ERR_NONE if it connected. */
};

/* The test of one endpoint. It has at most one attempt in flight: a dial, or a
 * child process if connecting takes more than that. */
struct test {
	const struct endpoint *endpoint;

	/* How many attempts were recorded, and how many of them succeeded. An
	 * attempt and its retries are recorded as one. */
	uint64_t attempts, connected;
	struct rtt times;

	/* When the next attempt may begin; 0: at once. INT64_MAX: it waits for
	 * none. */
	int64_t due_ns;

	/* The retries of the present attempt; owned. NULL: none has begun. */
	struct reconnect *retry;

	/* The kind of the last failure, and its text if that is reported at
	 * the end; the text is owned. */
	enum err_kind kind;
	char *reason;

	/* The attempt in flight: dial and child are owned, and at is its first
	 * entry of fds. */
	int64_t start_ns;
	struct deadline until;
	struct dial *dial;
	struct proc *child;
	size_t at;
};

/* The tests of all endpoints. */
struct tester {
	const struct tester_options *options;
	/* Those of the caller, without retries, which the tests make. */
	struct connector_options connector;
	/* What did not happen in time, for errors. */
	const char *missing;
	int64_t start_ns;
	bool has_succeeded; /* One endpoint has. */
	uint64_t max;       /* How many attempts to make on each endpoint. */

	struct test *tests; /* One for each endpoint; owned. */
	size_t cursor;      /* The test that is looked at next. */
	int64_t due_ns;     /* When the first attempt that waits may begin. */

	struct test *in_flight[MAX_IN_FLIGHT];
	size_t count, limit; /* How many are in flight, and may be. */
	struct pollfd *fds;  /* The descriptors they wait for; owned. */
};

static void begin_due(struct tester *tester);
static int wait_for_attempts(struct tester *tester, struct err *e);
static bool advance(
    struct tester *tester, struct test *t, struct test_result *r);
static void conclude(
    struct tester *tester, struct test *t, struct test_result *r);
static const char *wait_text(void *context);
static int finish(const struct tester *tester, int result, struct err *e);

/* Makes the attempts, as many at a time as may be in flight. Returns 0 when
 * none is left, or -1 with *e. */
static int
loop(struct tester *tester, struct err *e)
{
	struct test_result r;
	size_t i;

	for (;;) {
		begin_due(tester);
		if (tester->count == 0 && tester->due_ns == INT64_MAX)
			return 0;
		if (wait_for_attempts(tester, e) < 0)
			return -1;
		for (i = 0; i < tester->count;) {
			struct test *t = tester->in_flight[i];

			if (!advance(tester, t, &r)) {
				i++;
				continue;
			}
			tester->in_flight[i] =
			    tester->in_flight[--tester->count];
			conclude(tester, t, &r);
			if (tester->options->any && tester->has_succeeded)
				return 0;
		}
		if (tester->options->flush(e) < 0)
			return -1;
	}
}

/* Whether connecting takes more than a dial, and so a child process. */
static bool
needs_child(const struct connector_options *o)
{
	return o->proxy != NULL || o->via != NULL || o->tls.is_on;
}

bool
tester_measures(const struct tester_options *o)
{
	return o->attempts > 0 || o->interval_ms >= 0 || o->has_summary;
}

int
tester_run(const struct tester_options *o, struct err *e)
{
	struct tester tester = {.options = o,
	    .max = o->interval_ms < 0 ? 1 : UINT64_MAX,
	    .connector = *o->connector,
	    .missing = o->awaits_closed ? "not closed" : "no connection",
	    .start_ns = clock_now(),
	    .limit = MAX_IN_FLIGHT};
	struct wait_reason reason;
	struct test *t, *end;
	int result;

	if (o->attempts > 0)
		tester.max = (uint64_t)o->attempts;
	tester.connector.retry_ms = -1;
	/* A child needs the connection, which must not have been reset. */
	tester.connector.dial.accepts_reset = !needs_child(o->connector);
	tester.tests = mem_array(o->count, sizeof(tester.tests[0]));
	end = tester.tests + o->count;
	for (t = tester.tests; t < end; t++)
		t->endpoint = &o->endpoints[t - tester.tests];
	wait_watch_reader(tester_measures(o) ? o->output : -1);
	wait_begin(&reason, wait_text, &tester);
	result = loop(&tester, e);
	wait_watch_reader(-1);
	wait_end();
	/* All children receive the signal at the same time. */
	proc_terminate_all();
	for (t = tester.tests; t < end; t++) {
		dial_free(&t->dial);
		proc_free(&t->child);
		free(t->retry);
	}
	result = finish(&tester, result, e);
	for (t = tester.tests; t < end; t++)
		free(t->reason);
	free(tester.tests);
	free(tester.fds);
	return result;
}

/* The test waits for its next attempt. */
static void
schedule(struct tester *tester, struct test *t, int64_t due_ns)
{
	t->due_ns = due_ns;
	if (due_ns < tester->due_ns)
		tester->due_ns = due_ns;
}

/* Makes the attempt in a child. Returns 0, or -1 with *e. */
static int
start_child(struct tester *tester, struct test *t, struct err *e)
{
	const struct endpoint *ep = t->endpoint;
	struct test_result r;
	struct link l = {.fd = -1};
	pid_t pid = proc_fork(
	    &t->child, &(const struct proc_options){.has_pair = true});

	if (pid < 0)
		return err_sys(e, ERR_FAILED, errno, "%s", endpoint_text(ep));
	if (pid > 0)
		return 0;
	memset(&r, 0, sizeof(r));
	t->start_ns = clock_now();
	if (signals_catch(&r.e) == 0)
		(void)connector_open(
		    ep, &tester->connector, t->until, &l, &r.e);
	r.ns = clock_now() - t->start_ns - l.resolve_ns;
	if (l.fd >= 0) {
		err_clear(&r.e);
		link_discard(&l);
	}
	(void)fd_write_all(t->child->fd, &r, sizeof(r));
	_exit(0);
}

/* Reports an attempt: it is printed if round trips are measured. */
static void
log_attempt(const struct tester *tester, const struct test *t,
    const struct test_result *r)
{
	const struct tester_options *o = tester->options;
	bool is_connected = r->e.kind == ERR_NONE;
	bool is_closed = is_connected && o->awaits_closed;
	struct json *j;
	const char *text = endpoint_text(t->endpoint);
	const char *outcome = !is_connected ? "not connected"
			      : is_closed   ? "closed"
					    : text_format("connected in %s",
						  num_duration_text(r->ns));

	if (tester_measures(o) && !diag_is_json()) {
		if (is_connected)
			o->print("%s: %s\n", text, outcome);
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
	diag_event_end(o->count == 1 && !is_closed ? DIAG_STEP + 1
		       : is_connected              ? DIAG_NOTE
						   : DIAG_STEP,
	    "%s: %s", text, outcome);
}

/* Records an attempt. Failures are reported at the end with --any, if none has
 * succeeded, and by the command if the endpoint is the only one. */
static void
record_attempt(
    struct tester *tester, struct test *t, const struct test_result *r)
{
	const struct tester_options *o = tester->options;
	int64_t next_ns = t->start_ns;

	free(t->retry);
	t->retry = NULL;
	t->attempts++;
	log_attempt(tester, t, r);
	if (r->e.kind == ERR_NONE) {
		tester->has_succeeded = true;
		t->connected++;
		rtt_add(&t->times, r->ns);
	} else {
		t->kind = r->e.kind;
		if (tester_measures(o) || o->any || o->count == 1) {
			free(t->reason);
			t->reason = mem_text(r->e.text);
		} else {
			diag_error(&r->e);
		}
	}
	if (o->interval_ms > 0)
		next_ns += clock_ns(o->interval_ms);
	if (t->attempts < tester->max)
		schedule(tester, t, next_ns);
}

/*
 * Records an attempt that has ended, unless another one follows. An attempt
 * that ran out of descriptors is repeated when one of the others has ended; one
 * that --max-time ended measures nothing. With --until closed an open port is
 * the failure, and a refusal is not.
 */
static void
conclude(struct tester *tester, struct test *t, struct test_result *r)
{
	const struct tester_options *o = tester->options;
	bool may_retry = r->e.waits;
	int errnum = r->e.errnum;

	if (r->e.kind != ERR_NONE && tester->count > 0 &&
	    (err_is_shortage(errnum) ||
		(r->e.kind == ERR_FAILED && errnum == EAGAIN))) {
		tester->limit = tester->count;
		if (t->retry->last.kind == ERR_NONE) {
			free(t->retry);
			t->retry = NULL;
		}
		schedule(tester, t, clock_now());
		return;
	}
	if (tester_measures(o) && r->e.kind == ERR_TIMEOUT &&
	    deadline_passed(o->until))
		return;
	if (o->awaits_closed && r->e.kind == ERR_NONE) {
		may_retry = true;
		err_set(&r->e, ERR_FAILED, "%s is open",
		    endpoint_text(t->endpoint));
	} else if (o->awaits_closed && r->is_refused) {
		err_clear(&r->e);
	}
	if (r->e.kind != ERR_NONE && may_retry &&
	    reconnect_pause(t->retry, tester->missing, &r->e) == 0)
		schedule(tester, t, t->retry->due.at_ns);
	else
		record_attempt(tester, t, r);
}

/* With -vv, has the steps that follow name this endpoint. */
static void
name_steps(const struct tester *tester, const struct test *t)
{
	if (tester->options->count > 1 && step_is_on())
		step_name_endpoint(endpoint_text(t->endpoint));
}

/* Begins an attempt of a waiting test, unless the deadline has passed. */
static void
begin(struct tester *tester, struct test *t)
{
	struct test_result r = {.e = ERR_INIT};
	const struct connector_options *o = &tester->connector;

	t->due_ns = INT64_MAX;
	t->start_ns = clock_now();
	if (t->retry == NULL) {
		if (deadline_passed(tester->options->until))
			return;
		t->retry = mem_array(1, sizeof(*t->retry));
		reconnect_start(t->retry, tester->options->connector->retry_ms,
		    tester->options->until);
	} else if (reconnect_resume(t->retry, tester->missing, &r.e) < 0) {
		record_attempt(tester, t, &r);
		return;
	}
	t->until = deadline_first(
	    t->retry->end, deadline_limit(o->timeout.ms, o->timeout.option));
	name_steps(tester, t);
	if (!needs_child(o))
		t->dial = dial_start(t->endpoint, &o->dial, t->until);
	else if (start_child(tester, t, &r.e) < 0) {
		conclude(tester, t, &r);
		return;
	}
	tester->in_flight[tester->count++] = t;
}

/* Begins the attempts that are due, as many as may be in flight. */
static void
begin_due(struct tester *tester)
{
	size_t i, count = tester->options->count;
	int64_t now = clock_now();
	struct test *t;

	if (deadline_passed(tester->options->until))
		now = INT64_MAX - 1;
	if (tester->due_ns > now)
		return;
	tester->due_ns = INT64_MAX;
	for (i = 0; i < count; i++) {
		t = &tester->tests[tester->cursor];
		if (t->due_ns <= now && tester->count < tester->limit)
			begin(tester, t);
		if (t->due_ns < tester->due_ns)
			tester->due_ns = t->due_ns;
		if (t->due_ns <= now && tester->count >= tester->limit)
			return;
		tester->cursor = (tester->cursor + 1) % count;
	}
}

/* Goes on with an attempt. Returns whether it has ended, with its result. */
static bool
advance(struct tester *tester, struct test *t, struct test_result *r)
{
	const struct pollfd *fds = &tester->fds[t->at];
	struct link l;

	*r = (struct test_result){.e = ERR_INIT};
	name_steps(tester, t);
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
	const struct tester *tester = context;
	const struct test *first = NULL, *t;
	size_t i, silent = 0;

	for (i = 0; i < tester->count; i++) {
		t = tester->in_flight[i];
		if (t->dial == NULL || !deadline_passed(deadline_from(
					   t->start_ns, WAIT_REPORT_MS / 2)))
			continue;
		if (silent++ == 0)
			first = t;
	}
	if (silent == 0)
		return NULL;
	return text_format("%s %s%s: no answer yet%s",
	    tester->count == 1 && resolve_is_pending() ? "looking up"
						       : "connecting to",
	    endpoint_text(first->endpoint),
	    silent == 1 ? "" : text_format(" and %zu more", silent - 1),
	    deadline_is_set(first->until) ? ""
					  : " (--connect-timeout limits this)");
}

/* Waits for the attempts, and for the next one. Returns 0, or -1 with *e. */
static int
wait_for_attempts(struct tester *tester, struct err *e)
{
	struct deadline due = {.at_ns = tester->due_ns}, wake = deadline_none();
	struct test *t;
	size_t i, n = WAIT_SPARE;

	for (i = 0; i < tester->count; i++) {
		t = tester->in_flight[i];
		n += t->dial != NULL ? dial_capacity(t->dial) : 1;
	}
	tester->fds = mem_resize(tester->fds, n, sizeof(tester->fds[0]));
	for (i = n = 0; i < tester->count; i++) {
		t = tester->in_flight[i];
		t->at = n;
		if (t->dial != NULL)
			n += dial_poll(t->dial, &tester->fds[n], &wake);
		else
			tester->fds[n++] =
			    (struct pollfd){t->child->fd, POLLIN, 0};
	}
	if (deadline_is_set(due) && tester->count < tester->limit)
		wake = deadline_first(
		    wake, deadline_first(due, tester->options->until));
	if (wait_poll(tester->fds, n, wake) < 0)
		return wait_is_unread()
			   ? err_status(e, ERR_NONE)
			   : err_sys(e, ERR_FAILED, errno, "connecting");
	return 0;
}

/* Reports the summary of an endpoint. */
static void
summarize(const struct tester *tester, const struct test *t)
{
	uint64_t failed = t->attempts - t->connected;
	struct json *j;
	const char *text = endpoint_text(t->endpoint);

	if (diag_is_json()) {
		j = diag_event_begin("summary");
		json_text(j, "endpoint", text);
		json_number(j, "attempts", t->attempts);
		json_number(j, "connected", t->connected);
		json_number(j, "lost", failed);
		rtt_json(&t->times, j);
		json_seconds(
		    j, "seconds", clock_seconds(tester->start_ns, clock_now()));
		diag_event_end(DIAG_NOTE, "%s", text);
	} else if (tester->options->has_summary) {
		tester->options->print(
		    "%s: %s, %llu connected, %llu failed (%.3g%%)\n%s", text,
		    num_count_text(t->attempts, "attempt"),
		    (unsigned long long)t->connected,
		    (unsigned long long)failed,
		    100.0 * (double)failed / (double)t->attempts,
		    rtt_text(&t->times));
	}
}

/* Reports the remaining failures and sets the status, unless *e holds an error
 * already. The caller reports the failure of a single endpoint. */
static int
finish(const struct tester *tester, int result, struct err *e)
{
	const struct tester_options *o = tester->options;
	bool is_measured = tester_measures(o), is_short = false;
	bool is_single = o->count == 1 && !is_measured;
	/* Nobody reads it any more. */
	bool is_unread = result < 0 && e->kind == ERR_NONE;
	enum err_kind found = ERR_NONE;
	size_t untested = 0;
	struct err failure;
	const struct test *t, *end = tester->tests + o->count;

	for (t = tester->tests; t < end && is_measured; t++)
		if (t->attempts > 0 && !is_unread)
			summarize(tester, t);
	if (result < 0)
		return -1;
	if (o->any && tester->has_succeeded)
		return 0;
	for (t = tester->tests; t < end; t++) {
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
		is_short = is_short || t->attempts < tester->max;
		if (found == ERR_NONE ||
		    (o->any ? err_rank(t->kind) < err_rank(found)
			    : err_rank(t->kind) > err_rank(found)))
			found = t->kind;
	}
	if (is_measured && is_short && deadline_passed(o->until))
		return deadline_error(o->until, "", e);
	if (untested > 0)
		return deadline_error(o->until,
		    text_format(
			"%s not tested", num_count_text(untested, "endpoint")),
		    e);
	if (found == ERR_NONE)
		return 0;
	return is_single ? err_set(e, found, "%s", tester->tests[0].reason)
			 : err_status(e, (int)found);
}
