/* connect -z: tests several endpoints at once, or measures round trips. */
#include "cmd/connect_check.h"

#include <errno.h>
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
#include "cmd/result.h"
#include "dial/connector.h"
#include "net/proc.h"
#include "net/endpoint.h"
#include "net/os.h"
#include "net/signals.h"
#include "net/sock.h"
#include "net/wait.h"
#include "udp/rtt_stats.h"

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
    {.kind = OPT_END},
};

/* The result of an attempt, which the child passes to its parent. */
struct attempt_record {
	int64_t end_ns; /* when it ended */
	int64_t ns;     /* how long it took, without the name lookup */
	struct err e;   /* ERR_NONE if it connected */
};

/* An endpoint, and the child that tests it. */
struct target {
	const struct endpoint *endpoint;
	struct proc *child;
	int in;                 /* the child's records; -1: ended */
	int64_t attempts;       /* whose results were received */
	struct err last;        /* the last failure */
	struct rtt_stats stats; /* if round trips are measured */
};

/* All of them. */
struct target_list {
	const struct connect_check *check;
	struct target *items;
	bool is_connected; /* an endpoint was connected to */
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

/* In the child: one attempt. Unused bytes of the record are 0. */
static void
attempt(const struct connect_check *c, const struct endpoint *ep,
    struct attempt_record *r)
{
	struct dial_result dialed = {.resolve_ns = 0};
	struct err e = ERR_INIT;
	int64_t start = clock_now();
	int fd = connector_open(ep, c->connector, c->until, &dialed, &e);

	memset(r, 0, sizeof(*r));
	r->end_ns = clock_now();
	r->ns = r->end_ns - start - dialed.resolve_ns;
	if (fd >= 0) {
		connector_discard(&dialed, &fd);
	} else {
		r->e.kind = e.kind;
		r->e.errnum = e.errnum;
		snprintf(r->e.text, sizeof(r->e.text), "%s", e.text);
	}
	step_flush();
}

/*
 * In the child: whether to go on. An attempt that a signal or --max-time ended
 * says nothing about the endpoint, and so is not counted.
 */
static bool
is_stopped(const struct connect_check *c)
{
	return signals_stopped() != 0 ||
	       (connect_check_measures(c->o) && deadline_passed(c->until));
}

/* The child. It passes a record for each attempt to out. */
static void
test_endpoint(const struct connect_check *c, const struct endpoint *ep, int out)
{
	struct attempt_record r;
	struct deadline next;
	int64_t n, max = max_attempts(c->o);

	memset(&r, 0, sizeof(r));
	if (signals_catch(&r.e) < 0) {
		(void)fd_write_all(out, &r, sizeof(r));
		return;
	}
	for (n = 0; max == 0 || n < max; n++) {
		next = deadline_after(
		    c->o->interval_ms < 0 ? 0 : c->o->interval_ms);
		attempt(c, ep, &r);
		if (is_stopped(c) || fd_write_all(out, &r, sizeof(r)) < 0)
			return;
		if (n + 1 != max)
			(void)wait_until(deadline_first(next, c->until));
		if (is_stopped(c))
			return;
	}
}

/* Starts the child. Returns 0, or -1 with *e. */
static int
start(const struct connect_check *c, struct target *t, struct err *e)
{
	int64_t begin = step_start();
	int ends[2], saved;
	pid_t pid;
	const char *text = endpoint_text(t->endpoint);

	if (fd_pipe(ends, false) < 0)
		return err_sys(e, ERR_FAILED, errno, "%s", text);
	pid = proc_fork(&t->child, NULL);
	if (pid == 0) {
		fd_close(&ends[0]);
		if (c->count > 1)
			step_name_endpoint(text);
		test_endpoint(c, t->endpoint, ends[1]);
		_exit(0);
	}
	saved = pid < 0 ? errno : 0;
	fd_close(&ends[1]);
	errno = saved;
	step("fork", begin, pid,
	    "a process for each endpoint: none waits for another",
	    "process %ld tests %s", (long)pid, text);
	if (pid > 0) {
		t->in = ends[0];
		return 0;
	}
	fd_close(&ends[0]);
	return err_sys(e, ERR_FAILED, saved, "%s", text);
}

/* Reports an attempt as an event, or else as a line: a result if round trips
 * are measured. */
static void
log_attempt(const struct target_list *list, const struct target *t,
    const struct attempt_record *r)
{
	bool measures = connect_check_measures(list->check->o);
	bool is_connected = r->e.kind == ERR_NONE;
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
	diag_event_end(is_connected ? DIAG_NOTE : DIAG_STEP, "%s: %s%s", text,
	    is_connected ? "connected in " : "not connected",
	    is_connected ? duration : "");
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

/* The failures of --any are reported once none has succeeded. */
static void
on_record(
    struct target_list *list, struct target *t, const struct attempt_record *r)
{
	const struct connect_check_options *o = list->check->o;

	t->attempts++;
	if (connect_check_measures(o))
		count_attempt(t, r);
	log_attempt(list, t, r);
	if (r->e.kind == ERR_NONE) {
		list->is_connected = true;
		return;
	}
	t->last = r->e;
	if (!connect_check_measures(o) && !o->any)
		diag_error(&r->e);
}

/* The child has ended, or was not started. */
static void
on_end(struct target_list *list, struct target *t, struct err *e)
{
	struct attempt_record r = {.end_ns = clock_now(), .ns = 0};
	const struct connect_check *c = list->check;
	int64_t max = max_attempts(c->o);

	fd_close(&t->in);
	proc_free(&t->child);
	if ((max > 0 && t->attempts >= max) || deadline_passed(c->until))
		return;
	if (e == NULL)
		err_set(&r.e, ERR_FAILED,
		    "%s: the process that tests it ended early",
		    endpoint_text(t->endpoint));
	else
		r.e = *e;
	on_record(list, t, &r);
}

/* Reads n bytes from the pipe. Returns whether all of them were there. */
static bool
read_all(int fd, void *bytes, size_t n)
{
	unsigned char *at = bytes;
	ssize_t done;

	while (n > 0) {
		done = read(fd, at, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		at += done;
		n -= (size_t)done;
	}
	return true;
}

/* Starts all children. */
static void
start_all(struct target_list *list)
{
	const struct connect_check *c = list->check;
	struct target *t;
	struct err e = ERR_INIT;
	size_t i;

	list->items = mem_array(c->count, sizeof(list->items[0]));
	for (i = 0; i < c->count; i++) {
		t = &list->items[i];
		t->endpoint = &c->endpoints[i];
		t->in = -1;
		if (connect_check_measures(c->o))
			rtt_stats_start(&t->stats, 1, 0);
	}
	for (i = 0; i < c->count; i++)
		if (start(c, &list->items[i], &e) < 0)
			on_end(list, &list->items[i], &e);
}

/* Waits until children have passed records or ended. Returns 1, 0 if all have
 * ended, or -1 with *e. */
static int
receive(struct target_list *list, struct pollfd *fds, struct err *e)
{
	size_t i, n = 0, count = list->check->count;
	struct attempt_record r;
	struct target *t;

	for (i = 0; i < count; i++)
		if (list->items[i].in >= 0)
			fds[n++] = (struct pollfd){
			    .fd = list->items[i].in, .events = POLLIN};
	if (n == 0)
		return 0;
	if (wait_poll(fds, n, deadline_none()) < 0)
		return err_sys(e, ERR_FAILED, errno, "connecting");
	for (n = i = 0; i < count; i++) {
		t = &list->items[i];
		if (t->in < 0 || fds[n++].revents == 0)
			continue;
		if (read_all(t->in, &r, sizeof(r)))
			on_record(list, t, &r);
		else
			on_end(list, t, NULL);
	}
	return result_flush(e) < 0 ? -1 : 1;
}

/* Ends the children that still run: all receive the signal at the same time. */
static void
end_all(struct target_list *list)
{
	struct target *t;

	proc_end_all();
	for (t = list->items; t < list->items + list->check->count; t++) {
		proc_free(&t->child);
		fd_close(&t->in);
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
	const struct connect_check_options *o = list->check->o;
	struct err e = t->last;

	if (e.kind == ERR_NONE)
		return;
	if (connect_check_measures(o) && t->attempts > 1)
		err_lead(&e, "%llu of %lld attempts failed; the last one: ",
		    (unsigned long long)rtt_stats_lost(&t->stats),
		    (long long)t->attempts);
	if (connect_check_measures(o) || (o->any && !list->is_connected))
		diag_error(&e);
}

/* Sets the status. Returns 0, or -1 with *e, which has no text. */
static int
set_status(const struct target_list *list, struct err *e)
{
	const struct connect_check *c = list->check;
	enum err_kind kind, found = ERR_NONE;
	size_t i;

	if (c->o->any && list->is_connected)
		return 0;
	for (i = 0; i < c->count; i++) {
		kind = list->items[i].last.kind;
		if (found == ERR_NONE ||
		    (c->o->any ? err_rank(kind) < err_rank(found)
			       : err_rank(kind) > err_rank(found)))
			found = kind;
	}
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
	return set_status(list, e);
}

int
connect_check_run(const struct connect_check *c, struct err *e)
{
	struct target_list list = {.check = c, .start_ns = clock_now()};
	struct pollfd *fds;
	int result;
	size_t i;

	if (connect_check_measures(c->o)) {
		result_print_events();
		if (result_start(c->until, e) < 0)
			return -1;
	}
	fds = mem_array(c->count + 1, sizeof(fds[0]));
	start_all(&list);
	do {
		result = receive(&list, fds, e);
	} while (result > 0 && !(c->o->any && list.is_connected));
	end_all(&list);
	result = finish(&list, result < 0 ? -1 : 0, e);
	for (i = 0; i < c->count; i++)
		rtt_stats_release(&list.items[i].stats);
	free(list.items);
	free(fds);
	return result;
}
