/*
 * Sockets: the calls on them, options, addresses, and the ways to end a
 * connection. A function that makes the call of its name leaves the call's
 * errno, and is a step of -vv (base/step.h) where a tutorial teaches the call.
 *
 *   sock_finish          sends FIN; receiving continues
 *   link_finish          sends FIN, or has it held back (net/link.h)
 *   link_close           sends FIN, reads until the peer's FIN, then closes
 *   sock_close           closes: FIN, or RST if unread bytes are queued
 *   sock_abort           closes with RST: unsent bytes are dropped
 *   link_abort           waits until all is acknowledged, then closes with RST
 *   sock_reset_on_close  makes every close an RST, even when killed
 */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"
#include "base/fd.h"
#include "net/addr.h"

struct err;

/* Options of a connection; -1 (0 for the flags) keeps the system's default. */
struct sock_options {
	struct addr source;    /* The local address of a client; or len is 0. */
	int64_t source_port;   /* The local port of a client; or 0. */
	const char *interface; /* SO_BINDTODEVICE; NULL: any interface. */
	int keepalive;         /* SO_KEEPALIVE; 1: it is on. */
	int64_t tos;           /* IP_TOS or IPV6_TCLASS, 0 to 255. */
	int64_t ttl;           /* IP_TTL or IPV6_UNICAST_HOPS, 1 to 255. */
	int64_t rcvbuf;        /* SO_RCVBUF, in bytes. */
	int64_t sndbuf;        /* SO_SNDBUF, in bytes. */
};

/*
 * Opens a close-on-exec, non-blocking socket. Returns the caller's fd, or -1
 * with errno: CAUSE_SOCKET_DENIED (base/err.h) if a sandbox does not permit it.
 */
int sock_open(int family, int type);

/*
 * Looks up the route to an IP address: sets *local to the source address of
 * packets to a, and returns whether there is a route. The socket has a flag at
 * level SOL_SOCKET (0: none): SO_BROADCAST, which a broadcast address needs, or
 * SO_DONTROUTE, for IPv4 without a router between. Sends nothing, and is not a
 * step of -vv.
 */
bool sock_route(const struct addr *a, int flag, struct addr *local);

/* Whether an IP address, but no multicast group, is one of this machine.
 * Sends nothing, and is not a step of -vv. */
bool sock_is_local(const struct addr *a);

/* An option of a user or of a tutorial; setting it is a step of -vv. */
struct sock_option {
	int level, name;   /* Arguments of setsockopt(2). */
	const char *text;  /* Its name is this: "SO_REUSEADDR". */
	const char *note;  /* It is for this. */
	const char *value; /* Its value as text; NULL: it is an int. */
};

/*
 * setsockopt(2) of an int; of any type, with o->value as its text; and of an
 * int without a step of -vv. They return 0, or -1 with errno.
 */
int sock_set_int(int fd, const struct sock_option *o, int value);
int sock_set_value(
    int fd, const struct sock_option *o, const void *value, size_t size);
int sock_set_quietly(int fd, int level, int name, int value);

/* getsockopt(2) of an int. Returns it, or -1 with errno. */
int sock_int(int fd, int level, int name);

/* Binds the socket to an interface (SO_BINDTODEVICE). Returns 0, or -1 with
 * errno: ENOTSUP if the system cannot. */
int sock_bind_interface(int fd, const char *name);

/* Sets the options in *o, for the family. Returns 0, or -1 with *e set. */
int sock_set(int fd, int family, const struct sock_options *o, struct err *e);

/* Opens connected, close-on-exec Unix sockets; the first does not block.
 * Returns 0, or -1 with errno. The caller closes both, set to -1 before. */
int sock_pair(int ends[2]);

int sock_bind(int fd, const struct addr *a);

/* A negative backlog is the system's maximum, which may exceed SOMAXCONN. */
int sock_listen(int fd, int backlog);

/* accept(2), which sets *peer. Returns the connection, close-on-exec and
 * blocking, or -1 with errno. */
int sock_accept(int fd, struct addr *peer);

/*
 * connect(2). While the connection is in progress (EINPROGRESS, EINTR), the
 * step reports a wait; the caller then reports the result with
 * sock_connected(), where errnum 0 means success.
 */
int sock_connect(int fd, const struct addr *a);
void sock_connected(int fd, const struct addr *a, int64_t start_ns, int errnum);

ssize_t sock_send(int fd, const void *bytes, size_t n, int flags);
ssize_t sock_recv(int fd, void *space, size_t size, int flags);

/*
 * Checks that stdin (0) can be read, or stdout (1) be written. Returns 0, or -1
 * with *e: ERR_OUTPUT, to which the caller may append.
 */
int sock_check_standard(int fd, struct err *e);

/* fd_kind(), but FD_PACKETS for a socket that keeps the bounds of messages. */
enum fd_kind sock_kind(int fd);

/*
 * Whether poll(2) shows, by POLLERR or POLLHUP, that nobody can read from an
 * output of that kind any more: an anonymous pipe or a Unix socket does. A FIFO
 * may get another reader, and a TCP socket does not show it.
 */
bool sock_shows_reader(int fd, enum fd_kind kind);

/*
 * Read and write an inherited descriptor that poll(2) reported ready, without
 * blocking (at most for a moment: fd_read_briefly()) and without setting
 * O_NONBLOCK, a flag that other processes share; sockets by sock_recv() and
 * sock_send(). kind is sock_kind(fd), which the caller determines once. They
 * return the number of bytes, which may be fewer than requested; 0 at end of
 * file; or -1 with errno: EAGAIN or EINTR if there were none, EMSGSIZE for a
 * message (FD_PACKETS) that is longer than space.
 */
ssize_t sock_read_nowait(int fd, enum fd_kind kind, void *space, size_t size);
ssize_t sock_write_nowait(
    int fd, enum fd_kind kind, const void *bytes, size_t n);

/* shutdown(2) of a socket between two processes of sockt. It is not a step of
 * -vv. */
int sock_shut(int fd, int how);

/* shutdown(2) of the sending direction. Returns 0, or -1 with errno. */
int sock_finish(int fd);

/* Sets or clears O_NONBLOCK, where no other process shares the descriptor. */
int sock_nonblocking(int fd, bool on);

/* The local address, and the peer's; a->len is 0 if there is none. */
void sock_local(int fd, struct addr *a);
void sock_remote(int fd, struct addr *a);

/* Whether fd is an IPv6 socket that also accepts IPv4. */
bool sock_is_dual(int fd);

/* Whether fd is a Unix socket, which has no reset. */
bool sock_is_unix(int fd);

/* Whether a TCP socket is connected to itself, as Linux permits if it has the
 * destination port: a refusal, since nobody listens there. */
bool sock_is_self_connect(int fd);

/* Reads and clears SO_ERROR. Returns 0 or an errno. */
int sock_error(int fd);

/*
 * Whether a connection is closed in both directions. If no FIN was sent, it was
 * reset, even if reading reports end of file: a concurrent splice(2) consumed
 * the error. False if the system does not report it.
 */
bool sock_is_closed(int fd);

/* Whether the other end of a socket pair was closed. */
bool sock_is_hung_up(int fd);

/* Whether the system reports what the peer has acknowledged. */
bool sock_reports_acks(int fd);

/* Whether the peer has acknowledged everything that was sent, the connection is
 * lost (see sock_error()), or the system does not report it. */
bool sock_is_acked(int fd);

/* Returns how many bytes the peer has not acknowledged, even if the connection
 * is lost; 0 if the system does not report it. */
uint64_t sock_unacked_bytes(int fd);

/* Returns when to check again for acknowledgements, which no event reports. The
 * interval grows with the time since since_ns, the last send. */
struct deadline sock_recheck(int64_t since_ns);

/*
 * Probes an idle connection every two seconds (SO_KEEPALIVE, tcp(7)) to detect
 * a vanished peer: by a reset, or after half a minute without an answer. If the
 * intervals cannot be set, the system's apply.
 */
void sock_start_keepalive(int fd);

/* Makes close(2), and any exit of the process, a reset (SO_LINGER), for as long
 * as a FIN would make part of a transfer look whole. */
void sock_reset_on_close(int fd, bool resets);

/*
 * close(2) that preserves errno and sets *fd to -1; a negative *fd stays. note
 * is what the call is for, if that is not the end of the socket; or NULL.
 */
void sock_close(int *fd);
void sock_close_note(int *fd, const char *note);

/* sock_close() with RST: drops unsent bytes, and leaves no TIME-WAIT. */
void sock_abort(int *fd);

/*
 * Discards received bytes, a piece at a time; counts them in *dropped, which
 * begins with 0. Returns 1 if more may come; 0 if the peer has finished; -1 if
 * the connection is lost, or the peer has sent more than a drain discards.
 */
int sock_discard(int fd, uint64_t *dropped);

#endif
