/*
 * The calls on sockets: each is the system call of that name, and a step in
 * -vv (base/step.h). No other file makes these calls but the *_linux.c and
 * *_posix.c twins, which report them by step_transfer() or step_report() where
 * they are not called from here. errno is the call's.
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

int call_bind(int fd, const struct addr *a);

/* Names the socket "the listening socket". */
int call_listen(int fd, int backlog);

/* See os_accept(). EAGAIN is not a step. */
int call_accept(int fd, struct addr *peer);

/*
 * connect(2). The step of a connection that is made meanwhile (EINPROGRESS,
 * EINTR) says that it waits; call_connected() reports how it ended. Other
 * failures are reported at once.
 */
int call_connect(int fd, const struct addr *a);

/* How a connection ended that began at start_ns; errnum 0: it is open. */
void call_connected(int fd, const struct addr *a, int64_t start_ns, int errnum);

/* send(2) and recv(2). */
ssize_t call_send(int fd, const void *bytes, size_t n, int flags);
ssize_t call_recv(int fd, void *space, size_t size, int flags);

/* os_write_nowait(), or a send(2) if it is a socket. */
ssize_t call_write_nowait(
    int fd, enum fd_kind kind, const void *bytes, size_t n);

/* how: SHUT_WR. */
int call_shutdown(int fd, int how);

/* The local address and the peer's; a->len becomes 0 where there is none. */
int call_getsockname(int fd, struct addr *a);
int call_getpeername(int fd, struct addr *a);

/* A socket option: what it is called, and what it is for. */
struct call_option {
	int level, name;  /* of setsockopt(2) */
	const char *text; /* "SO_REUSEADDR" */
	const char *note;
	const char *value; /* as text; NULL: an int, shown as a number */
};

int call_set(int fd, const struct call_option *o, int value);

/* The same of any type; o->value is not NULL. */
int call_set_value(
    int fd, const struct call_option *o, const void *value, size_t size);

/* An option that is an int. */
int call_get(int fd, const struct call_option *o, int *value);

/* Bytes that the peer has not acknowledged; 0 where that is not known. */
int call_unacked(int fd);

/* O_NONBLOCK on or off. */
int call_nonblocking(int fd, bool on);

/* The round-trip time and the retransmissions of a TCP connection that is about
 * to be closed: a line of -vv. */
void call_report_end(int fd);

/* close(2); the name of the socket is forgotten. note NULL: the usual one. */
int call_close(int fd, const char *note);

#endif
