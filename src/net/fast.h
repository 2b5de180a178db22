/*
 * What only some systems can do, behind one header: fast_linux.c uses the
 * system's own calls, fast_posix.c is the portable twin. Both behave alike,
 * but for speed; just one of them is linked.
 */
#ifndef NET_FAST_H
#define NET_FAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fd.h"

struct addr;

/* "linux" or "posix", for --version. */
const char *fast_name(void);

/* A close-on-exec, non-blocking socket. The fd, or -1 with errno. */
int fast_socket(int family, int type);

/*
 * accept(2): the connection is close-on-exec and blocking, *peer gets its
 * address. The fd, or -1 with errno.
 */
int fast_accept(int fd, struct addr *peer);

/* A close-on-exec pipe, non-blocking if asked. 0, or -1 with errno. */
int fast_pipe(int ends[2], bool nonblocking);

/* The supplementary groups of a user: initgroups(3). 0, or -1 with errno. */
int fast_set_groups(const char *user, gid_t gid);

/* What the kernel counts of a TCP connection. */
struct fast_tcp {
	uint64_t sent, received; /* bytes */
	bool peer_finished;      /* the peer's FIN has come */
	bool is_closed;          /* it is over: reset */
	bool is_acknowledged;    /* the peer has everything that we sent */
};

/* Asks for them; false where the system or the socket tells nothing. */
bool fast_tcp_info(int fd, struct fast_tcp *tcp);

/*
 * Writes to an inherited descriptor that poll(2) called writable without
 * blocking and without setting O_NONBLOCK on it, since others share that
 * flag. kind is fd_kind(fd), which the caller asks once. Returns how many
 * bytes were taken (perhaps fewer than n), or -1 with errno; EAGAIN when none
 * could be.
 */
ssize_t fast_write_nowait(
    int fd, enum fd_kind kind, const void *bytes, size_t n);

/* Joins a multicast group on an interface, 0: any. 0, or -1 with errno. */
int fast_join(int fd, const struct addr *group, unsigned interface);

/* Where datagrams to groups leave. 0, or -1 with errno. */
int fast_multicast_interface(int fd, int family, unsigned interface);

/* A receive buffer beyond the usual bound, with privilege. 0, or -1. */
int fast_force_rcvbuf(int fd, int bytes);

/* Gives a unix socket a name that the system makes. 0, or -1 with errno. */
int fast_autobind(int fd);

/* The size that fast_grow_pipe() asks for, in bytes. */
#define FAST_PIPE_SIZE (1024 * 1024)

/*
 * Whether fast_move() may be tried from one kind to another: one of them is a
 * pipe. False everywhere on a system that cannot; true is no promise, for it
 * also depends on the very file.
 */
bool fast_can_move(enum fd_kind in, enum fd_kind out);

/*
 * Moves at most n bytes from in to out without copying them through this
 * process: splice(2). Pipes never block; a socket has to be
 * non-blocking, or it may. Returns the count; 0 when there is nothing, which
 * only read(2) can tell from the end of in; or -1 with errno: EAGAIN when in
 * has nothing now or out takes nothing, ENOTSUP when these two cannot, else
 * what the socket or out met.
 */
ssize_t fast_move(int in, int out, size_t n);

/* Makes a pipe as large as is permitted; a hint. */
void fast_grow_pipe(int fd);

/*
 * Receives and drops at most n bytes of a connection without waiting; as
 * recv(2). space, which has size bytes, fewer perhaps than n, is overwritten or
 * not.
 */
ssize_t fast_drop(int fd, void *space, size_t size, size_t n);

#endif
