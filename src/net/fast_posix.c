#include "net/fast.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/addr.h"

const char *
fast_name(void)
{
	return "posix";
}

/* Flags for a new descriptor; closes it when that fails. */
static int
prepare(int fd, bool nonblocking)
{
	int flags;

	if (fd < 0)
		return -1;
	flags = fcntl(fd, F_GETFL);
	flags = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	if (fd_close_on_exec(fd) < 0 || fcntl(fd, F_SETFL, flags) < 0)
		fd_close(&fd);
	return fd;
}

int
fast_socket(int family, int type)
{
	return prepare(socket(family, type, 0), true);
}

int
fast_accept(int fd, struct addr *peer)
{
	memset(peer, 0, sizeof(*peer));
	peer->len = sizeof(peer->u);
	return prepare(accept(fd, &peer->u.sa, &peer->len), false);
}

int
fast_pipe(int ends[2], bool nonblocking)
{
	if (pipe(ends) < 0)
		return -1;
	if (prepare(ends[0], nonblocking) < 0 ||
	    prepare(ends[1], nonblocking) < 0)
		return -1;
	return 0;
}

/* Every Unix has it, and POSIX does not name it. */
int initgroups(const char *user, gid_t gid);

int
fast_set_groups(const char *user, gid_t gid)
{
	return initgroups(user, gid);
}

bool
fast_tcp_info(int fd, struct fast_tcp *tcp)
{
	(void)fd;
	(void)tcp;
	return false;
}

/* A pipe that poll calls writable takes PIPE_BUF bytes whole. */
static ssize_t
write_ready(int fd, const void *bytes, size_t n)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};

	if (poll(&pfd, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, bytes, n < PIPE_BUF ? n : PIPE_BUF);
}

ssize_t
fast_write_nowait(int fd, enum fd_kind kind, const void *bytes, size_t n)
{
	switch (kind) {
	case FD_SOCKET:
		return send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	case FD_PIPE:
	case FD_TERMINAL:
		return write_ready(fd, bytes, n);
	default:
		return write(fd, bytes, n);
	}
}
