/*
 * Sockets: opening, options, addresses, and the ways a connection ends.
 *
 *   shutdown_write       sends FIN; receiving goes on (net/shutdown.h)
 *   shutdown_and_drain   sends FIN, reads until the peer's FIN, then closes
 *   sock_close           closes: FIN, or RST while unread bytes are there
 *   sock_abort           closes by RST: what is unsent is dropped
 *   sock_abort_acked     waits until all is acknowledged, then closes by RST
 *   sock_reset_on_close  makes every close an RST, even a killed process's
 */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "net/addr.h"

struct err;

/* Options of a connection; a field that is -1 (0 for the flags) is left alone.
 */
struct sock_options {
	int keepalive;  /* SO_KEEPALIVE, 1: on */
	int nodelay;    /* TCP_NODELAY, 1: on (tcp(7)) */
	int64_t tos;    /* IP_TOS or IPV6_TCLASS, 0-255 */
	int64_t ttl;    /* IP_TTL or IPV6_UNICAST_HOPS, 1-255 */
	int64_t rcvbuf; /* SO_RCVBUF, bytes */
	int64_t sndbuf; /* SO_SNDBUF, bytes */
};

#define SOCK_OPTIONS_INIT            \
	{                            \
		0, 0, -1, -1, -1, -1 \
	}

/*
 * A socket of the family and type (SOCK_STREAM, SOCK_DGRAM) that is
 * close-on-exec and non-blocking. Returns the fd, the caller's, or -1 with
 * errno, which is CAUSE_SOCKET_DENIED (base/err.h) where a sandbox does not
 * permit it. A step in -vv.
 */
int sock_open(int family, int type);

/* Sets the options in *o, for the family. 0, or -1 with *e. */
int sock_set(int fd, int family, const struct sock_options *o, struct err *e);

/* Binds. 0, or -1 with errno. A step in -vv. */
int sock_bind(int fd, const struct addr *a);

/* O_NONBLOCK on or off; only for sockets and pipes of this process alone. */
int sock_nonblocking(int fd, bool on);

/* The local address; a->len becomes 0 where there is none. */
void sock_local(int fd, struct addr *a);

/* Whether it is a unix socket, which has no reset. */
bool sock_is_unix(int fd);

/*
 * Whether a TCP socket is connected to itself: Linux permits that when its own
 * ephemeral port is the one it dials. Nobody listens there, so it counts
 * as a refusal.
 */
bool sock_is_self_connect(int fd);

/* Reads and clears SO_ERROR: 0 or an errno. */
int sock_error(int fd);

/*
 * The same after a connect(2) to a: EACCES where an ICMP message has said that
 * it is prohibited, which the system reports as an unreachable host.
 */
int sock_connect_error(int fd, const struct addr *a);

/*
 * Nagle's algorithm off or on (tcp(7), TCP_NODELAY). Off also sends what has
 * been held back. Not meaningful for sockets other than TCP.
 */
void sock_set_nodelay(int fd, bool at_once);
bool sock_is_nodelay(int fd);

/*
 * Whether a connection is closed in both directions. If no FIN was sent that
 * was a reset, even when reading reports end of file: a splice(2) that was
 * under way consumed the error. False where the system does not report it.
 */
bool sock_is_closed(int fd);

/*
 * Whether the peer has acknowledged everything that was sent, or the
 * connection is lost (then sock_error() says why). True where the system does
 * not report it.
 */
bool sock_is_acked(int fd);

/*
 * Bytes given to the kernel that the peer has not acknowledged, also of a
 * connection that is lost; 0 where the system does not report it.
 */
uint64_t sock_unacked_bytes(int fd);

/*
 * Probes an idle connection every two seconds (SO_KEEPALIVE, tcp(7)), so that
 * a vanished peer is noticed: by a reset, or after half a minute without an
 * answer. Where the intervals cannot be set, the system's apply.
 */
void sock_start_keepalive(int fd);

/*
 * Whether close(2), and the end of the process however it comes, resets the
 * connection instead of sending FIN (SO_LINGER): to be set as long as a FIN
 * would make an incomplete transfer look whole.
 */
void sock_reset_on_close(int fd, bool resets);

/* close(2) that keeps errno and sets *fd to -1. */
void sock_close(int *fd);

/* The same by RST: what is unsent is dropped, and there is no TIME_WAIT. */
void sock_abort(int *fd);

/*
 * The end of an incomplete transfer: waits until the peer has acknowledged
 * everything that was sent, or has acknowledged nothing for idle_ms (-1: no
 * limit), or the deadline passes; then closes by RST. Where the system does
 * not report acknowledgements (net/os.h), it waits for two seconds. Sets *fd
 * to -1.
 */
void sock_abort_acked(int *fd, int64_t idle_ms, struct deadline until);

#endif
