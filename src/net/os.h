/* What only some systems support, by Linux system calls in os_linux.c, or
 * without them in its twin os_posix.c. Both behave alike except for speed. */
#ifndef NET_OS_H
#define NET_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "net/addr.h"

/* "linux" or "posix", for --version. */
extern const char os_name[];

/* The kernel's counters and state of a TCP connection. */
struct os_tcp {
	bool is_known; /* otherwise nothing else is set */
	uint64_t sent,
	    received;       /* bytes; the FIN of the peer may count as one */
	bool peer_finished; /* the peer's FIN has arrived */
	bool is_closed;     /* the connection was reset */
	uint32_t waiting;   /* of a listening socket: pending connections, */
	uint32_t backlog;   /* and their limit */

	/* For net/stall.h. */
	uint64_t acked;    /* bytes acknowledged; the SYN may count */
	uint32_t segments; /* segments not yet acknowledged */
	uint32_t lost;     /* segments that the kernel considers lost */
	uint32_t timeouts; /* retransmissions in a row, without an answer */
	uint32_t probes;   /* probes in a row, without an answer */
	uint32_t retransmitted; /* segments, since the connection began */
	uint32_t mss, pmtu;     /* bytes of a full segment, and of its packet */
	uint32_t window;        /* the peer's, bytes; UINT32_MAX: not known */
	bool has_unread;        /* data can be read */
	bool has_gap;          /* an earlier part of received data is missing */
	bool is_unsent;        /* data waits to be sent for the first time */
	int64_t rtt_us;        /* smoothed round trip; 0: not measured */
	int64_t unanswered_ms; /* since the last acknowledgement arrived */
	int64_t unsent_ms;     /* since data was last sent */
	int64_t busy_us;       /* time with unacknowledged data */
	int64_t window_us;     /* part of it, limited by the peer's window */
};

/* Returns is_known: false if the system or the socket does not report them. */
bool os_tcp_info(int fd, struct os_tcp *tcp);

/* As fd_open_beneath() (base/fd.h), but follows symbolic links that stay below
 * dir where the system can prove that (openat2(2)). */
int os_open_beneath(int dir, const char *path);

/*
 * Sends at most n bytes of a file from offset *at, which it advances
 * (sendfile(2)). The socket must be non-blocking. Returns the number of bytes,
 * 0 at the end of the file, or -1 with errno: ENOTSUP if the system or the file
 * does not support it.
 */
ssize_t os_send_file(int fd, int file, off_t *at, size_t n);

/*
 * Moves at most n bytes from in to out, one of which is a pipe, without copying
 * them through this process (splice(2)). Pipes never block; a socket must be
 * non-blocking, or the call may block. Returns the number of bytes; 0 when
 * there is no data, which only read(2) can distinguish from the end of in; or
 * -1 with errno: EAGAIN when in has no data now or out is full, ENOTSUP when
 * the system or the two do not support it, otherwise the error of the socket or
 * of out.
 */
ssize_t os_splice(int in, int out, size_t n);

/* Enlarges a pipe to OS_PIPE_SIZE bytes, as far as permitted; a hint. */
#define OS_PIPE_SIZE (1024 * 1024)
void os_grow_pipe(int fd);

/* read(2) and write(2) of a pipe, as sock_read_nowait() and
 * sock_write_nowait() (net/sock.h). */
ssize_t os_read_pipe(int fd, void *space, size_t size);
ssize_t os_write_pipe(int fd, const void *bytes, size_t n);

/*
 * Queues every ICMP error on the socket (ip(7), IP_RECVERR), including
 * unreachable hosts; poll(2) reports POLLERR until they are received. Without
 * this, and on systems that lack it, the socket only reports refusals. Turning
 * it off drops what is queued. Returns whether the system can.
 */
bool os_receive_errors(int fd, int family, bool on);

/* An entry of a socket's error queue. */
struct os_error {
	int errnum;         /* EACCES for "administratively prohibited" */
	int family;         /* of the ICMP message; 0: a local error */
	uint8_t type, code; /* of the ICMP message */
	struct addr to;     /* destination of the packet */
	struct addr sender; /* of the ICMP message */
};

/* Removes the oldest entry of the queue; returns false if it is empty. */
bool os_next_error(int fd, struct os_error *q);

/* The type of the control message (udp(7), UDP_SEGMENT) that makes the kernel
 * or the network card split sendmsg(2) into datagrams; 0 if fd cannot. */
int os_segment_type(int fd);

/* Sets *count to the number of datagrams, modulo 2^32, dropped so far because
 * the receive buffer was full. False where it is not reported. */
bool os_drops(int fd, uint32_t *count);

/* In a child: asks for the signal when that parent exits, or at once if it has.
 * execve(2) preserves that, fork(2) does not. May do nothing. */
void os_follow_parent(pid_t parent, int number);

/*
 * Starts a process that calls run(context), which executes a program or returns
 * an errno, and waits for either. The process may share the memory of this one,
 * so run() must not change anything there. Returns the pid, with *errnum 0 if
 * a program was executed; or -1 with errno.
 */
pid_t os_start(int (*run)(void *context), void *context, int *errnum);

/* Whether the system's loader has loaded the program: dlopen(3) works. */
bool os_has_loader(void);

/* proc_close_from() (net/proc.h); false if the system has no call for that. */
bool os_close_from(int first);

/* Sets whether orphaned descendants become children of this process; execve(2)
 * preserves the setting. Returns false if the system does not support it. */
bool os_adopt_orphans(bool adopts);

/* Whether the peer of a TCP connection that is closed, perhaps by a reset, had
 * sent its FIN, if the system reports it. May consume the socket's error. */
bool os_had_fin(int fd);

#endif
