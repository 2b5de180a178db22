/* The accept loop: accepts connections and forks a child for each. */
#include "serve/server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/step.h"
#include "base/text.h"
#include "net/access.h"
#include "net/listener.h"
#include "net/os.h"
#include "net/proc.h"
#include "net/sock.h"
#include "net/signals.h"
#include "net/wait.h"

/* The shortest pause of accepting after a failure. */
#define MIN_PAUSE_MS 50
#define MAX_PAUSE_MS 1000
/* More consecutive failures than this do not come from single connections. */
#define MAX_FAILURES 16

void
server_start(
    struct server *s, struct listener *l, const struct server_options *o)
{
	*s = (struct server){.listener = l,
	    .options = o,
	    .stop = {-1, -1},
	    .resume = deadline_after(0),
	    .backoff = {.min = MIN_PAUSE_MS, .max = MAX_PAUSE_MS}};
	if (o->drain_ms > 0)
		(void)fd_pipe(s->stop, false);
}

/* Whether the peer is accepted and gets a number; logs either case. */
static bool
admit(struct server *s, struct link *l)
{
	const struct server_options *o = s->options;
	const char *why = NULL;
	int64_t of_host = 0;
	size_t i;

	for (i = 0; o->max_per_host > 0 && i < s->count; i++)
		of_host += addr_same_host(&s->conns[i].link.remote, &l->remote);
	for (i = 0; o->max_per_host > 0 && i < s->pending_count; i++)
		of_host +=
		    addr_same_host(&s->pending[i].link.remote, &l->remote);
	if (o->access != NULL && !access_allows(o->access, &l->remote))
		why = "--allow, --deny";
	else if (o->max_per_host > 0 && of_host >= o->max_per_host)
		why = "--max-per-host";
	else
		l->number = ++s->accepted;
	link_log_accepted(o->log_level, l, why);
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
 * Reports the queues of connections that wait for accept(2): their lengths at
 * -vv, and a full queue at -v, once until none is full.
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
 * Accepts a pending connection. Returns 0, or -1 with errno: EAGAIN if there is
 * none, otherwise a permanent failure.
 */
static int
try_accept(struct server *s, struct link *l)
{
	if (diag_shows(DIAG_NOTE))
		report_queues(s);
	if (listener_accept(s->listener, l) == 0) {
		s->backoff.pause = s->failures = 0;
		if (admit(s, l)) {
			s->is_announced = false;
			if (!s->options->is_single)
				step_name(l->fd, "connection", s->accepted);
			return 0;
		}
		/* A FIN would look like an empty answer. */
		sock_abort(&l->fd);
	} else if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK ||
		   errno == EFAULT) {
		return -1;
	} else {
		/* Other errors concern one connection, which may report any
		 * network error, or are temporary. Many in a row do not, and
		 * must not keep the server busy. */
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
	return (int64_t)(s->count + s->pending_count) >= s->options->max_conns;
}

/*
 * Waits for an event, with accepts for clients, too. Returns whether one waits
 * for accept(2); at the limit of connections, only to be reported at -v.
 */
static bool
wait_event(struct server *s, struct deadline until, bool accepts)
{
	const struct listener *l = s->listener;
	size_t listening = 0, i, n;
	int report;

	s->fds = mem_resize(s->fds,
	    l->count + s->count + s->pending_count + WAIT_SPARE,
	    sizeof(s->fds[0]));
	if (accepts &&
	    (!is_full(s) || (diag_shows(DIAG_NOTE) && !s->is_full_reported))) {
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
	for (i = 0; i < s->count; i++) {
		if (s->conns[i].proc != NULL)
			continue;
		until = deadline_first(until, s->conns[i].drain);
		until =
		    deadline_first(until, link_drain_next(&s->conns[i].link));
		/* What a reset drops is not read, and need not be waited for.
		 */
		s->fds[n++] =
		    (struct pollfd){s->conns[i].link.reset == LINK_RESET_BY_US
					? -1
					: s->conns[i].link.fd,
			POLLIN, 0};
	}
	for (i = 0; accepts && i < s->pending_count; i++) {
		report = tls_report_fd(&s->pending[i].link);
		until = deadline_first(until,
		    report >= 0 ? s->pending[i].request.until : s->resume);
		if (report >= 0)
			s->fds[n++] = (struct pollfd){report, POLLIN, 0};
	}
	if (proc_poll(s->fds, n, until) <= 0)
		return false;
	for (i = 0; i < listening; i++)
		if (s->fds[i].revents != 0)
			return true;
	return false;
}

/* Reports the "closed" event of a connection that another process used, by the
 * kernel's counters; its fd may be -1. */
static void
log_closed(const struct server *s, struct link *l, bool is_aborted)
{
	if (!diag_emits(s->options->log_level))
		return;
	link_find_outcome(l, false);
	if (is_aborted && l->reset == LINK_NO_RESET)
		l->reset = LINK_RESET_BY_US;
	link_log_closed(s->options->log_level, l, s->last_status);
}

/*
 * A program has ended. If processes that it started still run, only this copy
 * of the connection is closed: shutdown(2) would end the connection for them,
 * and reading here would take their data. Otherwise the connection is drained;
 * or, if the program did not exit by itself, reset, as server_spawn() has
 * prepared it: a FIN would make half an answer look whole.
 */
static void
finish_program(struct server *s, struct server_conn *c)
{
	struct link *l = &c->link;
	bool is_aborted = c->proc->is_ending || c->proc->is_killed;
	bool goes_on = !c->proc->is_ending && proc_group_lives(c->proc);

	c->status = s->last_status;
	if (!is_aborted)
		sock_reset_on_close(l->fd, false);
	if (c->status != 0 || diag_emits(s->options->log_level))
		link_find_outcome(l, goes_on);
	if (goes_on) {
		link_log_closed(s->options->log_level, l, c->status);
		sock_close(&l->fd);
		return;
	}
	/* A program that was ended has not failed. */
	link_record_program_exit(
	    l, c->proc->is_ending ? 0 : c->status, fd_available(l->fd));
	c->drain =
	    deadline_first(c->proc->until, deadline_after(LINK_DRAIN_MS));
	if (!is_aborted)
		return;
	c->drain = deadline_after(0);
	if (l->reset != LINK_NO_RESET)
		return;
	l->discarded = l->unread;
	l->reset = LINK_RESET_BY_US;
}

static void
reap_process(struct server *s, struct server_conn *c)
{
	struct err e = ERR_INIT;

	s->last_status = c->proc->status;
	if (c->proc->is_late) {
		s->last_status = ERR_TIMEOUT;
		diag_warn("%s: the program took longer than allowed "
			  "(--max-time)",
		    addr_text(&c->link.remote));
	}
	if (c->link.fd >= 0) {
		finish_program(s, c);
	} else if (c->proc->is_killed && c->proc->group == 0 &&
		   !c->proc->is_ending && signals_stopped() == 0) {
		/* A connection's process reports its end unless it was killed.
		 * A program may exit with the status of a signal. */
		err_set(&e, ERR_FAILED,
		    "%s: the connection's process was ended by signal %d",
		    addr_text(&c->link.remote), s->last_status - 128);
		diag_error(&e);
		log_closed(s, &c->link, false);
	}
	proc_free(&c->proc);
	proc_free(&c->carrier);
	/* It may have released the short resource. */
	s->resume = deadline_after(0);
}

/* Drains the connection of a program that has ended. Returns whether it is
 * closed. */
static bool
drain(const struct server *s, struct server_conn *c)
{
	if (!link_drain(&c->link, c->drain))
		return false;
	if (!s->options->is_single)
		link_report_failure(&c->link, c->status);
	link_log_closed(s->options->log_level, &c->link, c->status);
	return true;
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
	while (i < s->count) {
		c = &s->conns[i];
		if (c->proc != NULL && proc_has_ended(c->proc))
			reap_process(s, c);
		if (c->proc != NULL || (c->link.fd >= 0 && !drain(s, c)))
			i++;
		else
			*c = s->conns[--s->count];
	}
	return signals_stopped() != 0;
}

static void
add_conn(struct server *s, struct proc *p, struct link *l)
{
	struct proc *carrier = tls_detach(l);

	s->conns =
	    mem_grow(s->conns, s->count, &s->capacity, sizeof(s->conns[0]));
	s->conns[s->count++] =
	    (struct server_conn){.proc = p, .link = *l, .carrier = carrier};
}

static bool
has_waiting(const struct server *s)
{
	const struct listener *l = s->listener;
	struct pollfd p = {.events = POLLIN};
	size_t i;

	for (i = 0; i < l->count; i++) {
		p.fd = l->fds[i];
		if (poll(&p, 1, 0) > 0)
			return true;
	}
	return false;
}

/* Reports a client that waits because of the limit of connections. */
static const char *
full_text(void *context)
{
	struct server *s = context;

	s->is_full_reported = has_waiting(s);
	if (!s->is_full_reported)
		return NULL;
	return text_format("%s open, as --max-conns allows: the next client "
			   "waits until one ends",
	    num_count_text(s->count + s->pending_count, "connection"));
}

/* Resets a connection that is not served: a FIN would look like an empty
 * answer. */
static void
reset(struct link *l)
{
	sock_abort(&l->fd);
	tls_drop(l);
}

/* Aborts a connection for which no process or program could be started, with
 * the reason. */
static void
drop(struct server *s, struct link *l, struct err *e)
{
	err_prefix(e, "%s: the connection is dropped", addr_text(&l->remote));
	diag_error(e);
	s->last_status = (int)e->kind;
	log_closed(s, l, true);
	reset(l);
}

/* The handshake of a client that connects now. */
static struct tls_request
request_of(const struct server *s)
{
	const struct server_options *o = s->options;

	return (struct tls_request){.options = &o->tls,
	    .until = deadline_first(
		deadline_first(o->until, deadline_max_time(o->max_ms)),
		deadline_after(TLS_ACCEPT_MS))};
}

static void
reset_pending(struct server *s)
{
	while (s->pending_count > 0)
		reset(&s->pending[--s->pending_count].link);
}

/* Starts the process of a handshake. If processes are short, accepting pauses,
 * and this is called again. Returns false if the connection was dropped. */
static bool
start_pending(struct server *s, struct server_pending *p)
{
	struct err e = ERR_INIT;

	if (!deadline_passed(s->resume))
		return true;
	p->request = request_of(s);
	if (tls_begin(&p->request, &p->link, &e) == 0)
		return true;
	if ((err_is_shortage(e.errnum) || e.errnum == EAGAIN) &&
	    s->count + s->pending_count > 1) {
		pause_accepting(s, e.errnum);
		return true;
	}
	drop(s, &p->link, &e);
	return false;
}

/* Starts and ends handshakes. Returns true with *l when one has succeeded. */
static bool
find_secured(struct server *s, struct link *l)
{
	struct server_pending *p;
	struct err e = ERR_INIT;
	struct pollfd f = {.events = POLLIN};
	enum tls_result result;
	bool found = false;
	size_t i = 0;
	int ready;

	while (i < s->pending_count && !found) {
		p = &s->pending[i];
		(void)diag_connection(p->link.number);
		if (link_is_direct(&p->link)) {
			if (start_pending(s, p))
				i++;
			else
				*p = s->pending[--s->pending_count];
			continue;
		}
		f.fd = tls_report_fd(&p->link);
		ready = poll(&f, 1, 0);
		if (ready <= 0 && !deadline_passed(p->request.until)) {
			i++;
			continue;
		}
		*l = p->link;
		result = tls_secure(&p->request, l, ready < 0 ? 0 : ready, &e);
		*p = s->pending[--s->pending_count];
		found = result == TLS_SECURED;
		if (found)
			continue;
		err_prefix(&e, "%s", addr_text(&l->remote));
		if (result == TLS_PROBED)
			diag_note("%s (a probe, it seems)", e.text);
		else
			diag_error(&e);
		link_log_closed(s->options->log_level, l, (int)e.kind);
		reset(l);
	}
	(void)diag_connection(0);
	if (found && s->options->is_alone)
		reset_pending(s);
	return found;
}

/* server_accept() on listening sockets; reason is the current one of waits. */
static int
accept_next(
    struct server *s, struct link *l, struct wait_reason *reason, struct err *e)
{
	const struct server_options *o = s->options;
	struct deadline until =
	    deadline_limit(o->accept_ms, "--accept-timeout");
	bool is_waiting;

	for (;;) {
		if (advance(s))
			return err_sys(e, ERR_FAILED, EINTR, "accepting");
		/* Clients are there: in the backlog, or in a handshake. */
		if (is_full(s) || s->pending_count > 0)
			until =
			    deadline_limit(o->accept_ms, "--accept-timeout");
		if (!is_full(s))
			reason->due = deadline_after(WAIT_REPORT_MS);
		reason->is_reported = s->is_full_reported || !is_full(s);
		/* The next client that waits is reported again. */
		if (s->is_full_reported && !is_full(s))
			s->is_full_reported = has_waiting(s);
		is_waiting =
		    wait_event(s, deadline_first(until, o->until), true);
		if (wait_is_unread())
			return err_status(e, ERR_NONE);
		if (is_waiting && is_full(s)) {
			reason->due = deadline_after(0);
		} else if (is_waiting) {
			if (try_accept(s, l) == 0) {
				if (!o->tls.is_on)
					return 0;
				s->pending = mem_grow(s->pending,
				    s->pending_count, &s->pending_capacity,
				    sizeof(s->pending[0]));
				s->pending[s->pending_count++] =
				    (struct server_pending){.link = *l};
			} else if (errno != EAGAIN) {
				return err_sys(e, ERR_FAILED, errno, "accept");
			}
		}
		if (find_secured(s, l))
			return 0;
		if (deadline_passed(o->until))
			return deadline_error(
			    o->until, "waiting for a connection", e);
		if (deadline_passed(until) && s->pending_count == 0)
			return deadline_error(until, "no connection", e);
	}
}

int
server_accept(struct server *s, struct link *l, struct err *e)
{
	struct tls_request request = request_of(s);
	struct wait_reason reason;
	int result;

	if (s->listener->is_connection) {
		(void)listener_accept(s->listener, l);
		if (!admit(s, l)) {
			sock_abort(&l->fd);
			return err_status(e, ERR_FAILED);
		}
		if (!s->options->tls.is_on || tls_start(&request, l, e) == 0)
			return 0;
		return err_prefix(e, "%s", addr_text(&l->remote));
	}
	wait_begin(&reason, full_text, s);
	result = accept_next(s, l, &reason, e);
	wait_end();
	return result;
}

/* --drain: after a stop signal the connections go on, until another one. */
static void
drain_all(struct server *s)
{
	struct deadline until = deadline_after(s->options->drain_ms);

	listener_close(s->listener, "no more connections: sockt was stopped");
	reset_pending(s);
	fd_close(&s->stop[0]);
	diag_note("stopped by a signal: %s may go on for %s (--drain)",
	    num_count_text(s->count, "connection"),
	    num_limit_text(s->options->drain_ms));
	while (s->count > 0 && !deadline_passed(until) &&
	       signals_stop_count() < 2) {
		(void)wait_event(s, until, false);
		(void)advance(s);
	}
}

int
server_finish(struct server *s, int result, struct err *e)
{
	if (result < 0 && e->kind != ERR_TIMEOUT && signals_stopped() == 0)
		return -1;
	while (!advance(s) && s->count > 0)
		(void)wait_event(s, deadline_none(), false);
	if (signals_stopped() != 0 && s->options->drain_ms > 0)
		drain_all(s);
	if (signals_stopped() != 0)
		return err_sys(e, ERR_FAILED, EINTR, "accepting");
	if (result == 0 && s->last_status != 0)
		return err_status(e, s->last_status);
	if (result == 0)
		return 0;
	if (!s->listener->is_from_systemd || s->listener->is_connection ||
	    deadline_passed(s->options->until))
		return -1;
	diag_note("%s: the normal end with --fd systemd", e->text);
	return 0;
}

/*
 * A process could not be started. Descriptors, which starting a program needs
 * for a moment, or processes may be short until another connection ends. Waits
 * for that, a signal or the end of the pause; returns true to try again.
 */
static bool
wait_for_resources(struct server *s, int errnum)
{
	if ((!err_is_shortage(errnum) && errnum != EAGAIN) || s->count == 0 ||
	    signals_stopped() != 0)
		return false;
	pause_accepting(s, errnum);
	(void)wait_event(s, s->resume, false);
	(void)advance(s);
	return true;
}

void
server_fork(struct server *s, struct link *l, server_serve *serve,
    void *context, bool runs_program)
{
	const struct proc_options o = {.leads_group = runs_program,
	    .limit_ms = runs_program ? s->options->program_ms : 0};
	int64_t start = step_start();
	struct err e = ERR_INIT;
	struct link *other;
	struct proc *p;
	pid_t pid;
	size_t i;

	do
		pid = proc_fork(&p, &o);
	while (pid < 0 && wait_for_resources(s, errno));
	if (pid == 0) {
		for (i = 0; i < s->pending_count; i++) {
			other = &s->pending[i].link;
			tls_adopt(other);
			tls_drop(other);
			sock_close(&other->fd);
		}
		tls_adopt(l);
		/* What the terminal of the server sends is not for it. */
		if (s->options->drain_ms > 0 && !runs_program)
			(void)setsid();
		fd_close(&s->stop[0]);
		s->listener->owns_path = false;
		listener_close(
		    s->listener, "this process only serves its connection");
		(void)diag_connection(l->number);
		_exit(serve(l, context));
	}
	step("fork", start, pid,
	    "a process for each client: none waits for another",
	    "process %ld serves %s", (long)pid, step_name_of(l->fd));
	if (pid < 0) {
		err_sys(&e, ERR_FAILED, errno, "no process can be made for it");
		drop(s, l, &e);
		return;
	}
	sock_close_note(&l->fd, "the other process has it");
	add_conn(s, p, l);
}

void
server_spawn(struct server *s, struct link *l, char *const *argv)
{
	const struct program program = {.argv = argv,
	    .options = {.leads_group = true,
		.limit_ms = s->options->program_ms},
	    .in = l->fd,
	    .out = l->fd,
	    .protocol = "TCP",
	    .local = &l->local,
	    .remote = &l->remote};
	struct err e = ERR_INIT;
	struct proc *p;

	/* Until the program has exited, however it and this process end. */
	sock_reset_on_close(l->fd, true);
	do
		p = proc_start(&program, &e);
	while (p == NULL && wait_for_resources(s, e.errnum));
	if (p != NULL)
		add_conn(s, p, l);
	else
		drop(s, l, &e);
}

void
server_stop(struct server *s)
{
	size_t i;

	/* Processes that outlive a program's own exit continue. */
	(void)advance(s);
	reset_pending(s);
	proc_terminate_all();
	(void)advance(s);
	for (i = 0; i < s->count; i++) {
		s->conns[i].drain = deadline_after(0);
		if (s->conns[i].link.fd >= 0)
			(void)drain(s, &s->conns[i]);
	}
	fd_close(&s->stop[0]);
	fd_close(&s->stop[1]);
	free(s->pending);
	free(s->conns);
	free(s->fds);
}
