/* The accept loop: accepts connections and forks a child for each. */
#include "serve/server.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/num.h"
#include "base/step.h"
#include "net/access.h"
#include "net/call.h"
#include "net/os.h"
#include "net/listener.h"
#include "net/program.h"
#include "net/shutdown.h"
#include "net/sock.h"
#include "net/signals.h"
#include "net/wait.h"

/* The shortest pause of accepting after a failure. */
#define MIN_PAUSE_MS 50
#define MAX_PAUSE_MS 1000
/* More consecutive failures than this do not come from single connections. */
#define MAX_FAILURES 16

int
server_start(struct server *s, struct listener *l,
    const struct server_options *o, struct err *e)
{
	int signals = SIGNALS_STOP;

	memset(s, 0, sizeof(*s));
	s->listener = l;
	s->options = o;
	s->resume = deadline_after(0);
	s->backoff = (struct backoff){.min = MIN_PAUSE_MS, .max = MAX_PAUSE_MS};
	s->children.program_ms = o->program_ms;
	s->children.log_level = o->log_level;
	/* The listening sockets, and the signal pipe of wait_poll(). */
	s->children.other_fds = l->count + 1;
	children_init(&s->children);
	if (!o->is_alone)
		signals |= SIGNALS_CHILD;
	if (signals_catch(signals, e) < 0) {
		children_release(&s->children);
		return -1;
	}
	return 0;
}

/* Whether the peer is accepted and gets a number; logs either case. */
static bool
admit(struct server *s, struct conn *c)
{
	if (s->options->access != NULL &&
	    !access_allows(s->options->access, &c->remote)) {
		conn_event_denied(s->options->log_level, c, "--allow, --deny");
		return false;
	}
	if (s->options->max_per_host > 0 &&
	    children_of_host(&s->children, &c->remote) >=
		s->options->max_per_host) {
		conn_event_denied(s->options->log_level, c, "--max-per-host");
		return false;
	}
	c->number = ++s->accepted;
	conn_event_accepted(s->options->log_level, c);
	return true;
}

/*
 * Whether the error is one of the listening socket. All others of accept(2)
 * concern a connection, which may report any network error, or are temporary.
 */
static bool
is_broken(int errnum)
{
	return errnum == EBADF || errnum == EINVAL || errnum == ENOTSOCK ||
	       errnum == EFAULT;
}

static void
pause_accepting(struct server *s, int errnum)
{
	if (s->backoff.pause == 0)
		diag_warn(
		    "accepting pauses: %s", err_reason(errnum, ERR_AT_FILE));
	s->resume = deadline_after(backoff_next(&s->backoff));
}

/*
 * Handles a failure of accept(2), which is not an error here: errno becomes
 * EAGAIN. A permanent failure must not keep the server busy.
 */
static void
note_failure(struct server *s, int errnum)
{
	if (errnum != EAGAIN && errnum != EINTR)
		s->failures++;
	if (err_is_shortage(errnum) || s->failures > MAX_FAILURES)
		pause_accepting(s, errnum);
	errno = EAGAIN;
}

/* Reports a queue of connections. Returns whether it is full. */
static bool
report_queue(const struct server *s, size_t i)
{
	const struct listener *l = s->listener;
	char text[ADDR_TEXT];
	struct os_tcp tcp;
	bool at_limit;

	if (!os_tcp_info(l->fds[i], &tcp))
		return false;
	at_limit = tcp.waiting > tcp.backlog;
	/* One of them is accepted now. */
	if (tcp.waiting > 1 && step_is_on())
		step_report(&(struct step){.call = "queue",
				.start_ns = step_start(),
				.result = at_limit ? "full" : "not empty",
				.note = "clients whose connections are "
					"complete, and wait for accept"},
		    "of %s: %u of at most %u", step_name_of(l->fds[i]),
		    tcp.waiting, tcp.backlog + 1);
	if (at_limit && !s->is_queue_full)
		diag_note("%s: the queue of connections is full: %u wait "
			  "(--backlog %u), others get no answer",
		    addr_format(&l->addrs[i], text, sizeof(text)), tcp.waiting,
		    tcp.backlog);
	return at_limit;
}

/*
 * Reports the queues of connections that wait for accept(2): their number at
 * -vv, and at -v that one is full, once until none is.
 */
static void
report_queues(struct server *s)
{
	bool at_limit = false;
	size_t i;

	for (i = 0; i < s->listener->count; i++)
		at_limit |= report_queue(s, i);
	s->is_queue_full = at_limit;
}

/* Reports an accepted connection. */
static void
note_accepted(struct server *s, int fd)
{
	s->is_announced = false;
	if (!s->options->is_single)
		step_name(fd, "connection", s->accepted);
}

/* Reports once that the server waits for a connection. */
static void
announce_wait(struct server *s)
{
	const struct listener *l = s->listener;
	size_t i;

	if (s->is_announced || !step_is_on())
		return;
	s->is_announced = true;
	for (i = 0; i < l->count; i++)
		step_wait("accept", "until a client connects", "on %s",
		    step_name_of(l->fds[i]));
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
	if (fd < 0) {
		if (!is_broken(errno))
			note_failure(s, errno);
		return -1;
	}
	s->backoff.pause = s->failures = 0;
	if (admit(s, c)) {
		note_accepted(s, fd);
		return fd;
	}
	sock_close(&fd);
	errno = EAGAIN;
	return -1;
}

static bool
is_full(const struct server *s)
{
	return (int64_t)s->children.running >= s->options->max_conns;
}

/*
 * Adds the listening sockets if another connection may be served now; otherwise
 * brings *until forward to when it may. Returns the number added.
 */
static size_t
listener_pollfds(
    const struct server *s, struct pollfd *fds, struct deadline *until)
{
	const struct listener *l = s->listener;
	size_t i;

	if (is_full(s))
		return 0;
	if (!deadline_passed(s->resume)) {
		*until = deadline_first(*until, s->resume);
		return 0;
	}
	for (i = 0; i < l->count; i++)
		fds[i] = (struct pollfd){l->fds[i], POLLIN, 0};
	return l->count;
}

/*
 * Waits for an event. Sets *waiting, if not NULL, to whether a connection is
 * pending.
 */
static void
wait_event(struct server *s, struct deadline until, bool *waiting)
{
	struct pollfd *fds = s->children.fds;
	size_t listening = 0, i, n;

	if (waiting != NULL)
		listening = listener_pollfds(s, fds, &until);
	if (listening > 0)
		announce_wait(s);
	n = children_pollfds(&s->children, fds + listening, &until);
	if (wait_poll(fds, listening + n, until) <= 0)
		return;
	for (i = 0; i < listening; i++)
		*waiting |= fds[i].revents != 0;
}

/*
 * Handles signals, children and drained connections. Returns true for a stop
 * signal.
 */
static bool
advance(struct server *s)
{
	(void)signals_collect();
	/* The child may have released what was short. */
	if (children_advance(&s->children))
		s->resume = deadline_after(0);
	return signals_stopped() != 0;
}

static int
stop_error(struct err *e)
{
	return err_sys(e, ERR_FAILED, EINTR, "accepting");
}

/* Sets *e for the limit that ended the wait for a connection. */
static int
accept_limit_error(const struct server *s, struct err *e)
{
	if (deadline_passed(s->options->until))
		return deadline_error(
		    s->options->until, "waiting for a connection", e);
	return deadline_error(
	    deadline_limit(s->options->accept_ms, "--accept-timeout"),
	    "no connection", e);
}

/* The inherited connection, if its peer is allowed. */
static int
accept_inherited(struct server *s, struct conn *c, struct err *e)
{
	int fd = listener_connection(s->listener, c);

	s->accepted++;
	if (admit(s, c))
		return fd;
	sock_close(&fd);
	err_clear(e);
	return -1;
}

int
server_accept(struct server *s, struct conn *c, struct err *e)
{
	const struct server_options *o = s->options;
	struct deadline until = deadline_after(o->accept_ms);
	bool waiting = false;
	int fd;

	if (s->listener->is_connection)
		return accept_inherited(s, c, e);
	for (;;) {
		if (advance(s))
			return stop_error(e);
		/* At the limit of children, clients wait in the backlog. */
		if (is_full(s))
			until = deadline_after(o->accept_ms);
		wait_event(s, deadline_first(until, o->until), &waiting);
		if (waiting) {
			fd = try_accept(s, c);
			if (fd >= 0)
				return fd;
			if (errno != EAGAIN)
				return err_sys(e, ERR_FAILED, errno, "accept");
			waiting = false;
		}
		if (deadline_passed(until) || deadline_passed(o->until))
			return accept_limit_error(s, e);
	}
}

/*
 * Waits until every child has exited. Returns 0, or -1 with EINTR for a stop
 * signal.
 */
static int
wait_children(struct server *s, struct err *e)
{
	while (!advance(s) && s->children.count > 0)
		wait_event(s, deadline_none(), NULL);
	return signals_stopped() != 0 ? stop_error(e) : 0;
}

int
server_end(struct server *s, struct err *e)
{
	if (e->kind == ERR_NONE)
		return 0;
	if (e->kind != ERR_TIMEOUT || wait_children(s, e) < 0 ||
	    !s->options->ends_idle || deadline_passed(s->options->until))
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
	if ((!err_is_shortage(errnum) && errnum != EAGAIN) ||
	    s->children.count == 0 || signals_stopped() != 0)
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
	char text[ADDR_TEXT];

	err_sys(&e, ERR_FAILED, errnum,
	    "%s: the connection is dropped: no process can be made for it",
	    addr_format(&c->remote, text, sizeof(text)));
	diag_error(&e);
	s->children.last_status = (int)e.kind;
	children_log_closed(&s->children, fd, c, false);
	/* A FIN would look like an empty answer. */
	sock_abort(&fd);
}

static void
report_fork(int fd, pid_t pid, int64_t start)
{
	if (step_is_on() && pid > 0)
		step_report(&(struct step){.call = "fork",
				.start_ns = start,
				.note = "a process for each client: none "
					"waits for another"},
		    "process %ld serves %s", (long)pid, step_name_of(fd));
	else if (step_is_on())
		step_report(
		    &(struct step){
			.call = "fork", .start_ns = start, .errnum = errno},
		    "for %s", step_name_of(fd));
}

/* Another parent might leave zombies in the group of a program. */
static void
adopt_orphans(const struct server *s)
{
	if (!s->children.has_programs)
		(void)os_adopt_orphans();
}

void
server_fork(struct server *s, int fd, const struct conn *c,
    const struct server_handler *h)
{
	int64_t start = step_start();
	pid_t pid;

	if (h->runs_program)
		adopt_orphans(s);
	pid = child_fork();
	while (pid < 0 && wait_for_resources(s, errno))
		pid = child_fork();
	if (pid != 0)
		report_fork(fd, pid, start);
	if (pid == 0) {
		listener_abandon(s->listener);
		(void)diag_connection(c->number);
		if (h->runs_program)
			setpgid(0, 0);
		_exit(h->serve(fd, c, h->context));
	}
	if (pid < 0) {
		drop(s, fd, c, errno);
		return;
	}
	if (h->runs_program) {
		/* Whichever of the two processes runs first. */
		setpgid(pid, pid);
		children_add_group(&s->children, pid, c);
	} else {
		children_add(&s->children, pid, -1, c);
	}
	(void)call_close(fd, "the other process has it");
}

void
server_spawn(struct server *s, int fd, const struct conn *c, char *const *argv)
{
	struct err e = ERR_INIT;
	struct program p = {.argv = argv,
	    .in = fd,
	    .out = fd,
	    .protocol = "TCP",
	    .local = &c->local,
	    .remote = &c->remote,
	    .new_group = true};
	pid_t pid;

	adopt_orphans(s);
	pid = program_start(&p, &e);
	while (pid < 0 && wait_for_resources(s, e.errnum))
		pid = program_start(&p, &e);
	if (pid > 0) {
		children_add(&s->children, pid, fd, c);
		return;
	}
	s->children.last_status = (int)e.kind;
	diag_error(&e);
	children_log_closed(&s->children, fd, c, false);
	shutdown_and_drain(&fd, deadline_after(0),
	    &(struct conn_summary){.is_fin_sent = false});
}

int
server_wait_status(struct server *s, struct err *e)
{
	if (wait_children(s, e) < 0)
		return -1;
	return s->children.last_status == 0
		   ? 0
		   : err_status(e, s->children.last_status);
}

void
server_stop(struct server *s)
{
	children_end(&s->children);
	for (;;) {
		(void)advance(s);
		if (s->children.running == 0)
			break;
		wait_event(s, deadline_none(), NULL);
	}
	children_release(&s->children);
}
