/* File descriptors: their kinds, complete writes, and closing. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"

enum fd_kind
fd_kind(int fd)
{
	struct stat st, null;

	if (fstat(fd, &st) < 0)
		return FD_OTHER;
	if (S_ISREG(st.st_mode))
		return FD_REGULAR;
	if (S_ISFIFO(st.st_mode))
		return FD_PIPE;
	if (S_ISSOCK(st.st_mode))
		return FD_SOCKET;
	if (!S_ISCHR(st.st_mode))
		return FD_OTHER;
	if (stat("/dev/null", &null) == 0 && S_ISCHR(null.st_mode) &&
	    null.st_rdev == st.st_rdev)
		return FD_NULL;
	return isatty(fd) ? FD_TERMINAL : FD_OTHER;
}

void
fd_reserve_standard(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		/*
		 * open(2) returns the lowest free number, which is fd. The mode
		 * makes its intended use fail.
		 */
		if (open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
			return;
	}
}

void
fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int
fd_pipe(int ends[2], bool nonblocking)
{
	return pipe2(ends, O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0));
}

/* The process was asked to exit. */
static volatile sig_atomic_t stops_waiting;

/* How long to wait for a reader after that. */
#define FINAL_WRITE_MS 200

void
fd_stop_waiting(void)
{
	stops_waiting = 1;
}

/*
 * A pipe that poll(2) reports writable accepts PIPE_BUF bytes at once. After an
 * interrupted poll the write might block.
 */
ssize_t
fd_write_ready(int fd, const void *bytes, size_t n, int timeout_ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};
	int ready;

	/* The end of a child interrupts it, too. */
	do
		ready = poll(&pfd, 1, timeout_ms);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, bytes, n < PIPE_BUF ? n : PIPE_BUF);
}

/* The pause after a terminal that poll(2) reports writable took nothing. */
#define PAUSE_MS 10

size_t
fd_write_until(int fd, const void *bytes, size_t n, struct deadline until)
{
	const unsigned char *p = bytes, *end = p + n;

	while (p < end) {
		size_t left = (size_t)(end - p);
		int ms =
		    stops_waiting ? FINAL_WRITE_MS : deadline_poll_ms(until);
		ssize_t done = ms < 0 ? write(fd, p, left)
				      : fd_write_ready(fd, p, left, ms);

		/* Another process made it non-blocking. */
		if (done < 0 && errno == EAGAIN && ms < 0)
			done = fd_write_ready(fd, p, left, -1);
		if (done >= 0) {
			p += done;
		} else if (errno == EAGAIN && ms >= 0) {
			if (stops_waiting || deadline_poll_ms(until) == 0) {
				errno = ECANCELED;
				break;
			}
			poll(NULL, 0, PAUSE_MS);
		} else if (errno != EAGAIN && errno != EINTR) {
			break;
		}
	}
	return n - (size_t)(end - p);
}

int
fd_write_all(int fd, const void *bytes, size_t n)
{
	return fd_write_until(fd, bytes, n, deadline_none()) == n ? 0 : -1;
}

int
fd_named(const char *path)
{
	static const char *const prefixes[] = {"/dev/fd/", "/proc/self/fd/"};
	static const char *const standard[] = {
	    "/dev/stdin", "/dev/stdout", "/dev/stderr"};
	int64_t number;
	size_t i, n;

	for (i = 0; i < 3; i++)
		if (strcmp(path, standard[i]) == 0)
			return (int)i;
	for (i = 0; i < 2; i++) {
		n = strlen(prefixes[i]);
		if (strncmp(path, prefixes[i], n) == 0 &&
		    num_parse(path + n, 0, INT_MAX, &number))
			return (int)number;
	}
	return -1;
}

int
fd_reopen(int fd, int flags)
{
	char path[64];
	int own;

	flags |= O_CLOEXEC | O_NOCTTY;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, flags);
	if (own < 0 && ttyname_r(fd, path, sizeof(path)) == 0)
		own = open(path, flags);
	return own;
}

uint64_t
fd_available(int fd)
{
	int bytes = 0;
	struct stat st;
	off_t at;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		at = lseek(fd, 0, SEEK_CUR);
		return at >= 0 && at < st.st_size ? (uint64_t)(st.st_size - at)
						  : 0;
	}
#ifdef FIONREAD
	if (ioctl(fd, FIONREAD, &bytes) < 0 || bytes < 0)
		bytes = 0;
#endif
	return (uint64_t)bytes;
}

size_t
fd_columns(int fd)
{
#ifdef TIOCGWINSZ
	struct winsize ws;

	if (ioctl(fd, TIOCGWINSZ, &ws) == 0)
		return ws.ws_col;
#endif
	(void)fd;
	return 0;
}

bool
fd_is_readable(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY;
}

bool
fd_is_writable(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

bool
fd_is_foreground(int fd)
{
	pid_t foreground = fd < 0 ? -1 : tcgetpgrp(fd);

	/* tcgetpgrp() fails unless fd is this process's terminal. */
	return fd >= 0 && (foreground < 0 || foreground == getpgrp());
}
