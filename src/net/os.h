/*
 * What only some systems support: os_linux.c uses Linux system calls,
 * os_posix.c is the portable twin. Both behave alike except for speed; one of
 * them is linked.
 */
#ifndef NET_OS_H
#define NET_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "net/addr.h"

/* "linux" or "posix", for --version. */
extern const char os_name[];

/* The kernel's counters and state of a TCP connection. */
struct os_tcp {
	uint64_t sent,
	    received;         /* bytes; the FIN of the peer may count as one */
	bool peer_finished;   /* the peer's FIN has arrived */
	bool is_closed;       /* the connection was reset */
	bool is_acknowledged; /* the peer acknowledged everything sent */
	uint32_t waiting;     /* of a listening socket: pending connections, */
	uint32_t backlog;     /* and their limit */
};

/* Reads them; returns false if the system or the socket does not report them.
 */
bool os_tcp_info(int fd, struct os_tcp *tcp);

/* write(2) to a pipe as sock_write_nowait() (net/sock.h). */
ssize_t os_write_pipe(int fd, const void *bytes, size_t n);

/*
 * Queues every ICMP error on the socket (ip(7), IP_RECVERR), including
 * unreachable hosts; poll(2) reports POLLERR until they are received. Without
 * this, and on systems that lack it, the socket only reports refusals.
 */
void os_receive_errors(int fd, int family);

/* An entry of a socket's error queue. */
struct os_error {
	int errnum;
	bool by_icmp, by_icmp6; /* neither: a local error */
	bool is_prohibited;     /* "administratively prohibited" */
	struct addr to;         /* destination of the packet */
	struct addr sender;     /* of the ICMP message */
};

/* Removes the oldest entry of the queue; returns false if it is empty. */
bool os_next_error(int fd, struct os_error *q);

/*
 * The type of the control message, at level IPPROTO_UDP, that makes the kernel
 * or the network card split what sendmsg(2) sends into datagrams of a length
 * (udp(7), UDP_SEGMENT); 0 if this socket cannot.
 */
int os_segment_type(int fd);

/*
 * Sets *count to the number of datagrams, modulo 2^32, that the kernel has
 * dropped since the socket was opened because its receive buffer was full.
 * Returns false where the system does not report it.
 */
bool os_drops(int fd, uint32_t *count);

/*
 * Binds a unix socket to a name that the system chooses. Returns 0, or -1 with
 * errno.
 */
int os_autobind(int fd);

/*
 * In a child: asks for the signal when the parent with that pid exits, or at
 * once if it already has. The setting survives execve(2); processes that the
 * child starts do not inherit it. Does nothing on systems that lack it.
 */
void os_follow_parent(pid_t parent, int number);

/*
 * Starts a process that returns run(context), or executes a program there. It
 * may share the memory of this process, which then waits until either. Returns
 * its pid, or -1 with errno.
 */
pid_t os_start(int (*run)(void *context), void *context);

/* Whether the program was loaded with the system's loader, and dlopen(3) works.
 */
bool os_has_loader(void);

/* Closes the descriptor first and all above it. Returns false if the system has
 * no call for that; see proc_close_from(). */
bool os_close_from(int first);

/*
 * Makes this process adopt orphaned descendants, which waitpid(2) then reaps.
 * Returns false if the system does not support it.
 */
bool os_adopt_orphans(void);

#endif
