/* The portable twin of os_linux.c. */
#include "net/os.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

const char os_name[] = "posix";

bool
os_tcp_info(int fd, struct os_tcp *tcp)
{
	(void)fd;
	(void)tcp;
	return false;
}

ssize_t
os_write_pipe(int fd, const void *bytes, size_t n)
{
	return fd_write_ready(fd, bytes, n, 0);
}

void
os_receive_errors(int fd, int family)
{
	(void)fd;
	(void)family;
}

bool
os_next_error(int fd, struct os_error *q)
{
	(void)fd;
	(void)q;
	return false;
}

int
os_segment_type(int fd)
{
	(void)fd;
	return 0;
}

bool
os_drops(int fd, uint32_t *count)
{
	(void)fd;
	(void)count;
	return false;
}

int
os_autobind(int fd)
{
	(void)fd;
	errno = ENOTSUP;
	return -1;
}

bool
os_adopt_orphans(void)
{
	return false;
}

void
os_follow_parent(pid_t parent, int number)
{
	(void)parent;
	(void)number;
}

pid_t
os_start(int (*run)(void *context), void *context)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(run(context));
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
	(void)first;
	return false;
}
