/* The portable twin of splice_linux.c: it moves nothing, data is copied. */
#include "relay/splice.h"

#include <errno.h>

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
