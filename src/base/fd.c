/* File descriptors: their kinds, complete writes, and closing. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
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

/* Those of 0, 1 and 2 that were closed at the start. */
static bool were_closed[3];

bool
fd_was_closed(int fd)
{
	return fd >= 0 && fd <= 2 && were_closed[fd];
}

void
fd_reserve_standard(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		were_closed[fd] = true;
		/* open(2) returns the lowest free number, fd. The mode makes
		 * its intended use fail. */
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

bool
fd_is_input(const char *path, int fd)
{
	struct stat in, out;

	if (path != NULL && fd_named(path) >= 0) {
		fd = fd_named(path);
		path = NULL;
	}
	return fstat(STDIN_FILENO, &in) == 0 && S_ISREG(in.st_mode) &&
	       (path != NULL ? stat(path, &out) : fstat(fd, &out)) == 0 &&
	       in.st_dev == out.st_dev && in.st_ino == out.st_ino;
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

/* How long a call may block. */
#define MAX_BLOCK_MS 20

/* read(2) into space or, if that is NULL, write(2) of bytes, with a timer, if
 * permitted, that repeats: its first signal may come before the call. */
static ssize_t
call_briefly(int fd, void *space, const void *bytes, size_t n)
{
	struct sigevent event = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = FD_SIGNAL};
	const struct timespec period = {.tv_nsec = MAX_BLOCK_MS * CLOCK_MS};
	const struct itimerspec times = {period, period};
	timer_t timer;
	bool has_timer = timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
	ssize_t done;
	int saved;

	if (has_timer)
		(void)timer_settime(timer, 0, &times, NULL);
	done = space != NULL ? read(fd, space, n) : write(fd, bytes, n);
	saved = errno;
	if (has_timer)
		timer_delete(timer);
	errno = saved;
	return done;
}

ssize_t
fd_read_briefly(int fd, void *space, size_t size)
{
	return call_briefly(fd, space, NULL, size);
}

ssize_t
fd_write_briefly(int fd, const void *bytes, size_t n)
{
	return call_briefly(fd, NULL, bytes, n);
}

/* A pipe that poll(2) reports writable accepts PIPE_BUF bytes at once. */
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
	return fd_write_briefly(fd, bytes, n < PIPE_BUF ? n : PIPE_BUF);
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
		} else if ((errno == EAGAIN || errno == EINTR) && ms >= 0) {
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

bool
fd_has_ended(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	enum fd_kind kind = fd_kind(fd);

	return kind != FD_TERMINAL && kind != FD_OTHER && poll(&p, 1, 0) > 0 &&
	       fd_available(fd) == 0;
}

uint32_t
fd_raise_limit(void)
{
	struct rlimit limit = {.rlim_cur = 64};

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
		(void)getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur < UINT32_MAX ? (uint32_t)limit.rlim_cur
					   : UINT32_MAX;
}

bool
fd_permits(int fd, int mode)
{
	int flags = fcntl(fd, F_GETFL), found = flags & O_ACCMODE;

	return flags >= 0 && (found == mode || found == O_RDWR);
}

bool
fd_is_foreground(int fd)
{
	pid_t foreground = fd < 0 ? -1 : tcgetpgrp(fd);

	/* tcgetpgrp() fails unless fd is this process's terminal. */
	return fd >= 0 && (foreground < 0 || foreground == getpgrp());
}

int
fd_open_beneath(int dir, const char *path)
{
	const int flags =
	    O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;
	int fd = openat(dir, ".", flags | O_DIRECTORY), next;
	char name[256];
	struct stat st;
	size_t n;

	for (; fd >= 0 && *path != '\0'; path += n + (path[n] == '/')) {
		n = strcspn(path, "/");
		next = -1;
		errno = ENAMETOOLONG;
		if (n < sizeof(name)) {
			memcpy(name, path, n);
			name[n] = '\0';
			if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			    (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
				next = openat(fd, name,
				    flags | (path[n] == '/' ? O_DIRECTORY : 0));
			else
				errno = ENOENT;
		}
		fd_close(&fd);
		fd = next;
	}
	return fd;
}
