/* The portable twin of os_linux.c. */
#include "net/os.h"

#include <errno.h>
#include <unistd.h>

#include "base/fd.h"

const char os_name[] = "posix";

bool
os_tcp_info(int fd, struct os_tcp *tcp)
{
	tcp->is_known = false;
	return false;
}

bool
os_had_fin(int fd)
{
	return false;
}

int
os_open_beneath(int dir, const char *path)
{
	return fd_open_beneath(dir, path);
}

ssize_t
os_send_file(int fd, int file, off_t *at, size_t n)
{
	errno = ENOTSUP;
	return -1;
}

ssize_t
os_splice(int in, int out, size_t n)
{
	errno = ENOTSUP;
	return -1;
}

void
os_grow_pipe(int fd)
{
}

ssize_t
os_read_pipe(int fd, void *space, size_t size)
{
	return fd_read_briefly(fd, space, size);
}

ssize_t
os_write_pipe(int fd, const void *bytes, size_t n)
{
	return fd_write_ready(fd, bytes, n, 0);
}

bool
os_receive_errors(int fd, int family, bool on)
{
	return false;
}

bool
os_next_error(int fd, struct os_error *q)
{
	return false;
}

int
os_segment_type(int fd)
{
	return 0;
}

bool
os_drops(int fd, uint32_t *count)
{
	return false;
}

bool
os_adopt_orphans(bool adopts)
{
	return false;
}

void
os_follow_parent(pid_t parent, int number)
{
}

/* Executing a program closes the pipe. */
pid_t
os_start(int (*run)(void *context), void *context, int *errnum)
{
	int pipe[2];
	pid_t pid;
	ssize_t n;

	*errnum = 0;
	if (fd_pipe(pipe, false) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		*errnum = run(context);
		(void)fd_write_all(pipe[1], errnum, sizeof(*errnum));
		_exit(1);
	}
	fd_close(&pipe[1]);
	do
		n = pid < 0 ? 0 : read(pipe[0], errnum, sizeof(*errnum));
	while (n < 0 && errno == EINTR);
	fd_close(&pipe[0]);
	return pid;
}

bool
os_has_loader(void)
{
	return true;
}

bool
os_close_from(int first)
{
	return false;
}
