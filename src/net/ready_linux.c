/* Readiness by epoll(7). */
#include "net/ready.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/mem.h"
#include "net/addr.h"
#include "net/wait.h"

/* Another connect(2) returns the result and clears an error. */
int
ready_connect_result(int fd, const struct addr *a)
{
	if (connect(fd, &a->u.sa, a->len) == 0 || errno == EISCONN)
		return 0;
	return errno == EALREADY || errno == EINTR ? EINPROGRESS : errno;
}

/* connect(2) to AF_UNSPEC aborts one that is in progress. */
bool
ready_connect_again(int fd, bool in_progress)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};

	return !in_progress || connect(fd, &none, sizeof(none)) == 0;
}

/* Each socket is registered once: edge-triggered for a scan, level-triggered
 * for many connects. */
struct ready_set {
	int fd;
	uint32_t mode; /* EPOLLET, or 0 */
	struct {
		int fd; /* registered, or -1 */
		short events;
	} * items;
};

struct ready_set *
ready_set_new(uint32_t capacity, bool is_level)
{
	struct ready_set *s;
	int fd = epoll_create1(EPOLL_CLOEXEC);
	uint32_t i;

	if (fd < 0)
		return NULL;
	s = mem_array(1, sizeof(*s));
	s->fd = fd;
	s->mode = is_level ? 0 : EPOLLET;
	s->items = mem_array(capacity, sizeof(s->items[0]));
	for (i = 0; i < capacity; i++)
		s->items[i].fd = -1;
	return s;
}

void
ready_set_free(struct ready_set *s)
{
	fd_close(&s->fd);
	free(s->items);
	free(s);
}

int
ready_set_watch(struct ready_set *s, uint32_t id, int fd, short events)
{
	struct epoll_event ev = {.events = s->mode, .data = {.u32 = id}};
	bool is_new = s->items[id].fd != fd;

	if (!is_new && s->items[id].events == events)
		return 0;
	if (events & POLLIN)
		ev.events |= EPOLLIN | EPOLLRDHUP;
	if (events & POLLOUT)
		ev.events |= EPOLLOUT;
	if (epoll_ctl(s->fd, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &ev) <
	    0)
		return -1;
	s->items[id].fd = fd;
	s->items[id].events = events;
	return 0;
}

/* close(2) removes the descriptor from the set. */
void
ready_set_forget(struct ready_set *s, uint32_t id)
{
	s->items[id].fd = -1;
}

int
ready_set_wait(struct ready_set *s, uint32_t *ids, struct deadline until)
{
	struct epoll_event events[MAX_READY];
	int i, n, ready;

	deadline_looked(clock_now());
	n = epoll_wait(s->fd, events, MAX_READY, 0);
	if (n == 0) {
		ready = wait_fd(s->fd, POLLIN, until);
		if (ready <= 0)
			return ready;
		n = epoll_wait(s->fd, events, MAX_READY, 0);
	}
	for (i = 0; i < n; i++)
		ids[i] = events[i].data.u32;
	return n;
}
