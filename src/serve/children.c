/* The children of a server: their table, their ends and their limits. */
#include "serve/children.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "net/listener.h"
#include "net/spawn.h"
#include "net/program.h"
#include "serve/server.h"
#include "net/sock.h"
#include "net/conn_event.h"
#include "net/wait.h"

/* Children that there is room for at the start. */
#define FIRST_ROOM 64
/* Nothing tells when a process group has become empty: how often to look. */
#define GROUP_MS 20

/* What is polled besides connections: listening sockets, the children's
 * descriptor and the signal pipe of wait_poll(). */
static size_t
other_fds(const struct server *s)
{
	return s->listener->count + 2;
}

static void *
grow(void *old, size_t count, size_t wanted, size_t size)
{
	void *table = spawn_own_memory(old, count * size, wanted * size);

	if (table == NULL)
		mem_exhausted();
	return table;
}

void
children_make_room(struct server *s)
{
	size_t room;

	if (s->count < s->room)
		return;
	room = s->room == 0 ? FIRST_ROOM : 2 * s->room;
	s->children = grow(s->children, s->room, room, sizeof(s->children[0]));
	s->pids = grow(s->pids, s->room, room, sizeof(s->pids[0]));
	s->fds = grow(s->fds, s->room == 0 ? 0 : s->room + other_fds(s),
	    room + other_fds(s), sizeof(s->fds[0]));
	s->room = room;
}

void
children_release(struct server *s)
{
	spawn_own_free(s->children, s->room * sizeof(s->children[0]));
	spawn_own_free(s->pids, s->room * sizeof(s->pids[0]));
	spawn_own_free(s->fds, (s->room + other_fds(s)) * sizeof(s->fds[0]));
	s->children = NULL;
	s->pids = NULL;
	s->fds = NULL;
	s->count = s->running = s->groups = s->room = 0;
}

void
children_tell_closed(const struct server *s, int fd, const struct conn *c,
    int status, bool goes_on)
{
	struct conn_summary sum;

	if (!diag_tells(s->options->log_level))
		return;
	conn_event_summarize(fd, goes_on, &sum);
	conn_event_closed(s->options->log_level, c, &sum, status);
}

static void
remove_child(struct server *s, size_t i)
{
	s->count--;
	s->children[i] = s->children[s->count];
	s->pids[i] = s->pids[s->count];
}

/* Apart for its frame: see conn_event.c. */
__attribute__((noinline)) static void
tell_killed(struct server *s, const struct conn *c)
{
	struct err e = ERR_INIT;
	char text[ADDR_TEXT];

	err_set(&e, ERR_FAILED,
	    "%s: the connection's process was ended by "
	    "signal %d",
	    addr_format(&c->remote, text, sizeof(text)), s->last_status - 128);
	diag_error(&e);
	children_tell_closed(s, -1, c, s->last_status, false);
}

/*
 * A program has ended and left others behind. shutdown(2) would end the
 * connection for them, too, since it is of the connection and not of our copy,
 * and what is read here is lost to them: so our copy is closed, no more. When
 * the program was asked to end, so were they, and they have to.
 */
static void
leave_group(struct server *s, size_t i)
{
	struct server_child *c = &s->children[i];

	sock_close(&c->fd);
	if (!c->process.is_ending) {
		s->running--;
		remove_child(s, i);
		return;
	}
	s->groups++;
}

/* Apart for its frame: see conn_event.c. */
__attribute__((noinline)) static void
tell_program_end(
    const struct server *s, const struct server_child *c, bool goes_on)
{
	if (goes_on)
		conn_event_goes_on(&c->conn);
	children_tell_closed(s, c->fd, &c->conn, s->last_status, goes_on);
}

/* A program has ended: what is left of it is its connection. */
static void
end_program(struct server *s, size_t i)
{
	struct server_child *c = &s->children[i];
	bool has_left = child_group_is_alive(c->process.group);
	bool is_ending = c->process.is_ending;

	tell_program_end(s, c, has_left && !is_ending);
	if (has_left) {
		leave_group(s, i);
		return;
	}
	s->running--;
	shutdown(c->fd, SHUT_WR);
	c->drain = deadline_first(
	    c->process.until, deadline_after(is_ending ? 0 : SOCK_DRAIN_MS));
}

/* A child has ended, with a status as the shell has it. */
static void
end_child(struct server *s, size_t i, int status)
{
	struct server_child *c = &s->children[i];

	s->last_status = status;
	s->resume = deadline_after(0);
	c->process.pid = s->pids[i] = 0;
	if (c->fd >= 0) {
		end_program(s, i);
		return;
	}
	/* It could not say so itself. */
	if (status > 128 && !c->process.is_ending && wait_stopped() == 0)
		tell_killed(s, &c->conn);
	s->running--;
	remove_child(s, i);
}

/* Somebody else has reaped them: how they ended is not known. */
__attribute__((noinline)) static void
lose_children(struct server *s, int errnum)
{
	struct err e = ERR_INIT;
	size_t i = 0;

	while (i < s->count && s->pids[i] == 0)
		i++;
	if (i == s->count)
		return;
	err_sys(&e, ERR_FAILED, errnum, "waiting for a connection's process");
	diag_error(&e);
	while (i < s->count)
		if (s->pids[i] != 0)
			end_child(s, i, ERR_FAILED);
		else
			i++;
}

void
children_reap(struct server *s)
{
	int status;
	pid_t pid;
	size_t i;

	if (s->child_fd >= 0 && !s->has_ended)
		return;
	s->has_ended = false;
	while ((s->running > 0 || s->has_programs) &&
	       (pid = child_reap_any(&status)) != 0) {
		if (pid < 0) {
			lose_children(s, errno);
			return;
		}
		for (i = 0; i < s->count && s->pids[i] != pid; i++)
			continue;
		if (i < s->count)
			end_child(s, i, status);
	}
}

static bool
is_drained(const struct server_child *c)
{
	return c->process.pid == 0 && c->fd >= 0;
}

/*
 * Reads and drops what comes; true at the peer's end or the limit. Its frame
 * stays out of the accept loop's: see conn_event.c.
 */
__attribute__((noinline)) static bool
drain_one(const struct server_child *c)
{
	char drop[4096];
	ssize_t n;

	do {
		n = recv(c->fd, drop, sizeof(drop), MSG_DONTWAIT);
	} while (n > 0 && !deadline_passed(c->drain));
	return n >= 0 || (errno != EAGAIN && errno != EINTR) ||
	       deadline_passed(c->drain);
}

void
children_drain(struct server *s)
{
	size_t i = 0;

	while (s->count != s->running && i < s->count) {
		if (!is_drained(&s->children[i]) ||
		    !drain_one(&s->children[i])) {
			i++;
			continue;
		}
		sock_close(&s->children[i].fd);
		remove_child(s, i);
	}
}

/* Whether any child or connection being drained has a limit. */
static bool
has_limits(const struct server *s)
{
	return s->count != s->running || s->groups > 0 || s->is_ending ||
	       s->options->program_ms >= 0;
}

size_t
children_pollfds(
    const struct server *s, struct pollfd *fds, struct deadline *until)
{
	size_t i, n = 0;

	if (!has_limits(s))
		return 0;
	if (s->groups > 0)
		*until = deadline_first(*until, deadline_after(GROUP_MS));
	for (i = 0; i < s->count; i++) {
		*until = deadline_first(*until,
		    is_drained(&s->children[i]) ? s->children[i].drain
						: s->children[i].process.until);
		if (!is_drained(&s->children[i]))
			continue;
		fds[n].fd = s->children[i].fd;
		fds[n].events = POLLIN;
		n++;
	}
	return n;
}

int64_t
children_of_host(const struct server *s, const struct addr *remote)
{
	int64_t n = 0;
	size_t i;

	for (i = 0; i < s->count; i++)
		n += !is_drained(&s->children[i]) &&
		     addr_same_host(&s->children[i].conn.remote, remote);
	return n;
}

/* A group without its leader: true when it is empty, or has been killed. */
static bool
end_group(struct child *c)
{
	if (!child_group_is_alive(c->group))
		return true;
	if (!deadline_passed(c->until))
		return false;
	child_end(c);
	return true;
}

/* A child whose time has passed. */
static void
end_late(struct server_child *c)
{
	char text[ADDR_TEXT];

	if (is_drained(c) || !deadline_passed(c->process.until))
		return;
	if (!c->process.is_ending)
		diag_warn("%s: the program took too long (--max-time)",
		    addr_format(&c->conn.remote, text, sizeof(text)));
	child_end(&c->process);
}

void
children_end_late(struct server *s)
{
	size_t i = 0;

	if (s->options->program_ms < 0 && s->groups == 0 && !s->is_ending)
		return;
	while (i < s->count) {
		if (s->children[i].process.pid != 0 || s->children[i].fd >= 0) {
			end_late(&s->children[i++]);
		} else if (end_group(&s->children[i].process)) {
			s->groups--;
			s->running--;
			remove_child(s, i);
		} else {
			i++;
		}
	}
}

void
children_end(struct server *s)
{
	struct child *c;
	size_t i;

	s->is_ending = true;
	for (i = 0; i < s->count; i++) {
		c = &s->children[i].process;
		if (!c->is_ending && c->pid != 0)
			child_end(c);
	}
}

void
children_add(struct server *s, pid_t pid, int fd, const struct conn *c)
{
	struct server_child child = {
	    .process = {.pid = pid}, .fd = fd, .conn = *c};

	/* A handler of ours looks after its limits itself. */
	child.process.until = deadline_none();
	if (fd >= 0) {
		child.process.group = pid;
		child.process.until = deadline_after(s->options->program_ms);
	}
	children_make_room(s);
	s->pids[s->count] = pid;
	s->children[s->count++] = child;
	s->running++;
}
