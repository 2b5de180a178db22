#ifndef TORTURE_INJECT_H
#define TORTURE_INJECT_H

/* What the replaced functions of the C library ask before they do anything. */

/* The names that the driver uses. */
/* clang-format off */
#define CALLS(X) \
	X(socket) X(socketpair) X(connect) X(bind) X(listen) X(accept4) \
	X(shutdown) X(close) X(getsockname) X(getpeername) X(getsockopt) \
	X(setsockopt) X(send) X(sendto) X(sendmsg) X(recv) \
	X(recvfrom) X(recvmsg) X(read) X(pread) X(readv) X(write) \
	X(writev) X(pwritev2) X(splice) X(sendfile) X(poll) X(ppoll) \
	X(epoll_create1) X(epoll_ctl) X(epoll_wait) X(pipe2) X(dup2) \
	X(fcntl) X(ioctl) X(open) X(openat) X(fopen) X(fdopen) X(fclose) \
	X(fflush) X(fgets) X(getline) X(stat) X(lstat) X(fstat) X(lseek) \
	X(ftruncate) X(futimens) X(rename) X(link) X(unlink) X(lchown) \
	X(fchmod) X(fchmodat) X(mkstemp) X(mkdtemp) X(fsync) X(fdatasync) X(opendir) X(readlink) \
	X(malloc) X(calloc) X(realloc) X(aligned_alloc) \
	X(fork) X(clone) X(execve) X(waitpid) X(kill) X(setpgid) X(prctl) \
	X(sigaction) X(getaddrinfo)
/* clang-format on */

#define AS_NUMBER(name) CALL_##name,
enum call { CALLS(AS_NUMBER) CALL_COUNT };

enum action { ACTION_NONE, ACTION_FAIL, ACTION_ONE, ACTION_HALF };

/* Counts a call of that function from that address. What is to happen to it;
 * for a failure errno is set. */
enum action inject_meet(enum call call, const void *caller);

/* The error that was planned. */
int inject_error(void);

/* The C library's own function. */
void *inject_original(enum call call);

#define MEET(call) inject_meet(CALL_##call, __builtin_return_address(0))
#define ORIGINAL(type, call, params) \
	((type(*) params)inject_original(CALL_##call))

#endif
