/* The accept loop: accepts connections and forks a child for each. */
#include "serve/server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/step.h"
#include "base/text.h"
#include "net/access.h"
#include "net/os.h"
#include "net/listener.h"
#include "net/proc.h"
#include "net/sock.h"
#include "net/signals.h"
#include "net/stream.h"
#include "net/wait.h"

/* The shortest pause of accepting after a failure. */
#define MIN_PAUSE_MS 50
#define MAX_PAUSE_MS 1000
/* More consecutive failures than this do not come from single connections. */
#define MAX_FAILURES 16

static void
grow(struct server *s)
{
	s->capacity = s->capacity == 0 ? 64 : 2 * s->capacity;
	s->conns = mem_resize(s->conns, s->capacity, sizeof(s->conns[0]));
	/* The listening sockets, and the signal pipe of proc_poll(). */
	s->fds = mem_resize(
	    s->fds, s->capacity + s->listener->count + 1, sizeof(s->fds[0]));
}

void
server_start(
    struct server *s, struct listener *l, const struct server_options *o)
{
	memset(s, 0, sizeof(*s));
	s->listener = l;
	s->options = o;
	s->resume = deadline_after(0);
	s->backoff = (struct backoff){.min = MIN_PAUSE_MS, .max = MAX_PAUSE_MS};
	grow(s);
}

/* Whether the peer is accepted and gets a number; logs either case. */
static bool
admit(struct server *s, struct conn *c)
{
	const struct server_options *o = s->options;
	const char *why = NULL;
	int64_t of_host = 0;
	size_t i;

	for (i = 0; o->max_per_host > 0 && i < s->count; i++)
		of_host += addr_same_host(&s->conns[i].conn.remote, &c->remote);
	if (o->access != NULL && !access_allows(o->access, &c->remote))
		why = "--allow, --deny";
	else if (o->max_per_host > 0 && of_host >= o->max_per_host)
		why = "--max-per-host";
	else
		c->number = ++s->accepted;
	conn_event_accepted(o->log_level, c, why);
	return why == NULL;
}

static void
pause_accepting(struct server *s, int errnum)
{
	if (s->backoff.pause == 0)
		diag_warn("accepting pauses: %s",
		    err_find(errnum, ERR_AT_FILE)->reason);
	s->resume = deadline_after(backoff_next(&s->backoff));
}

/*
 * Reports the queues of connections that wait for accept(2): their number at
 * -vv, and at -v that one is full, once until none is.
 */
static void
report_queues(struct server *s)
{
	const struct listener *l = s->listener;
	bool at_limit, was_full = s->is_queue_full;
	struct os_tcp tcp;
	size_t i;

	s->is_queue_full = false;
	for (i = 0; i < l->count; i++) {
		if (!os_tcp_info(l->fds[i], &tcp))
			continue;
		at_limit = tcp.waiting > tcp.backlog;
		/* One of them is accepted now. */
		if (tcp.waiting > 1)
			step("queue", step_start(), 0,
			    "clients whose connections are complete, and wait "
			    "for accept",
			    "of %s: %u of at most %u%s",
			    step_name_of(l->fds[i]), tcp.waiting,
			    tcp.backlog + 1, at_limit ? ", full" : "");
		if (at_limit && !was_full)
			diag_note("%s: the queue of connections is full: %u "
				  "wait (--backlog %u), others get no answer",
			    addr_text(&l->addrs[i]), tcp.waiting, tcp.backlog);
		s->is_queue_full |= at_limit;
	}
}

/*
 * Accepts a pending connection. Returns its fd, or -1 with errno: EAGAIN if
 * there is none, otherwise a permanent failure.
 */
static int
try_accept(struct server *s, struct conn *c)
{
	int fd;

	if (diag_shows(DIAG_NOTE))
		report_queues(s);
	fd = listener_accept(s->listener, c);
	if (fd >= 0) {
		s->backoff.pause = s->failures = 0;
		if (admit(s, c)) {
			s->is_announced = false;
			if (!s->options->is_single)
				step_name(fd, "connection", s->accepted);
			return fd;
		}
		sock_close(&fd);
	} else if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK ||
		   errno == EFAULT) {
		return -1;
	} else {
		/* All others concern a connection, which may report any network
		 * error, or are temporary. Too many are neither, and must not
		 * keep the server busy. */
		if (errno != EAGAIN && errno != EINTR)
			s->failures++;
		if (err_is_shortage(errno) || s->failures > MAX_FAILURES)
			pause_accepting(s, errno);
	}
	errno = EAGAIN;
	return -1;
}

static bool
is_full(const struct server *s)
{
	return (int64_t)s->count >= s->options->max_conns;
}

/*
 * Waits for an event. Sets *waiting, if not NULL, to whether a connection is
 * pending, unless none may be served now.
 */
static void
wait_event(struct server *s, struct deadline until, bool *waiting)
{
	const struct listener *l = s->listener;
	size_t listening = 0, i, n;

	if (waiting != NULL && !is_full(s)) {
		if (deadline_passed(s->resume))
			listening = l->count;
		else
			until = deadline_first(until, s->resume);
	}
	for (i = 0; i < listening; i++) {
		s->fds[i] = (struct pollfd){l->fds[i], POLLIN, 0};
		if (!s->is_announced)
			step_wait("accept", "until a client connects", "on %s",
			    step_name_of(l->fds[i]));
	}
	s->is_announced = s->is_announced || listening > 0;
	n = listening;
	for (i = 0; s->running < s->count && i < s->count; i++) {
		if (s->conns[i].proc != NULL)
			continue;
		until = deadline_first(until, s->conns[i].drain);
		s->fds[n++] = (struct pollfd){s->conns[i].fd, POLLIN, 0};
	}
	if (proc_poll(s->fds, n, until) <= 0)
		return;
	for (i = 0; i < listening; i++)
		*waiting |= s->fds[i].revents != 0;
}

/* Reports the "closed" event of a connection whose bytes only the kernel has
 * counted; fd may be -1. */
static void
log_closed(const struct server *s, int fd, const struct conn *c, bool goes_on,
    bool is_cut)
{
	struct conn_summary sum;

	if (!diag_emits(s->options->log_level))
		return;
	conn_event_summarize(fd, goes_on, &sum);
	sum.reset_by_us = is_cut && !sum.reset;
	sum.reset = sum.reset || is_cut;
	conn_event_closed(s->options->log_level, c, &sum, s->last_status);
}

/*
 * The end of a program. If processes that it started still run, only this copy
 * of the connection is closed: shutdown(2) would end the connection for them,
 * and they would lose what is read here. Otherwise the connection is drained;
 * or reset, as server_spawn() has prepared it, if the program did not exit by
 * itself: a FIN would make half an answer look whole.
 */
static void
end_program(struct server *s, struct server_conn *c)
{
	bool is_cut = c->proc->is_ending || c->proc->is_killed;
	bool goes_on = !c->proc->is_ending && proc_group_lives(c->proc);

	if (!is_cut)
		sock_reset_on_close(c->fd, false);
	if (goes_on)
		conn_event_goes_on(&c->conn);
	log_closed(s, c->fd, &c->conn, goes_on, is_cut && !goes_on);
	if (goes_on || is_cut) {
		sock_close(&c->fd);
		return;
	}
	stream_finish(c->fd, &(struct conn_summary){.is_fin_sent = false});
	c->drain =
	    deadline_first(c->proc->until, deadline_after(STREAM_DRAIN_MS));
}

static void
end_process(struct server *s, struct server_conn *c)
{
	struct err e = ERR_INIT;

	s->last_status = c->proc->status;
	if (c->proc->is_late) {
		s->last_status = ERR_TIMEOUT;
		diag_warn("%s: the program took longer than allowed "
			  "(--max-time)",
		    addr_text(&c->conn.remote));
	}
	if (c->fd >= 0) {
		end_program(s, c);
	} else if (s->last_status > 128 && c->proc->group == 0 &&
		   !c->proc->is_ending && signals_stopped() == 0) {
		/* It reports its end, unless it was killed; a program's status
		 * may look the same. */
		err_set(&e, ERR_FAILED,
		    "%s: the connection's process was ended by signal %d",
		    addr_text(&c->conn.remote), s->last_status - 128);
		diag_error(&e);
		log_closed(s, -1, &c->conn, false, false);
	}
	proc_free(&c->proc);
	s->running--;
	/* It may have released what was short. */
	s->resume = deadline_after(0);
}

/*
 * Handles signals, processes that have ended, and drained connections. Returns
 * true for a stop signal.
 */
static bool
advance(struct server *s)
{
	struct server_conn *c;
	size_t i = 0;

	signals_collect();
	if (s->exits == proc_exits() && s->running == s->count &&
	    !s->has_programs)
		i = s->count;
	s->exits = proc_exits();
	while (i < s->count) {
		c = &s->conns[i];
		if (c->proc != NULL && proc_has_ended(c->proc))
			end_process(s, c);
		if (c->proc != NULL ||
		    (c->fd >= 0 && stream_discard(c->fd, &c->dropped) == 1 &&
			!deadline_passed(c->drain))) {
			i++;
			continue;
		}
		sock_close(&c->fd);
		*c = s->conns[--s->count];
	}
	return signals_stopped() != 0;
}

/* Adds a connection; fd is -1 unless the process is a program. */
static void
add_conn(struct server *s, struct proc *p, int fd, const struct conn *c)
{
	if (s->count == s->capacity)
		grow(s);
	s->conns[s->count++] =
	    (struct server_conn){.proc = p, .fd = fd, .conn = *c};
	s->running++;
	s->has_programs = s->has_programs || p->group != 0;
}

/* At the limit of connections, when a client waits for one to end. */
static const char *
full_text(void *context)
{
	struct server *s = context;
	const struct listener *l = s->listener;
	struct pollfd p = {.events = POLLIN};
	size_t i;

	for (i = 0; i < l->count; i++) {
		p.fd = l->fds[i];
		s->is_full_reported |= poll(&p, 1, 0) > 0;
	}
	return s->is_full_reported
		   ? text_format("%s open, as --max-conns allows: the next "
				 "client waits until one ends",
			 num_count_text(s->count, "connection"))
		   : NULL;
}

/* server_accept() of connections, while reason is the innermost. */
static int
accept_next(
    struct server *s, struct conn *c, struct wait_reason *reason, struct err *e)
{
	const struct server_options *o = s->options;
	struct deadline until =
	    deadline_limit(o->accept_ms, "--accept-timeout");
	bool waiting = false;
	int fd;

	for (;;) {
		if (advance(s))
			return err_sys(e, ERR_FAILED, EINTR, "accepting");
		/* At the limit of children, clients wait in the backlog. */
		if (is_full(s))
			until =
			    deadline_limit(o->accept_ms, "--accept-timeout");
		else
			reason->due = deadline_after(WAIT_REPORT_MS);
		reason->is_reported = s->is_full_reported || !is_full(s);
		wait_event(s, deadline_first(until, o->until), &waiting);
		if (waiting) {
			fd = try_accept(s, c);
			if (fd >= 0)
				return fd;
			if (errno != EAGAIN)
				return err_sys(e, ERR_FAILED, errno, "accept");
			waiting = false;
		}
		if (deadline_passed(o->until))
			return deadline_error(
			    o->until, "waiting for a connection", e);
		if (deadline_passed(until))
			return deadline_error(until, "no connection", e);
	}
}

int
server_accept(struct server *s, struct conn *c, struct err *e)
{
	struct wait_reason reason;
	int fd;

	if (s->listener->is_connection) {
		fd = listener_connection(s->listener, c);
		if (!admit(s, c)) {
			sock_close(&fd);
			err_clear(e);
		}
		return fd;
	}
	wait_begin(&reason, full_text, s);
	fd = accept_next(s, c, &reason, e);
	wait_end();
	return fd;
}

/*
 * Waits until every child has exited. Returns 0, or -1 with EINTR for a stop
 * signal.
 */
static int
wait_all(struct server *s, struct err *e)
{
	while (!advance(s) && s->count > 0)
		wait_event(s, deadline_none(), NULL);
	return signals_stopped() != 0
		   ? err_sys(e, ERR_FAILED, EINTR, "accepting")
		   : 0;
}

int
server_end(struct server *s, struct err *e)
{
	if (e->kind == ERR_NONE)
		return 0;
	if (e->kind != ERR_TIMEOUT || wait_all(s, e) < 0 ||
	    !s->listener->is_activated || deadline_passed(s->options->until))
		return -1;
	diag_note("%s: the normal end with --fd systemd", e->text);
	return 0;
}

/*
 * Handles a failure to start a process. Starting a program needs descriptors
 * for a moment, and processes are limited: the last accepted connection may
 * have to wait for another one's end. Waits for that, a signal or the end of
 * the pause; returns true to try again.
 */
static bool
wait_for_resources(struct server *s, int errnum)
{
	if ((!err_is_shortage(errnum) && errnum != EAGAIN) || s->count == 0 ||
	    signals_stopped() != 0)
		return false;
	pause_accepting(s, errnum);
	wait_event(s, s->resume, NULL);
	(void)advance(s);
	return true;
}

/* Aborts a connection for which no process could be started. */
static void
drop(struct server *s, int fd, const struct conn *c, int errnum)
{
	struct err e = ERR_INIT;

	err_sys(&e, ERR_FAILED, errnum,
	    "%s: the connection is dropped: no process can be made for it",
	    addr_text(&c->remote));
	diag_error(&e);
	s->last_status = (int)e.kind;
	log_closed(s, fd, c, false, true);
	/* A FIN would look like an empty answer. */
	sock_abort(&fd);
}

void
server_fork(struct server *s, int fd, const struct conn *c,
    const struct server_handler *h)
{
	const struct proc_options o = {.leads_group = h->runs_program,
	    .limit_ms = h->runs_program ? s->options->program_ms : 0};
	int64_t start = step_start();
	struct proc *p;
	pid_t pid;

	do
		pid = proc_fork(&p, &o);
	while (pid < 0 && wait_for_resources(s, errno));
	if (pid == 0) {
		s->listener->owns_path = false;
		listener_close(
		    s->listener, "this process only serves its connection");
		(void)diag_connection(c->number);
		_exit(h->serve(fd, c, h->context));
	}
	step("fork", start, pid,
	    "a process for each client: none waits for another",
	    "process %ld serves %s", (long)pid, step_name_of(fd));
	if (pid < 0) {
		drop(s, fd, c, errno);
		return;
	}
	add_conn(s, p, -1, c);
	sock_close_note(&fd, "the other process has it");
}

void
server_spawn(struct server *s, int fd, const struct conn *c, char *const *argv)
{
	const struct proc_options o = {
	    .leads_group = true, .limit_ms = s->options->program_ms};
	const struct program program = {.argv = argv,
	    .in = fd,
	    .out = fd,
	    .protocol = "TCP",
	    .local = &c->local,
	    .remote = &c->remote};
	struct err e = ERR_INIT;
	struct proc *p;

	/* Until the program has exited, whatever ends it and this process. */
	sock_reset_on_close(fd, true);
	do
		p = proc_start(&program, &o, &e);
	while (p == NULL && wait_for_resources(s, e.errnum));
	if (p != NULL)
		add_conn(s, p, fd, c);
	else
		drop(s, fd, c, e.errnum);
}

int
server_wait_status(struct server *s, struct err *e)
{
	if (wait_all(s, e) < 0)
		return -1;
	return s->last_status == 0 ? 0 : err_status(e, s->last_status);
}

void
server_stop(struct server *s)
{
	size_t i;

	/* What is left of a program that has ended by itself goes on. */
	(void)advance(s);
	proc_end_all();
	(void)advance(s);
	for (i = 0; i < s->count; i++)
		sock_close(&s->conns[i].fd);
	free(s->conns);
	free(s->fds);
}
