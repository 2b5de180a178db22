/* Writing without blocking: what the twins have in common. */
#include "net/os.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A pipe that poll calls writable takes PIPE_BUF bytes whole. A poll that a
 * signal has interrupted says nothing: the write might block.
 */
ssize_t
os_write_ready(int fd, const void *bytes, size_t n)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};

	if (poll(&pfd, 1, 0) <= 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, bytes, n < PIPE_BUF ? n : PIPE_BUF);
}

ssize_t
os_write_nowait(int fd, enum fd_kind kind, const void *bytes, size_t n)
{
	switch (kind) {
	case FD_SOCKET:
		return send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	case FD_PIPE:
		return os_write_pipe(fd, bytes, n);
	case FD_TERMINAL:
		return os_write_ready(fd, bytes, n);
	default:
		return write(fd, bytes, n);
	}
}
