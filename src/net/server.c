#include "net/server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "net/access.h"
#include "net/listener.h"
#include "net/program.h"
#include "net/sock.h"
#include "net/summary.h"
#include "net/wait.h"

/* How long a finished program's connection is drained. */
#define DRAIN_MS 2000
/* How long children may take to end before they are killed. */
#define GRACE_MS 2000
/* Accepting pauses this long for want of descriptors, doubling. */
#define PAUSE_MS 50
#define PAUSE_MOST_MS 1000

/* Room for one more child, and for polling all of them. */
static void
make_room(struct server *s)
{
	if (s->count < s->room)
		return;
	s->room = s->room == 0 ? 16 : 2 * s->room;
	s->children = mem_resize(s->children, s->room, sizeof(s->children[0]));
	s->pids = mem_resize(s->pids, s->room, sizeof(s->pids[0]));
	s->fds =
	    mem_resize(s->fds, s->room + LISTENER_MOST + 1, sizeof(s->fds[0]));
}

int
server_start(struct server *s, struct listener *l,
    const struct server_options *o, struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->listener = l;
	s->options = o;
	s->resume = deadline_after(0);
	make_room(s);
	return wait_catch(o->is_alone ? WAIT_STOP : WAIT_STOP | WAIT_CHILD, e);
}

/* A program's connection, whose bytes only the kernel has seen. */
static void
tell_closed(
    const struct server *s, int fd, const struct server_conn *c, int status)
{
	struct summary sum;

	if (!diag_tells(s->options->log_level))
		return;
	summary_of_socket(fd, &sum);
	summary_tell(s->options->log_level, &c->local, &c->remote, &sum,
	    clock_now() - c->start_ns, status);
}

static void
remove_child(struct server *s, size_t i)
{
	s->count--;
	s->children[i] = s->children[s->count];
	s->pids[i] = s->pids[s->count];
}

/* A child has ended: what is left of it is its connection. */
static void
end_child(struct server *s, size_t i, int status)
{
	struct server_child *c = &s->children[i];

	c->pid = s->pids[i] = 0;
	s->running--;
	s->last_status = program_wait_status(status);
	if (c->fd < 0) {
		remove_child(s, i);
		return;
	}
	tell_closed(s, c->fd, &c->conn, s->last_status);
	shutdown(c->fd, SHUT_WR);
	c->until =
	    deadline_first(c->until, deadline_after(c->is_late ? 0 : DRAIN_MS));
}

static void
reap(struct server *s)
{
	int status;
	pid_t pid;
	size_t i;

	while (s->running > 0 && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < s->count && s->pids[i] != pid; i++)
			continue;
		if (i == s->count)
			continue;
		end_child(s, i, status);
		s->resume = deadline_after(0);
	}
}

/* Reads and drops what comes; closes at the peer's end or the limit. */
static void
drain(struct server *s)
{
	struct server_child *c;
	char drop[16384];
	size_t i = 0;
	ssize_t n;

	if (s->count == s->running)
		return;
	while (i < s->count) {
		c = &s->children[i];
		if (s->pids[i] != 0) {
			i++;
			continue;
		}
		do {
			n = recv(c->fd, drop, sizeof(drop), MSG_DONTWAIT);
		} while (n > 0 && !deadline_passed(c->until));
		if (n < 0 && (errno == EAGAIN || errno == EINTR) &&
		    !deadline_passed(c->until)) {
			i++;
			continue;
		}
		sock_close(&c->fd);
		remove_child(s, i);
	}
}

/* Whether any child or connection being drained has a limit. */
static bool
has_limits(const struct server *s)
{
	return s->count != s->running || s->options->program_ms >= 0;
}

/* Fills in the connections being drained, returns how many, and brings *until
 * forward to the first limit of a child. */
static size_t
drain_pollfds(
    const struct server *s, struct pollfd *fds, struct deadline *until)
{
	size_t i, n = 0;

	if (!has_limits(s))
		return 0;
	for (i = 0; i < s->count; i++) {
		*until = deadline_first(*until, s->children[i].until);
		if (s->children[i].pid != 0)
			continue;
		fds[n].fd = s->children[i].fd;
		fds[n].events = POLLIN;
		n++;
	}
	return n;
}

/* Connections of the same host. */
static int64_t
count_host(const struct server *s, const struct addr *remote)
{
	int64_t n = 0;
	size_t i;

	for (i = 0; i < s->count; i++)
		n += s->children[i].pid != 0 &&
		     addr_same_host(&s->children[i].conn.remote, remote);
	return n;
}

/* Whether this peer is served; tells both cases. */
static bool
admit(const struct server *s, const struct server_conn *c)
{
	if (s->options->access != NULL &&
	    !access_allows(s->options->access, &c->remote)) {
		summary_tell_refused(s->options->log_level, &c->local,
		    &c->remote, "--allow, --deny");
		return false;
	}
	if (s->options->max_per_host > 0 &&
	    count_host(s, &c->remote) >= s->options->max_per_host) {
		summary_tell_refused(s->options->log_level, &c->local,
		    &c->remote, "--max-per-host");
		return false;
	}
	summary_tell_accepted(s->options->log_level, &c->local, &c->remote);
	return true;
}

/* True for errors that are about this machine's supply, and pass. */
static bool
is_shortage(int errnum)
{
	return errnum == EMFILE || errnum == ENFILE || errnum == ENOBUFS ||
	       errnum == ENOMEM;
}

static void
pause_accepting(struct server *s, int errnum)
{
	if (s->pause_ms == 0)
		diag_warn("accepting pauses: %s", err_reason(errnum));
	s->pause_ms = s->pause_ms == 0 ? PAUSE_MS : s->pause_ms * 2;
	if (s->pause_ms > PAUSE_MOST_MS)
		s->pause_ms = PAUSE_MOST_MS;
	s->resume = deadline_after(s->pause_ms);
}

/*
 * One connection, if there is one: its fd; else -1 with errno EAGAIN, or what
 * failed for good.
 */
static int
try_accept(struct server *s, struct server_conn *c)
{
	int fd;

	c->start_ns = clock_now();
	fd = listener_accept(s->listener, &c->local, &c->remote);
	if (fd >= 0) {
		s->pause_ms = 0;
		if (admit(s, c))
			return fd;
		sock_close(&fd);
		errno = EAGAIN;
		return -1;
	}
	if (is_shortage(errno)) {
		pause_accepting(s, errno);
		errno = EAGAIN;
	} else if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO ||
		   errno == EPERM || errno == EWOULDBLOCK) {
		/* accept(2): errors of the new connection, not of ours. */
		errno = EAGAIN;
	}
	return -1;
}

/* Waits until something happens. As wait_poll(). */
static int
wait_event(struct server *s, struct deadline until)
{
	const struct listener *l = s->listener;
	struct pollfd *fds = s->fds;
	size_t i, n = drain_pollfds(s, fds, &until);

	if ((int64_t)s->running < s->options->max_conns) {
		if (!deadline_passed(s->resume))
			until = deadline_first(until, s->resume);
		else
			for (i = 0; i < l->count; i++, n++) {
				fds[n].fd = l->fds[i];
				fds[n].events = POLLIN;
			}
	}
	return wait_poll(fds, n, until);
}

/* A program is signalled with everything that it started. */
static void
signal_child(const struct server_child *c, int number)
{
	if (c->pid > 0)
		kill(c->fd >= 0 ? -c->pid : c->pid, number);
}

/* Programs that run too long are asked to end, then made to. */
static void
end_late(struct server *s)
{
	struct server_child *c;
	char text[ADDR_TEXT];
	size_t i;

	if (s->options->program_ms < 0)
		return;
	for (i = 0; i < s->count; i++) {
		c = &s->children[i];
		if (c->pid == 0 || !deadline_passed(c->until))
			continue;
		if (!c->is_late)
			diag_warn("%s: the program took too long (--max-time)",
			    addr_format(&c->conn.remote, text, sizeof(text)));
		signal_child(c, c->is_late ? SIGKILL : SIGTERM);
		c->is_late = true;
		c->until = deadline_after(GRACE_MS);
	}
}

/* Children and drained connections. True when it was told to stop. */
static bool
look_after(struct server *s)
{
	wait_taken();
	reap(s);
	drain(s);
	end_late(s);
	return wait_stopped() != 0;
}

/* Which limit ended the wait for a connection. */
static int
accept_limit_error(const struct server *s, struct err *e)
{
	char took[32];

	if (deadline_passed(s->options->until))
		return err_set(e, ERR_TIMEOUT,
		    "the whole run took longer than allowed (--max-time)");
	return err_set(e, ERR_TIMEOUT,
	    "no connection came within %s (--accept-timeout)",
	    num_format_duration(
		took, sizeof(took), s->options->accept_ms * CLOCK_MS));
}

int
server_accept(struct server *s, struct server_conn *c, struct err *e)
{
	const struct server_options *o = s->options;
	struct deadline until = deadline_after(o->accept_ms);
	int fd;

	for (;;) {
		if (look_after(s)) {
			err_clear(e);
			return -1;
		}
		if ((int64_t)s->running >= o->max_conns) {
			/* It is we who keep them waiting. */
			until = deadline_after(o->accept_ms);
		} else if (deadline_passed(s->resume)) {
			fd = try_accept(s, c);
			if (fd >= 0)
				return fd;
			if (errno != EAGAIN)
				return err_sys(e, ERR_FAILED, errno, "accept");
		}
		if (deadline_passed(until) || deadline_passed(o->until))
			return accept_limit_error(s, e);
		wait_event(s, deadline_first(until, o->until));
	}
}

static void
add_child(struct server *s, pid_t pid, int fd, const struct server_conn *c)
{
	struct server_child child = {.pid = pid, .fd = fd, .conn = *c};

	/* A handler of ours looks after its limits itself. */
	child.until =
	    fd < 0 ? deadline_none() : deadline_after(s->options->program_ms);

	make_room(s);
	s->pids[s->count] = pid;
	s->children[s->count++] = child;
	s->running++;
}

void
server_fork(struct server *s, int fd, const struct server_conn *c,
    server_serve *serve, void *context)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		wait_child_reset(false);
		listener_abandon(s->listener);
		status = serve(fd, c, context);
		_exit(status);
	}
	if (pid < 0)
		diag_warn("a connection is dropped: fork: %s", strerror(errno));
	else
		add_child(s, pid, -1, c);
	fd_close(&fd);
}

/*
 * Starting a program takes descriptors for a moment; the last connection that
 * could be accepted may have to wait for another one's end.
 */
static pid_t
start_program(struct server *s, const struct program *p, struct err *e)
{
	pid_t pid = program_start(p, e);

	while (pid < 0 && is_shortage(e->errnum) && s->count > 0 &&
	       wait_stopped() == 0) {
		pause_accepting(s, e->errnum);
		wait_until(s->resume);
		look_after(s);
		pid = program_start(p, e);
	}
	return pid;
}

void
server_spawn(
    struct server *s, int fd, const struct server_conn *c, char *const *argv)
{
	struct err e = ERR_INIT;
	struct program p = {argv, fd, fd, "TCP", &c->local, &c->remote, true};
	pid_t pid = start_program(s, &p, &e);

	if (pid > 0) {
		add_child(s, pid, fd, c);
		return;
	}
	s->last_status = (int)e.kind;
	diag_error(&e);
	tell_closed(s, fd, c, s->last_status);
	sock_close_drained(&fd, deadline_after(0));
}

void
server_wait(struct server *s)
{
	while (!look_after(s) && s->count > 0) {
		struct deadline until = deadline_none();
		size_t n = drain_pollfds(s, s->fds, &until);

		wait_poll(s->fds, n, until);
	}
}

static void
signal_children(const struct server *s, int number)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		signal_child(&s->children[i], number);
}

void
server_stop(struct server *s)
{
	struct deadline grace = deadline_after(GRACE_MS);
	size_t i;

	signal_children(s, SIGTERM);
	while (s->running > 0 && !deadline_passed(grace)) {
		reap(s);
		if (s->running > 0 && wait_until(grace) < 0)
			wait_taken();
	}
	signal_children(s, SIGKILL);
	for (i = 0; i < s->count; i++) {
		if (s->children[i].pid > 0)
			waitpid(s->children[i].pid, NULL, 0);
		fd_close(&s->children[i].fd);
	}
	free(s->children);
	free(s->pids);
	free(s->fds);
	s->children = NULL;
	s->pids = NULL;
	s->fds = NULL;
	s->count = s->running = s->room = 0;
}
