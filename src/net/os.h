/*
 * What only some systems support: os_linux.c uses Linux's system calls, its
 * twin os_posix.c does without them. The twins differ in more than speed: each
 * comment ends with what is missing, and what a user loses, under "Posix:".
 * Callers must do without it.
 */
#ifndef NET_OS_H
#define NET_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "net/addr.h"

/* "linux" or "posix", for --version. */
extern const char os_name[];

/* The kernel's counters and state of a TCP connection (tcp(7), TCP_INFO). */
struct os_tcp {
	/* False: nothing else is set. */
	bool is_known;
	/* Bytes so far. The FIN of the peer may count as a received one. */
	uint64_t sent, received;
	/* The FIN of the peer has arrived. */
	bool peer_finished;
	/* The connection was reset. */
	bool is_closed;
	/* Of a listening socket: connections that wait for accept(2), and the
	 * limit of their number. */
	uint32_t waiting, backlog;

	/* The others are for net/stall.h. */

	/* Bytes that the peer has acknowledged. The SYN may count as one. */
	uint64_t acked;
	/* Segments in flight, not acknowledged yet. */
	uint32_t segments;
	/* Segments that the kernel considers lost. */
	uint32_t lost;
	/* Retransmissions, and probes, in a row that got no answer. */
	uint32_t timeouts, probes;
	/* All segments retransmitted since the connection began. */
	uint32_t retransmitted;
	/* The size in bytes of a full segment, and of its packet. */
	uint32_t mss, pmtu;
	/* The window of the peer in bytes; UINT32_MAX if it is not known. */
	uint32_t window;
	/* Data can be read. */
	bool has_unread;
	/* Data has arrived that follows a missing part. */
	bool has_gap;
	/* Data waits to be sent for the first time. */
	bool is_unsent;
	/* The smoothed round trip time; 0 if it was not measured. */
	int64_t rtt_us;
	/* The time since the last acknowledgement arrived. */
	int64_t unanswered_ms;
	/* The time since data was last sent. */
	int64_t unsent_ms;
	/* The time with unacknowledged data, and the part of it in which the
	 * window of the peer was the limit. */
	int64_t busy_us, window_us;
};

/*
 * Returns is_known: false if the system or the socket does not report them.
 * Posix: never known. Errors and --json have no cause of a stall and no limit
 * of the speed; full accept queues are not reported; a reset is only seen by
 * reading or writing; whether all was acknowledged is only known where
 * TIOCOUTQ shows the send queue; the bytes that a program has moved on its
 * connection, and who ended that first, are not known.
 */
bool os_tcp_info(int fd, struct os_tcp *tcp);

/*
 * As fd_open_beneath() (base/fd.h), but follows symbolic links that stay below
 * dir where the system can prove that (openat2(2)). Posix: follows none, so
 * listen --files answers 404 for them and does not list them.
 */
int os_open_beneath(int dir, const char *path);

/*
 * Sends at most n bytes of a file from offset *at, which it advances
 * (sendfile(2)). The socket must be non-blocking. Returns the number of bytes,
 * 0 at the end of the file, or -1 with errno: ENOTSUP if the system or the file
 * does not support it. Posix: always ENOTSUP; the caller copies, more slowly.
 */
ssize_t os_send_file(int fd, int file, off_t *at, size_t n);

/*
 * Moves at most n bytes from in to out, one of which is a pipe, without copying
 * them through this process (splice(2)). Pipes never block; a socket must be
 * non-blocking, or the call may block. Returns the number of bytes; 0 when
 * there is no data, which only read(2) can distinguish from the end of in; or
 * -1 with errno: EAGAIN when in has no data now or out is full, ENOTSUP when
 * the system or the two do not support it, otherwise the error of the socket or
 * of out. Posix: always ENOTSUP; the caller copies, more slowly.
 */
ssize_t os_splice(int in, int out, size_t n);

/* Enlarges a pipe to OS_PIPE_SIZE bytes, as far as permitted; a hint. Posix:
 * does nothing. */
#define OS_PIPE_SIZE (1024 * 1024)
void os_grow_pipe(int fd);

/*
 * read(2) and write(2) of a pipe, as sock_read_nowait() and
 * sock_write_nowait() (net/sock.h). Posix: fd_read_briefly() and
 * fd_write_ready(), which block for some milliseconds if another process was
 * first.
 */
ssize_t os_read_pipe(int fd, void *space, size_t size);
ssize_t os_write_pipe(int fd, const void *bytes, size_t n);

/*
 * Queues every ICMP error on the socket (ip(7), IP_RECVERR), including
 * unreachable hosts; poll(2) reports POLLERR until they are received. Turning
 * it off drops what is queued. Returns whether the system can. Posix: false. A
 * UDP socket only reports refusals; errors do not name the sender and the kind
 * of an ICMP message; portscan cannot tell such a message from a failure of
 * this machine; connect --trace fails.
 */
bool os_receive_errors(int fd, int family, bool on);

/* An entry of a socket's error queue. */
struct os_error {
	/* EACCES for "administratively prohibited". */
	int errnum;
	/* The family of the ICMP message; 0 for a local error. */
	int family;
	/* The type and the code of the ICMP message. */
	uint8_t type, code;
	/* The destination of the packet that the error is about. */
	struct addr to;
	/* Who has sent the ICMP message. */
	struct addr sender;
};

/* Removes the oldest entry of the queue; returns false if it is empty. Posix:
 * always false, and *q is unchanged. */
bool os_next_error(int fd, struct os_error *q);

/*
 * The type of the control message (udp(7), UDP_SEGMENT) that makes the kernel
 * or the network card split sendmsg(2) into datagrams; 0 if fd cannot. Posix:
 * 0; each datagram is a call.
 */
int os_segment_type(int fd);

/*
 * Sets *count to the number of datagrams, modulo 2^32, dropped so far because
 * the receive buffer was full. False where it is not reported. Posix: false;
 * udp-send and udp-serve report no such losses.
 */
bool os_drops(int fd, uint32_t *count);

/*
 * In a child: asks for the signal when that parent exits, or at once if it has.
 * execve(2) preserves that, fork(2) does not. Posix: does nothing; if sockt is
 * killed, its handlers and programs go on.
 */
void os_follow_parent(pid_t parent, int number);

/*
 * Starts a process that calls run(context), which executes a program or returns
 * an errno, and waits for either. The process may share the memory of this one,
 * so run() must not change anything there. Returns the pid, with *errnum 0 if
 * a program was executed; or -1 with errno. Posix: fork(2), which copies the
 * page tables and takes longer.
 */
pid_t os_start(int (*run)(void *context), void *context, int *errnum);

/* Whether the system's loader has loaded the program: dlopen(3) works. Posix:
 * always true, also in a static binary. */
bool os_has_loader(void);

/* proc_close_from() (net/proc.h); false if the system has no call for that.
 * Posix: false; the caller closes each number. */
bool os_close_from(int first);

/*
 * Sets whether orphaned descendants become children of this process; execve(2)
 * preserves the setting. Returns false if the system does not support it.
 * Posix: false. What a program has left running is not known once the program
 * has exited, unless it is in its process group; and there a zombie, which only
 * init(8) reaps, looks alive.
 */
bool os_adopt_orphans(bool adopts);

/* Whether the peer of a TCP connection that is closed, perhaps by a reset, had
 * sent its FIN, if the system reports it. May consume the socket's error.
 * Posix: false. */
bool os_had_fin(int fd);

#endif
