/* Moves bytes in the kernel with splice(2). */
#include "relay/splice.h"

#include <errno.h>
#include <fcntl.h>

bool
splice_can_move(enum fd_kind in, enum fd_kind out)
{
	if (in == FD_TERMINAL || in == FD_PACKETS || in == FD_OTHER ||
	    out == FD_TERMINAL || out == FD_PACKETS)
		return false;
	return in == FD_PIPE || out == FD_PIPE;
}

ssize_t
splice_move(int in, int out, size_t n)
{
	ssize_t done =
	    splice(in, NULL, out, NULL, n, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	if (done < 0 &&
	    (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP ||
		errno == EPERM || errno == ESPIPE))
		errno = ENOTSUP;
	return done;
}

/* The pages of an unprivileged user's pipes are limited; see pipe(7). */
void
splice_grow_pipe(int fd)
{
	if (fcntl(fd, F_GETPIPE_SZ) < SPLICE_PIPE_SIZE)
		(void)fcntl(fd, F_SETPIPE_SZ, SPLICE_PIPE_SIZE);
}
