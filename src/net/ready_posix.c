/* The portable twin of ready_linux.c: uses poll(2). */
#include "net/ready.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/sock.h"
#include "net/wait.h"

/* POSIX does not define what a second connect(2) does. */
int
ready_connect_result(int fd, const struct addr *a)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};

	return poll(&pfd, 1, 0) <= 0 ? EINPROGRESS : sock_error(fd);
}

bool
ready_connect_again(int fd, bool in_progress)
{
	return false;
}

/* The entries by number. */
struct ready_set {
	struct pollfd *fds;
	uint32_t count; /* all numbers in use are below it */
	uint32_t next;  /* where the next search begins */
};

struct ready_set *
ready_set_new(uint32_t capacity, bool is_level)
{
	struct ready_set *s = mem_array(1, sizeof(*s));

	s->fds = mem_array((size_t)capacity + WAIT_SPARE, sizeof(s->fds[0]));
	return s;
}

void
ready_set_free(struct ready_set *s)
{
	free(s->fds);
	free(s);
}

int
ready_set_watch(struct ready_set *s, uint32_t id, int fd, short events)
{
	for (; s->count <= id; s->count++)
		s->fds[s->count].fd = -1;
	s->fds[id].fd = fd;
	s->fds[id].events = events;
	s->fds[id].revents = 0;
	return 0;
}

void
ready_set_forget(struct ready_set *s, uint32_t id)
{
	if (id < s->count)
		s->fds[id].fd = -1;
}

int
ready_set_wait(struct ready_set *s, uint32_t *ids, struct deadline until)
{
	int ready, n = 0;
	uint32_t i;

	while (s->count > 0 && s->fds[s->count - 1].fd < 0)
		s->count--;
	ready = wait_poll(s->fds, s->count, until);
	if (ready <= 0)
		return ready;
	for (i = 0; i < s->count && n < MAX_READY; i++) {
		uint32_t id = (s->next + i) % s->count;

		if (s->fds[id].fd >= 0 && s->fds[id].revents != 0)
			ids[n++] = id;
	}
	if (n > 0)
		s->next = ids[n - 1] + 1;
	return n;
}
