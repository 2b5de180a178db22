/* The functions of the C library that are replaced; see inject.c. */
#define _GNU_SOURCE

#include "inject.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Other C libraries have other inner names; there nothing is counted. */
#ifdef __GLIBC__

/* A call that fails or does not; alias: under which name. */
#define HOOK_AS(alias, type, failed, call, params, args)  \
	type alias params;                                \
	type alias params                                 \
	{                                                 \
		if (MEET(call) != ACTION_NONE)            \
			return failed;                    \
		return ORIGINAL(type, call, params) args; \
	}
#define HOOK(type, failed, call, params, args) \
	HOOK_AS(call, type, failed, call, params, args)

/* A part of a datagram is never what a socket transfers. */
static bool
is_dgram(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return ORIGINAL(int, getsockopt, (int, int, int, void *, socklen_t *))(
		   fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type != SOCK_STREAM;
}

static size_t
shorten(enum action action, int fd, size_t n)
{
	if (n < 2 || is_dgram(fd))
		return n;
	return action == ACTION_ONE ? 1 : n / 2;
}

/* A call that may transfer less than n. */
#define HOOK_TRANSFER_AS(alias, call, fd, n, params, args)   \
	ssize_t alias params;                                \
	ssize_t alias params                                 \
	{                                                    \
		enum action action = MEET(call);             \
                                                             \
		if (action == ACTION_FAIL)                   \
			return -1;                           \
		if (action != ACTION_NONE)                   \
			n = shorten(action, fd, n);          \
		return ORIGINAL(ssize_t, call, params) args; \
	}
#define HOOK_TRANSFER(call, fd, n, params, args) \
	HOOK_TRANSFER_AS(call, call, fd, n, params, args)

/* The same by a list of pieces: the first one is shortened, or goes alone. */
static int
shorten_pieces(enum action action, int fd, struct iovec *first,
    const struct iovec *given, int count)
{
	if (count < 1 || is_dgram(fd))
		return count;
	*first = given[0];
	if (action == ACTION_ONE || count == 1)
		first->iov_len = shorten(action, fd, first->iov_len);
	return 1;
}

#define HOOK_PIECES(call, params, args, short_args)                        \
	ssize_t call params;                                               \
	ssize_t call params                                                \
	{                                                                  \
		enum action action = MEET(call);                           \
		struct iovec first;                                        \
                                                                           \
		if (action == ACTION_FAIL)                                 \
			return -1;                                         \
		if (action != ACTION_NONE &&                               \
		    shorten_pieces(action, fd, &first, iov, count) == 1 && \
		    !is_dgram(fd))                                         \
			return ORIGINAL(ssize_t, call, params) short_args; \
		return ORIGINAL(ssize_t, call, params) args;               \
	}

#define HOOK_MESSAGE(call, params, m)                                        \
	ssize_t call params;                                                 \
	ssize_t call params                                                  \
	{                                                                    \
		enum action action = MEET(call);                             \
		struct msghdr copy = *m;                                     \
		struct iovec first;                                          \
                                                                             \
		if (action == ACTION_FAIL)                                   \
			return -1;                                           \
		if (action != ACTION_NONE && copy.msg_iovlen > 0 &&          \
		    !is_dgram(fd)) {                                         \
			copy.msg_iovlen = (size_t)shorten_pieces(action, fd, \
			    &first, copy.msg_iov, (int)copy.msg_iovlen);     \
			copy.msg_iov = &first;                               \
			return ORIGINAL(ssize_t, call,                       \
			    (int, struct msghdr *, int))(fd, &copy, flags);  \
		}                                                            \
		return ORIGINAL(ssize_t, call, params)(fd, m, flags);        \
	}

/* Sockets. */
HOOK(int, -1, socketpair, (int domain, int type, int protocol, int ends[2]),
    (domain, type, protocol, ends))
HOOK(int, -1, socket, (int domain, int type, int protocol),
    (domain, type, protocol))
HOOK(int, -1, bind, (int fd, const struct sockaddr *a, socklen_t len),
    (fd, a, len))
HOOK(int, -1, listen, (int fd, int backlog), (fd, backlog))
HOOK(int, -1, accept4, (int fd, struct sockaddr *a, socklen_t *len, int flags),
    (fd, a, len, flags))
HOOK(int, -1, shutdown, (int fd, int how), (fd, how))
HOOK(int, -1, getsockname, (int fd, struct sockaddr *a, socklen_t *len),
    (fd, a, len))
HOOK(int, -1, getpeername, (int fd, struct sockaddr *a, socklen_t *len),
    (fd, a, len))
HOOK(int, -1, getsockopt,
    (int fd, int level, int name, void *value, socklen_t *len),
    (fd, level, name, value, len))
HOOK(int, -1, setsockopt,
    (int fd, int level, int name, const void *value, socklen_t len),
    (fd, level, name, value, len))
HOOK_TRANSFER(send, fd, n, (int fd, const void *p, size_t n, int flags),
    (fd, p, n, flags))
HOOK_TRANSFER(sendto, fd, n,
    (int fd, const void *p, size_t n, int flags, const struct sockaddr *a,
	socklen_t len),
    (fd, p, n, flags, a, len))
HOOK_MESSAGE(sendmsg, (int fd, const struct msghdr *m, int flags), m)
HOOK_TRANSFER(
    recv, fd, n, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
HOOK_TRANSFER(recvfrom, fd, n,
    (int fd, void *p, size_t n, int flags, struct sockaddr *a, socklen_t *len),
    (fd, p, n, flags, a, len))
HOOK_MESSAGE(recvmsg, (int fd, struct msghdr *m, int flags), m)

ssize_t __recv_chk(int fd, void *p, size_t n, size_t size, int flags);
ssize_t
__recv_chk(int fd, void *p, size_t n, size_t size, int flags)
{
	enum action action = MEET(recv);

	(void)size;
	if (action == ACTION_FAIL)
		return -1;
	if (action != ACTION_NONE)
		n = shorten(action, fd, n);
	return ORIGINAL(ssize_t, recv, (int, void *, size_t, int))(
	    fd, p, n, flags);
}

ssize_t __recvfrom_chk(int fd, void *p, size_t n, size_t size, int flags,
    struct sockaddr *a, socklen_t *len);
ssize_t
__recvfrom_chk(int fd, void *p, size_t n, size_t size, int flags,
    struct sockaddr *a, socklen_t *len)
{
	enum action action = MEET(recvfrom);

	(void)size;
	if (action == ACTION_FAIL)
		return -1;
	if (action != ACTION_NONE)
		n = shorten(action, fd, n);
	return ORIGINAL(ssize_t, recvfrom,
	    (int, void *, size_t, int, struct sockaddr *, socklen_t *))(
	    fd, p, n, flags, a, len);
}

/* An interrupted connect(2) goes on by itself. */
int
connect(int fd, const struct sockaddr *a, socklen_t len)
{
	enum action action = MEET(connect);
	int result = -1;

	if (action == ACTION_NONE || inject_error() == EINTR)
		result = ORIGINAL(int, connect,
		    (int, const struct sockaddr *, socklen_t))(fd, a, len);
	if (action == ACTION_NONE)
		return result;
	errno = inject_error();
	return -1;
}

/* What close(2) reports has nothing to do with whether it closes. */
int
close(int fd)
{
	enum action action = MEET(close);
	int result = ORIGINAL(int, close, (int))(fd);

	if (action == ACTION_NONE)
		return result;
	errno = inject_error();
	return -1;
}

/* Files, pipes and both. */
HOOK_TRANSFER(read, fd, n, (int fd, void *p, size_t n), (fd, p, n))
HOOK_TRANSFER(
    pread, fd, n, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
HOOK_TRANSFER_AS(pread64, pread, fd, n, (int fd, void *p, size_t n, off_t at),
    (fd, p, n, at))

/* Nothing can be said about a stderr that cannot be written. */
ssize_t
write(int fd, const void *p, size_t n)
{
	enum action action = MEET(write);

	if (action == ACTION_FAIL &&
	    (fd != STDERR_FILENO || errno == EINTR || errno == EAGAIN))
		return -1;
	if (action == ACTION_ONE || action == ACTION_HALF)
		n = shorten(action, fd, n);
	return ORIGINAL(ssize_t, write, (int, const void *, size_t))(fd, p, n);
}

HOOK_PIECES(readv, (int fd, const struct iovec *iov, int count),
    (fd, iov, count), (fd, &first, 1))
HOOK_PIECES(writev, (int fd, const struct iovec *iov, int count),
    (fd, iov, count), (fd, &first, 1))
HOOK_PIECES(pwritev2,
    (int fd, const struct iovec *iov, int count, off_t at, int flags),
    (fd, iov, count, at, flags), (fd, &first, 1, at, flags))
HOOK_TRANSFER(splice, in, n,
    (int in, loff_t *in_at, int out, loff_t *out_at, size_t n, unsigned flags),
    (in, in_at, out, out_at, n, flags))
HOOK_TRANSFER(
    sendfile, in, n, (int out, int in, off_t *at, size_t n), (out, in, at, n))
HOOK_TRANSFER_AS(sendfile64, sendfile, in, n,
    (int out, int in, off_t *at, size_t n), (out, in, at, n))

ssize_t __read_chk(int fd, void *p, size_t n, size_t size);
ssize_t
__read_chk(int fd, void *p, size_t n, size_t size)
{
	enum action action = MEET(read);

	(void)size;
	if (action == ACTION_FAIL)
		return -1;
	if (action != ACTION_NONE)
		n = shorten(action, fd, n);
	return ORIGINAL(ssize_t, read, (int, void *, size_t))(fd, p, n);
}

HOOK(int, -1, pipe2, (int ends[2], int flags), (ends, flags))
HOOK(int, -1, dup2, (int from, int to), (from, to))

/* The functions of which C does not say how many arguments they have. */
#define HOOK_LIST(alias, type, call, fixed_params, fixed_args, last)  \
	type alias fixed_params;                                      \
	type alias fixed_params                                       \
	{                                                             \
		va_list ap;                                           \
		unsigned long rest;                                   \
                                                                      \
		va_start(ap, last);                                   \
		rest = va_arg(ap, unsigned long);                     \
		va_end(ap);                                           \
		if (MEET(call) != ACTION_NONE)                        \
			return -1;                                    \
		return ORIGINAL(type, call, fixed_params) fixed_args; \
	}

HOOK_LIST(
    fcntl, int, fcntl, (int fd, int command, ...), (fd, command, rest), command)
HOOK_LIST(fcntl64, int, fcntl, (int fd, int command, ...), (fd, command, rest),
    command)
HOOK_LIST(ioctl, int, ioctl, (int fd, unsigned long request, ...),
    (fd, request, rest), request)
HOOK_LIST(open, int, open, (const char *path, int flags, ...),
    (path, flags, (mode_t)rest), flags)
HOOK_LIST(open64, int, open, (const char *path, int flags, ...),
    (path, flags, (mode_t)rest), flags)
HOOK_LIST(openat, int, openat, (int at, const char *path, int flags, ...),
    (at, path, flags, (mode_t)rest), flags)
HOOK_LIST(openat64, int, openat, (int at, const char *path, int flags, ...),
    (at, path, flags, (mode_t)rest), flags)
HOOK_AS(__open_2, int, -1, open, (const char *path, int flags), (path, flags))
HOOK_AS(__open64_2, int, -1, open, (const char *path, int flags), (path, flags))
HOOK_AS(__openat_2, int, -1, openat, (int at, const char *path, int flags),
    (at, path, flags))

HOOK(int, -1, stat, (const char *path, struct stat *st), (path, st))
HOOK(int, -1, lstat, (const char *path, struct stat *st), (path, st))
HOOK(int, -1, fstat, (int fd, struct stat *st), (fd, st))
HOOK_AS(
    stat64, int, -1, stat, (const char *path, struct stat64 *st), (path, st))
HOOK_AS(
    lstat64, int, -1, lstat, (const char *path, struct stat64 *st), (path, st))
HOOK_AS(fstat64, int, -1, fstat, (int fd, struct stat64 *st), (fd, st))
HOOK(off_t, -1, lseek, (int fd, off_t at, int from), (fd, at, from))
HOOK_AS(lseek64, off_t, -1, lseek, (int fd, off_t at, int from), (fd, at, from))
HOOK(int, -1, ftruncate, (int fd, off_t size), (fd, size))
HOOK_AS(ftruncate64, int, -1, ftruncate, (int fd, off_t size), (fd, size))
HOOK(int, -1, futimens, (int fd, const struct timespec times[2]), (fd, times))
HOOK(int, -1, rename, (const char *from, const char *to), (from, to))
HOOK(int, -1, link, (const char *from, const char *to), (from, to))
HOOK(int, -1, unlink, (const char *path), (path))
HOOK(int, -1, lchown, (const char *path, uid_t user, gid_t group),
    (path, user, group))
HOOK(int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
HOOK(int, -1, mkstemp, (char *path), (path))
HOOK_AS(mkstemp64, int, -1, mkstemp, (char *path), (path))
HOOK(char *, NULL, mkdtemp, (char *path), (path))
HOOK(int, -1, fchmodat, (int at, const char *path, mode_t mode, int flags),
    (at, path, mode, flags))
HOOK(int, -1, fsync, (int fd), (fd))
HOOK(int, -1, fdatasync, (int fd), (fd))
HOOK(DIR *, NULL, opendir, (const char *path), (path))
HOOK(ssize_t, -1, readlink, (const char *path, char *text, size_t size),
    (path, text, size))

/* Streams. */
HOOK(FILE *, NULL, fopen, (const char *path, const char *mode), (path, mode))
HOOK_AS(fopen64, FILE *, NULL, fopen, (const char *path, const char *mode),
    (path, mode))
HOOK(FILE *, NULL, fdopen, (int fd, const char *mode), (fd, mode))

/* A stream remembers that it failed. */
static void
mark_failed(FILE *f)
{
	f->_flags |= _IO_ERR_SEEN;
}

/* The bytes of a write that failed are lost. */
int
fflush(FILE *f)
{
	if (f == NULL || !__fwriting(f) || __fpending(f) == 0 ||
	    MEET(fflush) == ACTION_NONE)
		return ORIGINAL(int, fflush, (FILE *))(f);
	__fpurge(f);
	mark_failed(f);
	return EOF;
}

int
fclose(FILE *f)
{
	enum action action = MEET(fclose);
	int result = ORIGINAL(int, fclose, (FILE *))(f);

	if (action == ACTION_NONE)
		return result;
	errno = inject_error();
	return EOF;
}

char *
fgets(char *text, int size, FILE *f)
{
	if (MEET(fgets) == ACTION_NONE)
		return ORIGINAL(char *, fgets, (char *, int, FILE *))(
		    text, size, f);
	mark_failed(f);
	return NULL;
}

char *__fgets_chk(char *text, size_t space, int size, FILE *f);
char *
__fgets_chk(char *text, size_t space, int size, FILE *f)
{
	(void)space;
	if (MEET(fgets) == ACTION_NONE)
		return ORIGINAL(char *, fgets, (char *, int, FILE *))(
		    text, size, f);
	mark_failed(f);
	return NULL;
}

ssize_t
getline(char **text, size_t *size, FILE *f)
{
	if (MEET(getline) == ACTION_NONE)
		return ORIGINAL(ssize_t, getline, (char **, size_t *, FILE *))(
		    text, size, f);
	mark_failed(f);
	return -1;
}

/* Waiting. */
HOOK(int, -1, poll, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms))
HOOK(int, -1, ppoll,
    (struct pollfd * fds, nfds_t n, const struct timespec *limit,
	const sigset_t *mask),
    (fds, n, limit, mask))
int __poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t size);
int
__poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t size)
{
	(void)size;
	if (MEET(poll) != ACTION_NONE)
		return -1;
	return ORIGINAL(int, poll, (struct pollfd *, nfds_t, int))(fds, n, ms);
}

int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *limit,
    const sigset_t *mask, size_t size);
int
__ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *limit,
    const sigset_t *mask, size_t size)
{
	(void)size;
	if (MEET(ppoll) != ACTION_NONE)
		return -1;
	return ORIGINAL(int, ppoll,
	    (struct pollfd *, nfds_t, const struct timespec *,
		const sigset_t *))(fds, n, limit, mask);
}

HOOK(int, -1, epoll_create1, (int flags), (flags))
HOOK(int, -1, epoll_ctl, (int fd, int op, int of, struct epoll_event *event),
    (fd, op, of, event))
HOOK(int, -1, epoll_wait, (int fd, struct epoll_event *events, int n, int ms),
    (fd, events, n, ms))

/* Memory. The C library's own names, since dlsym(3) may allocate. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t n);
void *__libc_memalign(size_t align, size_t n);

void *
malloc(size_t n)
{
	return MEET(malloc) == ACTION_NONE ? __libc_malloc(n) : NULL;
}

void *
calloc(size_t n, size_t size)
{
	return MEET(calloc) == ACTION_NONE ? __libc_calloc(n, size) : NULL;
}

void *
aligned_alloc(size_t align, size_t n)
{
	return MEET(aligned_alloc) == ACTION_NONE ? __libc_memalign(align, n)
						  : NULL;
}

void *
realloc(void *old, size_t n)
{
	return MEET(realloc) == ACTION_NONE ? __libc_realloc(old, n) : NULL;
}

HOOK(int, -1, execve, (const char *path, char *const *argv, char *const *env),
    (path, argv, env))
HOOK(pid_t, -1, waitpid, (pid_t pid, int *status, int flags),
    (pid, status, flags))
HOOK(int, -1, kill, (pid_t pid, int number), (pid, number))
HOOK(int, -1, setpgid, (pid_t pid, pid_t group), (pid, group))

int
prctl(int option, ...)
{
	unsigned long args[4];
	va_list ap;
	int i;

	va_start(ap, option);
	for (i = 0; i < 4; i++)
		args[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (MEET(prctl) != ACTION_NONE)
		return -1;
	return ORIGINAL(int, prctl, (int, ...))(
	    option, args[0], args[1], args[2], args[3]);
}

HOOK(int, -1, sigaction,
    (int number, const struct sigaction *sa, struct sigaction *old),
    (number, sa, old))

int
getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
    struct addrinfo **found)
{
	if (MEET(getaddrinfo) != ACTION_NONE) {
		errno = EIO;
		return inject_error();
	}
	return ORIGINAL(int, getaddrinfo,
	    (const char *, const char *, const struct addrinfo *,
		struct addrinfo **))(host, service, hints, found);
}

#endif
