#include "net/children.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/diag.h"
#include "base/mem.h"
#include "net/listener.h"
#include "net/process_fast.h"
#include "net/program.h"
#include "net/server.h"
#include "net/sock.h"
#include "net/summary.h"

/* How long a finished program's connection is drained. */
#define DRAIN_MS 2000
/* Children that there is room for at the start. */
#define FIRST_ROOM 64
/* How long a late program may take to end before it is killed. */
#define GRACE_MS 2000

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
	void *table = fast_own_memory(old, count * size, wanted * size);

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
	fast_own_free(s->children, s->room * sizeof(s->children[0]));
	fast_own_free(s->pids, s->room * sizeof(s->pids[0]));
	fast_own_free(s->fds, (s->room + other_fds(s)) * sizeof(s->fds[0]));
	s->children = NULL;
	s->pids = NULL;
	s->fds = NULL;
	s->count = s->running = s->room = 0;
}

void
children_tell_closed(
    const struct server *s, int fd, const struct server_conn *c, int status)
{
	struct summary sum;

	if (!diag_tells(s->options->log_level))
		return;
	summary_of_socket(fd, &sum);
	summary_tell(s->options->log_level, &c->local, &c->remote, &sum,
	    c->start_ns, status);
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
	children_tell_closed(s, c->fd, &c->conn, s->last_status);
	shutdown(c->fd, SHUT_WR);
	c->until =
	    deadline_first(c->until, deadline_after(c->is_late ? 0 : DRAIN_MS));
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
	while (s->running > 0 && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < s->count && s->pids[i] != pid; i++)
			continue;
		if (i == s->count)
			continue;
		end_child(s, i, status);
		s->resume = deadline_after(0);
	}
}

/*
 * Reads and drops what comes; true at the peer's end or the limit. Its frame
 * stays out of the accept loop's: see summary.c.
 */
__attribute__((noinline)) static bool
drain_one(const struct server_child *c)
{
	char drop[4096];
	ssize_t n;

	do {
		n = recv(c->fd, drop, sizeof(drop), MSG_DONTWAIT);
	} while (n > 0 && !deadline_passed(c->until));
	return n >= 0 || (errno != EAGAIN && errno != EINTR) ||
	       deadline_passed(c->until);
}

void
children_drain(struct server *s)
{
	size_t i = 0;

	while (s->count != s->running && i < s->count) {
		if (s->pids[i] != 0 || !drain_one(&s->children[i])) {
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
	return s->count != s->running || s->options->program_ms >= 0;
}

size_t
children_pollfds(
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

int64_t
children_of_host(const struct server *s, const struct addr *remote)
{
	int64_t n = 0;
	size_t i;

	for (i = 0; i < s->count; i++)
		n += s->children[i].pid != 0 &&
		     addr_same_host(&s->children[i].conn.remote, remote);
	return n;
}

/* A program is signalled with everything that it started. */
static void
signal_child(const struct server_child *c, int number)
{
	if (c->pid > 0)
		kill(c->fd >= 0 ? -c->pid : c->pid, number);
}

void
children_end_late(struct server *s)
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

void
children_add(struct server *s, pid_t pid, int fd, const struct server_conn *c)
{
	struct server_child child = {.pid = pid, .fd = fd, .conn = *c};

	/* A handler of ours looks after its limits itself. */
	child.until =
	    fd < 0 ? deadline_none() : deadline_after(s->options->program_ms);

	children_make_room(s);
	s->pids[s->count] = pid;
	s->children[s->count++] = child;
	s->running++;
}

void
children_signal(const struct server *s, int number)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		signal_child(&s->children[i], number);
}
