/* The processes of a server, and their connections afterwards. */
#include "serve/children.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "net/call.h"
#include "net/shutdown.h"
#include "net/sock.h"
#include "net/signals.h"

#define FIRST_CAPACITY 64

/* Makes space for one more process. */
static void
reserve(struct children *c)
{
	size_t capacity = c->capacity == 0 ? FIRST_CAPACITY : 2 * c->capacity;

	if (c->count < c->capacity)
		return;
	c->list = mem_resize(c->list, capacity, sizeof(c->list[0]));
	c->fds = mem_resize(c->fds, capacity + c->other_fds, sizeof(c->fds[0]));
	c->capacity = capacity;
}

void
children_init(struct children *c)
{
	reserve(c);
}

void
children_release(struct children *c)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		sock_close(&c->list[i].fd);
	free(c->list);
	free(c->fds);
	c->list = NULL;
	c->fds = NULL;
	c->count = c->running = c->capacity = 0;
}

void
children_add(struct children *c, pid_t pid, int fd, const struct conn *conn)
{
	struct server_child child = {
	    .process = {.pid = pid}, .fd = fd, .conn = *conn};

	/* A forked handler enforces its limits itself. */
	child.process.until = deadline_none();
	if (fd >= 0) {
		child.process.group = pid;
		child.process.until = deadline_after(c->program_ms);
		c->has_programs = true;
	}
	reserve(c);
	c->list[c->count++] = child;
	c->running++;
}

void
children_add_group(struct children *c, pid_t pid, const struct conn *conn)
{
	struct child *process;

	children_add(c, pid, -1, conn);
	process = &c->list[c->count - 1].process;
	process->group = pid;
	process->until = deadline_after(c->program_ms);
	c->has_programs = true;
}

static void
remove_child(struct children *c, size_t i)
{
	c->list[i] = c->list[--c->count];
}

static bool
is_draining(const struct server_child *child)
{
	return child->process.pid == 0 && child->fd >= 0;
}

/* Whether it is a process group whose leader has been reaped. */
static bool
is_group(const struct server_child *child)
{
	return child->process.pid == 0 && child->fd < 0;
}

int64_t
children_of_host(const struct children *c, const struct addr *remote)
{
	int64_t n = 0;
	size_t i;

	for (i = 0; i < c->count; i++)
		n += !is_draining(&c->list[i]) &&
		     addr_same_host(&c->list[i].conn.remote, remote);
	return n;
}

/* Whether running processes, or what remains of one, have a limit. */
static bool
has_limits(const struct children *c)
{
	return c->program_ms >= 0 || c->is_ending;
}

size_t
children_pollfds(
    const struct children *c, struct pollfd *fds, struct deadline *until)
{
	const struct server_child *child;
	size_t i, n = 0;

	if (!has_limits(c) && c->count == c->running)
		return n;
	for (i = 0; i < c->count; i++) {
		child = &c->list[i];
		*until = deadline_first(*until,
		    is_draining(child) ? child->drain : child->process.until);
		if (is_group(child))
			*until = deadline_first(
			    *until, deadline_after(CHILD_GROUP_MS));
		if (is_draining(child))
			fds[n++] = (struct pollfd){child->fd, POLLIN, 0};
	}
	return n;
}

void
children_log_closed(
    const struct children *c, int fd, const struct conn *conn, bool goes_on)
{
	struct conn_summary sum;

	if (!diag_emits(c->log_level))
		return;
	conn_event_summarize(fd, goes_on, &sum);
	conn_event_closed(c->log_level, conn, &sum, c->last_status);
}

static void
log_killed(const struct children *c, const struct conn *conn)
{
	struct err e = ERR_INIT;
	char text[ADDR_TEXT];

	err_set(&e, ERR_FAILED,
	    "%s: the connection's process was ended by "
	    "signal %d",
	    addr_format(&conn->remote, text, sizeof(text)),
	    c->last_status - 128);
	diag_error(&e);
	children_log_closed(c, -1, conn, false);
}

/*
 * Handles the exit of a program. If processes that it started still run, only
 * this copy of the connection is closed: shutdown(2) would end the connection
 * for them, and they would lose what is read here. If the program was
 * terminated, so were they, and their exit is awaited. Otherwise the connection
 * is drained.
 */
static void
program_ended(struct children *c, size_t i)
{
	struct server_child *child = &c->list[i];
	bool is_group_alive = child_group_is_alive(child->process.group);
	bool was_terminated = child->process.is_ending;

	if (is_group_alive && !was_terminated)
		conn_event_goes_on(&child->conn);
	children_log_closed(
	    c, child->fd, &child->conn, is_group_alive && !was_terminated);
	if (is_group_alive) {
		sock_close(&child->fd);
		if (was_terminated)
			return;
		c->running--;
		remove_child(c, i);
		return;
	}
	c->running--;
	shutdown_write(child->fd, &(struct conn_summary){.is_fin_sent = false});
	child->drain = deadline_first(child->process.until,
	    deadline_after(was_terminated ? 0 : SHUTDOWN_DRAIN_MS));
}

static void
child_ended(struct children *c, size_t i, int status)
{
	struct server_child *child = &c->list[i];
	const struct child *process = &child->process;

	c->last_status = status;
	child->process.pid = 0;
	if (child->fd >= 0) {
		program_ended(c, i);
		return;
	}
	/* What the program started was terminated with it. */
	if (process->group > 0 && process->is_ending &&
	    child_group_is_alive(process->group))
		return;
	/* The process could not report this itself; a program's status may
	 * look the same. */
	if (status > 128 && process->group == 0 && !process->is_ending &&
	    signals_stopped() == 0)
		log_killed(c, &child->conn);
	c->running--;
	remove_child(c, i);
}

/* Another process has reaped the children: their status is unknown. */
static bool
lose_children(struct children *c, int errnum)
{
	struct err e = ERR_INIT;
	bool was_lost = false;
	size_t i = 0;

	while (i < c->count) {
		if (c->list[i].process.pid == 0) {
			i++;
			continue;
		}
		if (!was_lost) {
			err_sys(&e, ERR_FAILED, errnum,
			    "waiting for a connection's process");
			diag_error(&e);
		}
		was_lost = true;
		child_ended(c, i, ERR_FAILED);
	}
	return was_lost;
}

static bool
reap(struct children *c)
{
	bool was_reaped = false;
	int status;
	pid_t pid;
	size_t i;

	while ((c->running > 0 || c->has_programs) &&
	       (pid = child_reap_any(&status)) != 0) {
		if (pid < 0)
			return lose_children(c, errno) || was_reaped;
		for (i = 0; i < c->count && c->list[i].process.pid != pid; i++)
			continue;
		if (i == c->count)
			continue;
		child_ended(c, i, status);
		was_reaped = true;
	}
	return was_reaped;
}

/* Reads and discards; returns true at the peer's FIN or the limit. */
static bool
drain_one(const struct server_child *child)
{
	char drop[4096];
	ssize_t n;

	do {
		n = call_recv(child->fd, drop, sizeof(drop), MSG_DONTWAIT);
	} while (n > 0 && !deadline_passed(child->drain));
	return n >= 0 || (errno != EAGAIN && errno != EINTR) ||
	       deadline_passed(child->drain);
}

static void
drain(struct children *c)
{
	size_t i = 0;

	while (c->count != c->running && i < c->count) {
		if (!is_draining(&c->list[i]) || !drain_one(&c->list[i])) {
			i++;
			continue;
		}
		sock_close(&c->list[i].fd);
		remove_child(c, i);
	}
}

/*
 * Terminates a process or group whose time limit has passed; returns true if
 * nothing remains to be reaped.
 */
static bool
end_expired(struct server_child *child)
{
	char text[ADDR_TEXT];

	if (is_draining(child))
		return false;
	if (is_group(child) && !child_group_is_alive(child->process.group))
		return true;
	if (!deadline_passed(child->process.until))
		return false;
	if (!child->process.is_ending)
		diag_warn(
		    "%s: the program took longer than allowed (--max-time)",
		    addr_format(&child->conn.remote, text, sizeof(text)));
	child_end(&child->process);
	return is_group(child);
}

static void
end_all_expired(struct children *c)
{
	size_t i = 0;

	while (has_limits(c) && i < c->count) {
		if (!end_expired(&c->list[i])) {
			i++;
			continue;
		}
		c->running--;
		remove_child(c, i);
	}
}

bool
children_advance(struct children *c)
{
	bool was_reaped = reap(c);

	drain(c);
	end_all_expired(c);
	return was_reaped;
}

void
children_end(struct children *c)
{
	struct child *process;
	size_t i;

	c->is_ending = true;
	for (i = 0; i < c->count; i++) {
		process = &c->list[i].process;
		if (!process->is_ending && process->pid != 0)
			child_end(process);
	}
}
