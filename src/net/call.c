/* System calls on sockets, each reported as a step of -vv. */
#include "net/call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/num.h"
#include "base/step.h"
#include "net/addr.h"
#include "net/os.h"

/* The names of the constants, and what they mean. */
static const char *
socket_kind(int family, int type)
{
	bool is_stream = type == SOCK_STREAM;

	switch (family) {
	case AF_INET:
		return is_stream ? "AF_INET SOCK_STREAM (IPv4 TCP)"
				 : "AF_INET SOCK_DGRAM (IPv4 UDP)";
	case AF_INET6:
		return is_stream ? "AF_INET6 SOCK_STREAM (IPv6 TCP)"
				 : "AF_INET6 SOCK_DGRAM (IPv6 UDP)";
	default:
		return is_stream ? "AF_UNIX SOCK_STREAM (Unix stream)"
				 : "AF_UNIX SOCK_DGRAM (Unix datagram)";
	}
}

/*
 * By descriptor: whether it is a TCP connection, which has FINs and TCP_INFO.
 */
static bool is_tcp[512];

static bool
is_tcp_connection(int fd)
{
	return fd >= 0 && fd < (int)sizeof(is_tcp) && is_tcp[fd];
}

/* peer NULL: a unix socket without an address. */
static void
name_connection(int fd, const struct addr *peer)
{
	step_name(fd, "the connection", 0);
	if (fd < (int)sizeof(is_tcp))
		is_tcp[fd] = peer != NULL && !addr_is_unix(peer);
}

/* The errno of a call that returned result; 0 if it succeeded. */
static int
errnum_of(int result)
{
	return result < 0 ? errno : 0;
}

int
call_socket(int family, int type)
{
	int64_t start = step_start();
	int fd = os_socket(family, type);
	char number[16] = "";

	/* Other calls fail with these errnos for other reasons. */
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		errno = CAUSE_SOCKET_DENIED;

	if (!step_is_on())
		return fd;
	step_name(fd, NULL, 0);
	if (fd >= 0)
		snprintf(number, sizeof(number), " = %d", fd);
	step_report(&(struct step){.call = "socket",
			.start_ns = start,
			.errnum = errnum_of(fd),
			.note = "an endpoint, not yet bound or connected; the "
				"number is its file descriptor"},
	    "%s%s", socket_kind(family, type), number);
	return fd;
}

int
call_socketpair(int ends[2])
{
	int64_t start = step_start();
	int result = os_socketpair(ends);
	char numbers[40] = "";

	if (!step_is_on())
		return result;
	if (result == 0) {
		snprintf(
		    numbers, sizeof(numbers), " = %d, %d", ends[0], ends[1]);
		name_connection(ends[0], NULL);
	}
	step_report(
	    &(struct step){.call = "socketpair",
		.start_ns = start,
		.errnum = errnum_of(result),
		.note = "two connected sockets: this side's and a program's"},
	    "AF_UNIX SOCK_STREAM (Unix stream)%s", numbers);
	return result;
}

int
call_bind(int fd, const struct addr *a)
{
	int64_t start = step_start();
	char text[ADDR_TEXT];
	int result = bind(fd, &a->u.sa, a->len);

	if (step_is_on())
		step_report(
		    &(struct step){.call = "bind",
			.start_ns = start,
			.errnum = errnum_of(result),
			.note = addr_is_unix(a) ? "the path becomes its address"
						: "gives the socket its local "
						  "address and port"},
		    "%s to %s", step_name_of(fd),
		    addr_format(a, text, sizeof(text)));
	return result;
}

int
call_listen(int fd, int backlog)
{
	int64_t start = step_start();
	int result = listen(fd, backlog);
	char text[32] = "(the system's maximum)";

	if (!step_is_on())
		return result;
	if (backlog != INT32_MAX)
		snprintf(text, sizeof(text), "%d", backlog);
	step_report(&(struct step){.call = "listen",
			.start_ns = start,
			.errnum = errnum_of(result),
			.note = "the system completes connections; at most "
				"that many wait for accept"},
	    "on %s, backlog %s", step_name_of(fd), text);
	if (result == 0)
		step_name(fd, "the listening socket", 0);
	return result;
}

int
call_accept(int fd, struct addr *peer)
{
	int64_t start = step_start();
	char text[ADDR_TEXT], from[ADDR_TEXT + 64] = "";
	int got = os_accept(fd, peer), errnum = errnum_of(got);

	if (!step_is_on() || errnum == EAGAIN || errnum == EWOULDBLOCK)
		return got;
	if (got >= 0) {
		name_connection(got, peer);
		snprintf(from, sizeof(from), " from %s = %d",
		    addr_format(peer, text, sizeof(text)), got);
	}
	step_report(&(struct step){.call = "accept",
			.start_ns = start,
			.errnum = errnum,
			.note = "a new socket for this peer alone; the "
				"listening socket stays as it is"},
	    "on %s%s", step_name_of(fd), from);
	return got;
}

/* What a successful connect(2) means. */
static const char *
connected_note(const struct addr *a)
{
	return addr_is_unix(a) ? "it is in the queue of the listening socket"
			       : "SYN sent, SYN+ACK received, ACK sent: the "
				 "three-way handshake is complete";
}

void
call_connected(int fd, const struct addr *a, int64_t start_ns, int errnum)
{
	char text[ADDR_TEXT];

	if (!step_is_on())
		return;
	step_report(&(struct step){.call = "connect",
			.start_ns = start_ns,
			.errnum = errnum,
			.note = connected_note(a)},
	    "%s to %s", step_name_of(fd), addr_format(a, text, sizeof(text)));
	if (errnum == 0)
		name_connection(fd, a);
}

int
call_connect(int fd, const struct addr *a)
{
	int64_t start = step_start();
	int result = connect(fd, &a->u.sa, a->len), saved = errno;
	char text[ADDR_TEXT];

	if (!step_is_on())
		return result;
	if (result < 0 && (saved == EINPROGRESS || saved == EINTR))
		step_wait("connect", "SYN is sent; the peer must answer",
		    "%s to %s", step_name_of(fd),
		    addr_format(a, text, sizeof(text)));
	else
		call_connected(fd, a, start, result < 0 ? saved : 0);
	errno = saved;
	return result;
}

ssize_t
call_send(int fd, const void *bytes, size_t n, int flags)
{
	int64_t start = step_start();
	ssize_t done = send(fd, bytes, n, flags);

	if (step_is_on())
		step_transfer(&(struct step_transfer){.call = "send",
		    .fd = fd,
		    .start_ns = start,
		    .is_send = true,
		    .wanted = n,
		    .done = done,
		    .errnum = done < 0 ? errno : 0});
	return done;
}

static bool
would_wait(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

ssize_t
call_recv(int fd, void *space, size_t size, int flags)
{
	int64_t start = step_start();
	ssize_t done;

	if (step_is_pending() && (flags & MSG_DONTWAIT) == 0 && would_wait(fd))
		step_flush();
	done = recv(fd, space, size, flags);
	if (step_is_on())
		step_transfer(&(struct step_transfer){.call = "recv",
		    .fd = fd,
		    .start_ns = start,
		    .wanted = size,
		    .done = done,
		    .errnum = done < 0 ? errno : 0,
		    .note = done == 0 && !is_tcp_connection(fd)
				? "the peer has finished: it will send no more"
				: NULL});
	return done;
}

ssize_t
call_write_nowait(int fd, enum fd_kind kind, const void *bytes, size_t n)
{
	if (kind == FD_SOCKET)
		return call_send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return os_write_nowait(fd, kind, bytes, n);
}

int
call_shutdown(int fd, int how)
{
	int64_t start = step_start();
	int result = shutdown(fd, how);

	if (step_is_on())
		step_report(&(struct step){.call = "shutdown",
				.start_ns = start,
				.errnum = errnum_of(result),
				.note = is_tcp_connection(fd)
					    ? "sends FIN after the last byte: "
					      "this side sends no more, and "
					      "still receives"
					    : "this side sends no more, and "
					      "still receives"},
		    "SHUT_WR of %s", step_name_of(fd));
	return result;
}

/* Reports the result of getsockname(2) or getpeername(2). */
static int
report_name(int fd, struct addr *a, int result, struct step s)
{
	char text[ADDR_TEXT];

	s.errnum = errnum_of(result);
	if (result < 0)
		a->len = 0;
	addr_unmap(a);
	if (!step_is_on())
		return result;
	s.result = addr_format(a, text, sizeof(text));
	if (a->len == 0)
		s.result = "no address";
	step_report(&s, "of %s", step_name_of(fd));
	return result;
}

int
call_getsockname(int fd, struct addr *a)
{
	struct step s = {.call = "getsockname",
	    .start_ns = step_start(),
	    .note = "its local address; the system has chosen what was not "
		    "given"};

	memset(a, 0, sizeof(*a));
	a->len = sizeof(a->u);
	return report_name(fd, a, getsockname(fd, &a->u.sa, &a->len), s);
}

int
call_getpeername(int fd, struct addr *a)
{
	struct step s = {.call = "getpeername",
	    .start_ns = step_start(),
	    .note = "the address of the peer"};

	memset(a, 0, sizeof(*a));
	a->len = sizeof(a->u);
	return report_name(fd, a, getpeername(fd, &a->u.sa, &a->len), s);
}

int
call_unacked(int fd)
{
#ifdef TIOCOUTQ
	int64_t start = step_start();
	int bytes = 0, result = ioctl(fd, TIOCOUTQ, &bytes);
	char shown[32];

	if (result < 0 || bytes < 0)
		bytes = 0;
	if (!step_is_on())
		return bytes;
	num_format_count(shown, sizeof(shown), (uint64_t)bytes, "byte");
	step_report(&(struct step){.call = "ioctl",
			.start_ns = start,
			.errnum = errnum_of(result),
			.result = shown,
			.note = "sent, and not acknowledged by the peer",
			.is_query = true},
	    "SIOCOUTQ of %s", step_name_of(fd));
	return bytes;
#else
	(void)fd;
	return 0;
#endif
}

int
call_nonblocking(int fd, bool on)
{
	int64_t start = step_start();
	int flags = fcntl(fd, F_GETFL), result = -1;

	if (flags >= 0 && ((flags & O_NONBLOCK) != 0) == on)
		return 0;
	if (flags >= 0)
		result = fcntl(
		    fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
	if (step_is_on())
		step_report(&(struct step){.call = "fcntl",
				.start_ns = start,
				.errnum = errnum_of(result),
				.note = on ? "calls do not wait: they fail "
					     "with EAGAIN instead"
					   : "calls wait until they can do "
					     "something"},
		    "O_NONBLOCK %s on %s", on ? "on" : "off", step_name_of(fd));
	return result;
}

void
call_report_end(int fd)
{
	struct os_tcp tcp;
	char result[96];
	int64_t start = step_start();

	if (!step_is_on() || !is_tcp_connection(fd) || !os_tcp_info(fd, &tcp))
		return;
	snprintf(result, sizeof(result),
	    "round trip %u.%03u ms, %u of %u segments sent again",
	    tcp.rtt_us / 1000, tcp.rtt_us % 1000, tcp.retransmitted,
	    tcp.segments);
	step_report(&(struct step){.call = "tcp",
			.start_ns = start,
			.result = result,
			.note = tcp.retransmitted == 0
				    ? "by TCP_INFO: nothing was lost"
				    : "by TCP_INFO: lost or late segments were "
				      "sent again"},
	    "of %s", step_name_of(fd));
}

int
call_close(int fd, const char *note)
{
	int64_t start = step_start();
	int result = close(fd);

	if (!step_is_on())
		return result;
	if (fd < (int)sizeof(is_tcp))
		is_tcp[fd] = false;
	step_report(
	    &(struct step){.call = "close",
		.start_ns = start,
		.errnum = errnum_of(result),
		.note = note != NULL ? note : "the system frees the socket"},
	    "%s", step_name_of(fd));
	step_name(fd, NULL, 0);
	return result;
}
