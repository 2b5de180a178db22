/* Readiness by epoll(7), and ICMP errors from the error queue. */
#include "scan/ready.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/mem.h"
#include "net/addr.h"
#include "net/os.h"
#include "net/sock.h"
#include "net/wait.h"

/* Another connect(2) returns the result and clears an error. */
int
ready_connect_result(int fd, const struct addr *a)
{
	if (connect(fd, &a->u.sa, a->len) == 0 || errno == EISCONN)
		return 0;
	return errno == EALREADY || errno == EINTR ? EINPROGRESS : errno;
}

/*
 * Whether this machine itself sent the message about a probe to another
 * machine: its firewall did, or a neighbor did not answer. A failed connect(2)
 * has removed the local address of its socket; another one tells it.
 */
static bool
is_from_local(const struct os_error *q, const struct addr *a)
{
	struct addr local;
	int fd;

	if (addr_family(&q->sender) != addr_family(a) ||
	    addr_same_host(&q->sender, a))
		return false;
	fd = sock_open(addr_family(a), SOCK_DGRAM);
	if (fd < 0)
		return false;
	(void)connect(fd, &a->u.sa, a->len);
	sock_local(fd, &local);
	sock_close(&fd);
	return addr_same_host(&q->sender, &local);
}

/*
 * An ICMP error always adds an entry to the queue, a reset never does. A
 * loopback address is refused by the host itself, so its queue is not read,
 * which saves a system call for each closed port.
 */
struct ready_outcome
ready_outcome(int fd, const struct addr *a, int errnum, bool is_late)
{
	struct ready_outcome o = {errnum, READY_REMOTE};
	struct os_error q;

	(void)is_late;
	if (errnum == 0 || (errnum == ECONNREFUSED && addr_is_loopback(a)))
		return o;
	while (os_next_error(fd, &q)) {
		/* It may be one of an earlier connect. */
		if (q.errnum == 0 || !addr_equal(&q.to, a))
			continue;
		o.errnum = q.errnum;
		if (!q.by_icmp && !q.by_icmp6)
			o.origin = READY_LOCAL;
		else if (is_from_local(&q, a))
			o.origin = q.errnum == EHOSTUNREACH ? READY_UNSURE
							    : READY_LOCAL;
		if (o.origin != READY_LOCAL && q.is_prohibited)
			o.errnum = EACCES;
		return o;
	}
	if (!ready_is_remote(errnum))
		o.origin = READY_LOCAL;
	return o;
}

/* connect(2) to AF_UNSPEC aborts one that is in progress. */
bool
ready_connect_again(int fd, bool in_progress)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};

	return !in_progress || connect(fd, &none, sizeof(none)) == 0;
}

/* Each socket is registered once, edge-triggered, for many connects. */
struct ready_set {
	int fd;
	struct {
		int fd; /* registered, or -1 */
		short events;
	} * items;
};

/* Falls back to epoll_create(2) where a kernel or sandbox requires it. */
static int
open_epoll(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
		return fd;
	fd = epoll_create(1);
	if (fd >= 0)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

struct ready_set *
ready_set_new(uint32_t capacity)
{
	struct ready_set *s;
	int fd = open_epoll();
	uint32_t i;

	if (fd < 0)
		return NULL;
	s = mem_array(1, sizeof(*s));
	s->fd = fd;
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
	struct epoll_event ev = {.events = EPOLLET, .data = {.u32 = id}};
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

void
ready_set_ignore(struct ready_set *s, uint32_t id)
{
	(void)s;
	(void)id;
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
