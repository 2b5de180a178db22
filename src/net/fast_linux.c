#include "net/fast.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net/addr.h"

/* The kernel's header has what glibc's lacks; musl's own has it. */
#if defined(__GLIBC__)
#include <linux/tcp.h>
#else
#include <netinet/tcp.h>
#endif

/* States of TCP in tcpi_state; glibc and the kernel name them differently. */
enum { STATE_CLOSE = 7, STATE_CLOSE_WAIT = 8, STATE_LAST_ACK = 9 };

const char *
fast_name(void)
{
	return "linux";
}

int
fast_socket(int family, int type)
{
	return socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int
fast_accept(int fd, struct addr *peer)
{
	memset(peer, 0, sizeof(*peer));
	peer->len = sizeof(peer->u);
	return accept4(fd, &peer->u.sa, &peer->len, SOCK_CLOEXEC);
}

int
fast_pipe(int ends[2], bool nonblocking)
{
	return pipe2(ends, O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0));
}

int
fast_set_groups(const char *user, gid_t gid)
{
	return initgroups(user, gid);
}

bool
fast_tcp_info(int fd, struct fast_tcp *tcp)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return false;
	tcp->sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
	tcp->peer_finished = info.tcpi_state == STATE_CLOSE_WAIT ||
			     info.tcpi_state == STATE_LAST_ACK;
	/* The peer's FIN counts as a byte. */
	tcp->received = info.tcpi_bytes_received;
	if (tcp->peer_finished && tcp->received > 0)
		tcp->received--;
	tcp->is_closed = info.tcpi_state == STATE_CLOSE;
	return true;
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

/*
 * Pipes of pipe2(2) know RWF_NOWAIT since Linux 6.4; FIFOs do not, and neither
 * does every C library.
 */
static ssize_t
write_pipe(int fd, const void *bytes, size_t n)
{
#ifdef RWF_NOWAIT
	struct iovec iov = {.iov_base = (void *)bytes, .iov_len = n};
	ssize_t done = pwritev2(fd, &iov, 1, -1, RWF_NOWAIT);

	if (done >= 0 ||
	    (errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS))
		return done;
#endif
	return write_ready(fd, bytes, n);
}

ssize_t
fast_write_nowait(int fd, enum fd_kind kind, const void *bytes, size_t n)
{
	switch (kind) {
	case FD_SOCKET:
		return send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	case FD_PIPE:
		return write_pipe(fd, bytes, n);
	case FD_TERMINAL:
		return write_ready(fd, bytes, n);
	default:
		return write(fd, bytes, n);
	}
}
