/* The portable twin of splice_linux.c: it moves nothing, data is copied. */
#include "relay/splice.h"

#include <errno.h>
#include <sys/socket.h>

bool
splice_can_move(enum fd_kind in, enum fd_kind out)
{
	(void)in;
	(void)out;
	return false;
}

ssize_t
splice_move(int in, int out, size_t n)
{
	(void)in;
	(void)out;
	(void)n;
	errno = ENOTSUP;
	return -1;
}

void
splice_grow_pipe(int fd)
{
	(void)fd;
}

ssize_t
splice_drop(int fd, void *space, size_t size, size_t n)
{
	return recv(fd, space, n < size ? n : size, MSG_DONTWAIT);
}
