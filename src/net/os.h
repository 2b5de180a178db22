/*
 * What only some systems can do, under one header: os_linux.c uses the
 * system's own calls, os_posix.c is the portable twin. Both behave alike,
 * but for speed; just one of them is linked.
 */
#ifndef NET_OS_H
#define NET_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fd.h"
#include "net/addr.h"

/* "linux" or "posix", for --version. */
const char *os_name(void);

/* A close-on-exec, non-blocking socket. The fd, or -1 with errno. */
int os_socket(int family, int type);

/*
 * accept(2): the connection is close-on-exec and blocking, *peer gets its
 * address. The fd, or -1 with errno.
 */
int os_accept(int fd, struct addr *peer);

/* The longest backlog of listen(2); 0: not known. */
int os_max_backlog(void);

/* A close-on-exec pipe, non-blocking if asked. 0, or -1 with errno. */
int os_pipe(int ends[2], bool nonblocking);

/* What the kernel counts of a TCP connection. */
struct os_tcp {
	uint64_t sent, received; /* bytes */
	bool peer_finished;      /* the peer's FIN has arrived */
	bool is_closed;          /* it is over: reset */
	bool is_acknowledged;    /* the peer has everything that was sent */
	bool is_fin_acked; /* this side's FIN is acknowledged, the peer's not
			      received */
	bool is_crossing;  /* both FINs were sent before either came */
	uint32_t acks_in;  /* segments without data */
	uint32_t acks_out;
	uint32_t rtt_us;        /* the smoothed round-trip time */
	uint32_t segments;      /* sent */
	uint32_t retransmitted; /* of these */
	uint32_t waiting; /* of a listening socket: finished connections */
	uint32_t backlog; /* that wait for accept(2), and their limit */
};

/* Asks for them; false if the system or the socket does not report them. A
 * step in -vv. */
bool os_tcp_info(int fd, struct os_tcp *tcp);

/*
 * Writes to an inherited descriptor that poll(2) reported writable, without
 * blocking and without setting O_NONBLOCK on it, since others share that
 * flag. kind is fd_kind(fd), which the caller looks up once; for sockets see
 * call_write_nowait(). Returns how many
 * bytes were accepted (perhaps fewer than n), or -1 with errno; EAGAIN when
 * none could be.
 */
ssize_t os_write_nowait(int fd, enum fd_kind kind, const void *bytes, size_t n);

/* Joins a multicast group on an interface, 0: any. 0, or -1 with errno. */
int os_join(int fd, const struct addr *group, unsigned interface);

/* The interface that sends datagrams to groups. 0, or -1 with errno. */
int os_multicast_interface(int fd, int family, unsigned interface);

/*
 * Has every ICMP error queued with the socket (ip(7), IP_RECVERR), unreachable
 * hosts too; poll(2) reports POLLERR until they are received. Without it, and
 * where the system cannot do that, a socket learns of refusals only.
 */
void os_receive_errors(int fd, int family);

/* An entry of a socket's error queue. */
struct os_error {
	int errnum;
	bool by_icmp, by_icmp6; /* neither: this machine's own error */
	bool is_prohibited;     /* "administratively prohibited" */
	struct addr to;         /* where the packet was sent to */
	struct addr sender;     /* of the ICMP message */
};

/* Removes the oldest entry of the queue; false when it is empty. */
bool os_next_error(int fd, struct os_error *q);

/* Gives a unix socket a name that the system makes. 0, or -1 with errno. */
int os_autobind(int fd);

/*
 * In a child, even of vfork(2): it gets the signal when its parent, of that
 * id, ends in whatever way; at once when that has happened already. A program
 * that it becomes keeps that, processes that it starts do not. Where the system
 * has no such thing, nothing happens.
 */
void os_follow_parent(pid_t parent, int number);

#endif
