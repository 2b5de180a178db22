/*
 * A signal that interrupts poll(2) does not make a full FIFO writable: the
 * write would block, and the signal would be forgotten.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/tap.h"
#include "net/os.h"

/* Takes the place of the C library's: a signal comes each time. */
int
poll(struct pollfd *fds, nfds_t count, int ms)
{
	(void)fds;
	(void)count;
	(void)ms;
	errno = EINTR;
	return -1;
}

/* A FIFO that takes nothing more: its fd, blocking. */
static int
open_full(void)
{
	char dir[] = "/tmp/sockt-XXXXXX", path[sizeof(dir) + 2];
	int fd;

	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/f", dir);
	mkfifo(path, 0600);
	fd = open(path, O_RDWR | O_NONBLOCK);
	unlink(path);
	rmdir(dir);
	while (write(fd, "", 1) == 1)
		continue;
	fcntl(fd, F_SETFL, O_RDWR);
	return fd;
}

int
main(void)
{
	int fd = open_full();
	ssize_t n;

	alarm(10);
	n = os_write_nowait(fd, FD_PIPE, "x", 1);
	is_int((int)n, -1, "nothing is written");
	is_int(errno, EAGAIN, "and nothing is waited for");
	return done_testing();
}
