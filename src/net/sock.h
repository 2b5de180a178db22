/* Sockets: open, options, names, close. */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "net/addr.h"

struct err;

/* Options of a connection; every field -1 (or 0 for the flags): left alone. */
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
 * errno. A step in -vv.
 */
int sock_open(int family, int type);

/* Sets what *o names, for the family. 0, or -1 with *e. */
int sock_set(int fd, int family, const struct sock_options *o, struct err *e);

/*
 * Raises the receive buffer to bytes, or as far as the system lets (socket(7):
 * SO_RCVBUFFORCE with privilege, else at most net.core.rmem_max). Returns what
 * it is now.
 */
int64_t sock_raise_rcvbuf(int fd, int64_t bytes);

/* Single options, by family where they differ. 0, or -1 with errno. */
int sock_broadcast(int fd);
int sock_no_fragment(int fd, int family);
int sock_multicast_ttl(int fd, int family, int ttl);
int sock_multicast_loop(int fd, int family, bool on);

/* Bytes that the path of a connected socket carries whole; 0: not known. */
size_t sock_path_mtu(int fd, int family);

/* Binds. 0, or -1 with errno. A step in -vv. */
int sock_bind(int fd, const struct addr *a);

/* O_NONBLOCK on or off; for sockets and pipes that are our own only. */
int sock_nonblocking(int fd, bool on);

/* Own and peer's address; a->len becomes 0 where there is none. */
void sock_local(int fd, struct addr *a);
void sock_peer(int fd, struct addr *a);

/*
 * Whether a TCP socket is connected to itself. Linux does that when the
 * ephemeral port is the one that is dialled: nobody listens there.
 */
bool sock_is_self_connect(int fd);

/*
 * Whether small pieces of a TCP connection are sent at once (tcp(7),
 * TCP_NODELAY), also those that wait; of another socket they are anyway.
 */
void sock_send_at_once(int fd, bool at_once);
bool sock_sends_at_once(int fd);

/* Takes SO_ERROR: 0 or an errno. */
int sock_error(int fd);

/* Sends FIN. A step in -vv. 0, or -1 with errno. */
int sock_finish(int fd);

/*
 * Whether a connection is over both ways. Where we have not finished that was a
 * reset, even if reading says end of file: a splice(2) that was under way when
 * it came has eaten the error. False where the system does not tell.
 */
bool sock_is_gone(int fd);

/*
 * Probes the idle connection every two seconds (SO_KEEPALIVE, tcp(7)), so that
 * a peer that has gone is noticed: by a reset, or after half a minute without
 * an answer. Where the intervals cannot be set, the system's hold.
 */
void sock_probe_peer(int fd);

/*
 * Whether close(2), and the end of the process however it comes, resets the
 * connection instead of finishing it (SO_LINGER): for as long as a FIN would
 * make a transfer that was cut off look whole.
 */
void sock_reset_on_close(int fd, bool resets);

/*
 * Whether the peer has acknowledged everything that was sent, or the
 * connection is lost: sock_error() tells. True where the system does not tell.
 */
bool sock_is_delivered(int fd);

/*
 * Bytes given to the kernel that the peer has not acknowledged, also of a
 * connection that is lost; 0 where the system does not tell.
 */
uint64_t sock_unacknowledged(int fd);

/* close(2) that keeps errno and sets *fd to -1. */
void sock_close(int *fd);

/* The same by reset: what is unsent is dropped and no TIME_WAIT stays. */
void sock_abort(int *fd);

/* A unix socket, which knows no reset. */
bool sock_is_unix(int fd);

/*
 * The end of a connection that is cut off: waits until the peer has
 * acknowledged everything that was sent, or has taken nothing for idle_ms (-1:
 * no limit), or the deadline passes; then closes by reset. Where the system
 * does not tell (net/os.h), it waits for two seconds. Sets *fd to -1.
 */
void sock_cut(int *fd, int64_t idle_ms, struct deadline until);

/* How long the end of a connection may take when we have sent everything. */
#define SOCK_DRAIN_MS 2000

/*
 * The end of a served connection: FIN, then reads and drops what the peer
 * still sends until it has finished, the deadline passes or a caught signal
 * comes; then closes. A close on unread input would be a reset, which destroys
 * what we said last on its way (RFC 9112 9.6). Sets *fd to -1.
 */
void sock_close_drained(int *fd, struct deadline until);

/* A word for the family and type: "IPv4 TCP", "IPv6 UDP", "unix stream". */
const char *sock_kind(int family, int type);

#endif
