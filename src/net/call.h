/*
 * System calls on sockets. Each function makes the call of that name, reports
 * it as a step of -vv (base/step.h) and leaves the call's errno. Only the
 * *_linux.c and *_posix.c twins make such calls elsewhere, and report them with
 * step_transfer() or step_report().
 */
#ifndef NET_CALL_H
#define NET_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/fd.h"

struct addr;

/* A close-on-exec, non-blocking socket; see os_socket(). */
int call_socket(int family, int type);

/*
 * A pair of connected unix sockets, see os_socketpair(); names ends[0] "the
 * connection".
 */
int call_socketpair(int ends[2]);

int call_bind(int fd, const struct addr *a);

/* listen(2); names the socket "the listening socket". */
int call_listen(int fd, int backlog);

/* See os_accept(). EAGAIN is not reported as a step. */
int call_accept(int fd, struct addr *peer);

/*
 * connect(2). If the connection is still in progress (EINPROGRESS, EINTR), the
 * step says that it is waiting, and call_connected() reports the result. Other
 * failures are reported at once.
 */
int call_connect(int fd, const struct addr *a);

/*
 * Reports the result of a connection attempt that began at start_ns; errnum 0
 * means success.
 */
void call_connected(int fd, const struct addr *a, int64_t start_ns, int errnum);

/* send(2) and recv(2). */
ssize_t call_send(int fd, const void *bytes, size_t n, int flags);
ssize_t call_recv(int fd, void *space, size_t size, int flags);

/* os_write_nowait(), or send(2) on a socket. */
ssize_t call_write_nowait(
    int fd, enum fd_kind kind, const void *bytes, size_t n);

/* how: SHUT_WR. */
int call_shutdown(int fd, int how);

/* The local address and the peer's; sets a->len to 0 if there is none. */
int call_getsockname(int fd, struct addr *a);
int call_getpeername(int fd, struct addr *a);

/*
 * The number of bytes that the peer has not acknowledged; 0 if it is unknown.
 */
int call_unacked(int fd);

/* Sets or clears O_NONBLOCK. */
int call_nonblocking(int fd, bool on);

/*
 * Reports the round-trip time and the retransmissions of a TCP connection that
 * is about to be closed, as a line of -vv.
 */
void call_report_end(int fd);

/* close(2); removes the socket's name. note NULL means the usual one. */
int call_close(int fd, const char *note);

#endif
