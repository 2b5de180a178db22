/* Sockets: the calls on them, each a step of -vv. */
#include "net/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/step.h"
#include "base/text.h"
#include "net/os.h"

/* The longest interval between checks for acknowledgements. */
#define MAX_RECHECK_MS INT64_C(32)

/* The number of bytes that a peer may send after this side's FIN. */
#define DRAIN_BYTES (8 * 1024 * 1024)

/* Keepalive: seconds between probes, and the limit of unanswered ones. */
#define PROBE_SECONDS 2
#define PROBES 15
/* With --keepalive: NAT forgets an idle connection after some minutes. */
#define IDLE_SECONDS 60
#define INTERVAL_SECONDS 10
#define IDLE_PROBES 6

/* The names of the constants, and what they mean. */
static const char *
socket_kind(int family, int type)
{
	bool is_stream = type == SOCK_STREAM;

	if (family == AF_UNIX)
		return is_stream ? "AF_UNIX SOCK_STREAM (Unix stream)"
				 : "AF_UNIX SOCK_DGRAM (Unix datagram)";
	if (family == AF_INET6)
		return is_stream ? "AF_INET6 SOCK_STREAM (IPv6 TCP)"
				 : "AF_INET6 SOCK_DGRAM (IPv6 UDP)";
	return is_stream ? "AF_INET SOCK_STREAM (IPv4 TCP)"
			 : "AF_INET SOCK_DGRAM (IPv4 UDP)";
}

int
sock_open(int family, int type)
{
	int64_t start = step_start();
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* Other calls fail with these errnos for other reasons. */
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		errno = CAUSE_SOCKET_DENIED;
	step_name(fd, NULL, 0);
	step("socket", start, fd,
	    "an endpoint, not yet bound or connected; the number is its file "
	    "descriptor",
	    "%s%s", socket_kind(family, type),
	    fd < 0 ? "" : text_format(" = %d", fd));
	return fd;
}

bool
sock_route(const struct addr *a, int flag, struct addr *local)
{
	int fd = socket(addr_family(a), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool result =
	    fd >= 0 &&
	    (flag == 0 || sock_set_quietly(fd, SOL_SOCKET, flag, 1) == 0) &&
	    connect(fd, &a->u.sa, a->len) == 0;

	sock_local(fd, local);
	fd_close(&fd);
	return result;
}

bool
sock_is_local(const struct addr *a)
{
	int fd = socket(addr_family(a), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct addr local = *a;
	bool result;

	/* For one of several IPv4 addresses Linux chooses the first as the
	 * source. Where it lets a socket be bound to any address
	 * (ip_nonlocal_bind), it does not send from one that is not local. */
	addr_set_port(&local, 0);
	result = fd >= 0 &&
		 (addr_family(a) != AF_INET ||
		     bind(fd, &local.u.sa, local.len) == 0) &&
		 connect(fd, &a->u.sa, a->len) == 0;
	sock_local(fd, &local);
	fd_close(&fd);
	return result && addr_same_host(&local, a);
}

int
sock_pair(int ends[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	return sock_nonblocking(ends[0], true);
}

int
sock_bind(int fd, const struct addr *a)
{
	int64_t start = step_start();
	int result = bind(fd, &a->u.sa, a->len);
	bool is_unnamed = addr_is_unnamed(a);

	step("bind", start, result,
	    is_unnamed        ? "the system chooses an abstract name"
	    : addr_is_unix(a) ? "the path becomes its address"
			      : "gives the socket its local address and port",
	    "%s to %s", step_name_of(fd),
	    is_unnamed ? "any name" : addr_text(a));
	return result;
}

int
sock_listen(int fd, int backlog)
{
	int64_t start = step_start();
	int result = listen(fd, backlog < 0 ? INT32_MAX : backlog);

	step("listen", start, result,
	    "the system completes connections; at most that many wait for "
	    "accept",
	    "on %s, backlog %s", step_name_of(fd),
	    backlog < 0 ? "(the system's maximum)"
			: text_format("%d", backlog));
	if (result == 0)
		step_name(fd, "the listening socket", 0);
	return result;
}

int
sock_accept(int fd, struct addr *peer)
{
	int64_t start = step_start();
	int got;

	memset(peer, 0, sizeof(*peer));
	peer->len = sizeof(peer->u);
	got = accept4(fd, &peer->u.sa, &peer->len, SOCK_CLOEXEC);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return got;
	step_name(got, "the connection", 0);
	step("accept", start, got,
	    "a new socket for this peer alone; the listening socket stays as "
	    "it is",
	    "on %s%s", step_name_of(fd),
	    got < 0 ? "" : text_format(" from %s = %d", addr_text(peer), got));
	return got;
}

void
sock_connected(int fd, const struct addr *a, int64_t start_ns, int errnum)
{
	errno = errnum;
	step("connect", start_ns, errnum == 0 ? 0 : -1,
	    addr_is_unix(a) ? "it is in the queue of the listening socket"
			    : "SYN sent, SYN+ACK received, ACK sent: the "
			      "three-way handshake is complete",
	    "%s to %s", step_name_of(fd), addr_text(a));
	if (errnum == 0)
		step_name(fd, "the connection", 0);
}

int
sock_connect(int fd, const struct addr *a)
{
	int64_t start = step_start();
	int errnum = connect(fd, &a->u.sa, a->len) < 0 ? errno : 0;

	if (errnum == EINPROGRESS || errnum == EINTR)
		step_wait("connect", "SYN is sent; the peer must answer",
		    "%s to %s", step_name_of(fd), addr_text(a));
	else
		sock_connected(fd, a, start, errnum);
	errno = errnum;
	return errnum == 0 ? 0 : -1;
}

static bool
is_dgram(int fd)
{
	return sock_int(fd, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM;
}

ssize_t
sock_send(int fd, const void *bytes, size_t n, int flags)
{
	int64_t start = step_start();
	ssize_t done = send(fd, bytes, n, flags);

	step_transfer(&(struct step_transfer){.fd = fd,
	    .start_ns = start,
	    .is_send = true,
	    .is_dgram = step_is_on() && is_dgram(fd),
	    .wanted = n,
	    .done = done});
	return done;
}

ssize_t
sock_recv(int fd, void *space, size_t size, int flags)
{
	int64_t start = step_start();
	ssize_t done = recv(fd, space, size, flags);

	step_transfer(&(struct step_transfer){.fd = fd,
	    .start_ns = start,
	    .is_dgram = step_is_on() && is_dgram(fd),
	    .wanted = size,
	    .done = done,
	    .note = done == 0 && step_is_on() && sock_is_unix(fd)
			? "the peer has finished: it will send no more"
			: NULL});
	return done;
}

int
sock_check_standard(int fd, struct err *e)
{
	struct addr peer;
	bool is_in = fd == STDIN_FILENO;
	const char *what = NULL;

	sock_remote(fd, &peer);
	if (!fd_permits(fd, is_in ? O_RDONLY : O_WRONLY))
		what = fd_was_closed(fd) ? "closed"
		       : is_in           ? "open for writing only"
					 : "open for reading only";
	else if (sock_int(fd, SOL_SOCKET, SO_ACCEPTCONN) > 0)
		what = "a listening socket";
	else if (!is_in && peer.len == 0 && sock_kind(fd) == FD_SOCKET)
		what = "a socket without a connection";
	if (what != NULL)
		return err_set(e, ERR_OUTPUT, "%s is %s",
		    is_in ? "stdin" : "stdout", what);
	return 0;
}

enum fd_kind
sock_kind(int fd)
{
	int type = sock_int(fd, SOL_SOCKET, SO_TYPE);

	return type < 0 || type == SOCK_STREAM ? fd_kind(fd) : FD_PACKETS;
}

bool
sock_shows_reader(int fd, enum fd_kind kind)
{
	struct stat st, anonymous;
	int ends[2];
	bool result;

	if (kind == FD_SOCKET || kind == FD_PACKETS)
		return sock_is_unix(fd);
	if (kind != FD_PIPE || fd_pipe(ends, false) < 0)
		return false;
	/* All anonymous pipes, and no named ones, have the same device. */
	result = fstat(fd, &st) == 0 && fstat(ends[0], &anonymous) == 0 &&
		 st.st_dev == anonymous.st_dev;
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	return result;
}

/* Receives a whole message; EMSGSIZE if it is longer than space. */
static ssize_t
recv_message(int fd, void *space, size_t size)
{
	struct iovec iov = {.iov_base = space, .iov_len = size};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

	if (n < 0 || (m.msg_flags & MSG_TRUNC) == 0)
		return n;
	errno = EMSGSIZE;
	return -1;
}

ssize_t
sock_read_nowait(int fd, enum fd_kind kind, void *space, size_t size)
{
	switch (kind) {
	case FD_SOCKET:
		return sock_recv(fd, space, size, MSG_DONTWAIT);
	case FD_PACKETS:
		return recv_message(fd, space, size);
	case FD_PIPE:
		return os_read_pipe(fd, space, size);
	case FD_REGULAR:
	case FD_NULL:
		return read(fd, space, size);
	default:
		return fd_read_briefly(fd, space, size);
	}
}

ssize_t
sock_write_nowait(int fd, enum fd_kind kind, const void *bytes, size_t n)
{
	switch (kind) {
	case FD_SOCKET:
	case FD_PACKETS:
		return sock_send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	case FD_PIPE:
		return os_write_pipe(fd, bytes, n);
	case FD_TERMINAL:
		return fd_write_ready(fd, bytes, n, 0);
	case FD_REGULAR:
	case FD_NULL:
		return write(fd, bytes, n);
	default:
		return fd_write_briefly(fd, bytes, n);
	}
}

int
sock_shut(int fd, int how)
{
	return shutdown(fd, how);
}

int
sock_finish(int fd)
{
	int64_t start = step_start();
	int result = shutdown(fd, SHUT_WR);

	step("shutdown", start, result,
	    sock_is_unix(fd)
		? "this side sends no more, and still receives"
		: "sends FIN after the last byte: this side sends no more, "
		  "and still receives",
	    "SHUT_WR of %s", step_name_of(fd));
	return result;
}

int
sock_set_value(
    int fd, const struct sock_option *o, const void *value, size_t size)
{
	int64_t start = step_start();
	int result = setsockopt(fd, o->level, o->name, value, (socklen_t)size);

	step("setsockopt", start, result, o->note, "%s = %s on %s", o->text,
	    o->value != NULL ? o->value
			     : text_format("%d", *(const int *)value),
	    step_name_of(fd));
	return result;
}

int
sock_set_int(int fd, const struct sock_option *o, int value)
{
	return sock_set_value(fd, o, &value, sizeof(value));
}

int
sock_set_quietly(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

int
sock_int(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, name, &value, &len) < 0 ? -1 : value;
}

/* Sets when the first probe is sent, when the others, and how many may remain
 * unanswered. */
static void
set_probes(int fd, int first, int interval, int count)
{
#if defined(TCP_KEEPIDLE) && defined(TCP_KEEPINTVL) && defined(TCP_KEEPCNT)
	(void)sock_set_quietly(fd, IPPROTO_TCP, TCP_KEEPIDLE, first);
	(void)sock_set_quietly(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval);
	(void)sock_set_quietly(fd, IPPROTO_TCP, TCP_KEEPCNT, count);
#else
	(void)fd, (void)first, (void)interval, (void)count;
#endif
}

int
sock_bind_interface(int fd, const char *name)
{
#ifdef SO_BINDTODEVICE
	const struct sock_option o = {SOL_SOCKET, SO_BINDTODEVICE,
	    "SO_BINDTODEVICE",
	    "packets leave and arrive through this interface alone "
	    "(--interface)",
	    name};

	return sock_set_value(fd, &o, name, strlen(name));
#else
	(void)fd;
	(void)name;
	errno = ENOTSUP;
	return -1;
#endif
}

#define TOS_NOTE "the class of service of its packets (--tos)"
#define TTL_NOTE "how many routers its packets may pass (--ttl)"

int
sock_set(int fd, int family, const struct sock_options *o, struct err *e)
{
	const struct {
		struct sock_option option;
		int family; /* that has it; AF_UNSPEC: every one */
		const char *flag;
		int64_t value; /* -1: not given */
	} rows[] = {
	    {{SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF",
		 "bytes that may wait to be read, and so the TCP window", NULL},
		AF_UNSPEC, "--rcvbuf", o->rcvbuf},
	    {{SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF",
		 "bytes that may wait to be sent or acknowledged", NULL},
		AF_UNSPEC, "--sndbuf", o->sndbuf},
	    {{SOL_SOCKET, SO_KEEPALIVE, "SO_KEEPALIVE",
		 "probes an idle peer, so that a vanished one is noticed",
		 NULL},
		AF_UNSPEC, "--keepalive", o->keepalive ? 1 : -1},
#ifdef IPV6_TCLASS
	    {{IPPROTO_IPV6, IPV6_TCLASS, "IPV6_TCLASS", TOS_NOTE, NULL},
		AF_INET6, "--tos", o->tos},
#endif
	    {{IPPROTO_IPV6, IPV6_UNICAST_HOPS, "IPV6_UNICAST_HOPS", TTL_NOTE,
		 NULL},
		AF_INET6, "--ttl", o->ttl},
#ifdef IP_TOS
	    {{IPPROTO_IP, IP_TOS, "IP_TOS", TOS_NOTE, NULL}, AF_INET, "--tos",
		o->tos},
#endif
#ifdef IP_TTL
	    {{IPPROTO_IP, IP_TTL, "IP_TTL", TTL_NOTE, NULL}, AF_INET, "--ttl",
		o->ttl},
#endif
	};
	size_t i;

	if (o->interface != NULL && sock_bind_interface(fd, o->interface) < 0)
		return err_sys(
		    e, ERR_LOCAL, errno, "--interface %s", o->interface);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* A dual-stack IPv6 socket has the options of both families.
		 * Others may reject IPv4's, and do not need them. */
		bool is_mapped =
		    family == AF_INET6 && rows[i].family == AF_INET;

		if (rows[i].value < 0 ||
		    (rows[i].family != AF_UNSPEC && rows[i].family != family &&
			!is_mapped))
			continue;
		if (sock_set_int(fd, &rows[i].option, (int)rows[i].value) < 0 &&
		    !is_mapped)
			return err_sys(e, ERR_LOCAL, errno, "%s %d",
			    rows[i].flag, (int)rows[i].value);
	}
	if (o->keepalive)
		set_probes(fd, IDLE_SECONDS, INTERVAL_SECONDS, IDLE_PROBES);
	if (family != AF_UNIX)
		(void)sock_set_quietly(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return 0;
}

int
sock_nonblocking(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || ((flags & O_NONBLOCK) != 0) == on)
		return flags < 0 ? -1 : 0;
	return fcntl(fd, F_SETFL, flags ^ O_NONBLOCK);
}

/* An address that get(), getsockname(2) or getpeername(2), has filled in. */
static void
read_address(int fd, struct addr *a,
    int (*get)(int fd, struct sockaddr *sa, socklen_t *len))
{
	memset(a, 0, sizeof(*a));
	a->len = sizeof(a->u);
	if (get(fd, &a->u.sa, &a->len) < 0)
		a->len = 0;
	addr_unmap(a);
}

void
sock_local(int fd, struct addr *a)
{
	read_address(fd, a, getsockname);
}

void
sock_remote(int fd, struct addr *a)
{
	read_address(fd, a, getpeername);
}

int
sock_error(int fd)
{
	int error = sock_int(fd, SOL_SOCKET, SO_ERROR);

	return error < 0 ? errno : error;
}

bool
sock_is_closed(int fd)
{
	struct os_tcp tcp;

	return os_tcp_info(fd, &tcp) && tcp.is_closed;
}

void
sock_start_keepalive(int fd)
{
	(void)sock_set_quietly(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_probes(fd, PROBE_SECONDS, PROBE_SECONDS, PROBES);
}

void
sock_reset_on_close(int fd, bool resets)
{
	struct linger l = {.l_onoff = resets, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

bool
sock_is_hung_up(int fd)
{
	struct pollfd p = {.fd = fd};

	return poll(&p, 1, 0) > 0 && (p.revents & POLLHUP) != 0;
}

bool
sock_reports_acks(int fd)
{
	struct os_tcp tcp;
	int bytes;

	return ioctl(fd, TIOCOUTQ, &bytes) == 0 || os_tcp_info(fd, &tcp);
}

bool
sock_is_acked(int fd)
{
	struct os_tcp tcp;
	struct addr peer;

	if (os_tcp_info(fd, &tcp))
		return (tcp.segments == 0 && !tcp.is_unsent) || tcp.is_closed;
	/* The send queue of a lost connection is never emptied. */
	sock_remote(fd, &peer);
	return sock_unacked_bytes(fd) == 0 || peer.len == 0;
}

uint64_t
sock_unacked_bytes(int fd)
{
	int bytes;

	/* On a Unix socket they have reached the peer, which has not read them
	 * yet. */
	return ioctl(fd, TIOCOUTQ, &bytes) < 0 || bytes <= 0 || sock_is_unix(fd)
		   ? 0
		   : (uint64_t)bytes;
}

struct deadline
sock_recheck(int64_t since_ns)
{
	int64_t ms = (clock_now() - since_ns) / CLOCK_MS + 1;

	return deadline_after(ms < MAX_RECHECK_MS ? ms : MAX_RECHECK_MS);
}

void
sock_close_note(int *fd, const char *note)
{
	int saved = errno, result;
	int64_t start = step_start();

	if (*fd >= 0) {
		result = close(*fd);
		step("close", start, result,
		    note != NULL ? note : "the system frees the socket", "%s",
		    step_name_of(*fd));
		step_name(*fd, NULL, 0);
	}
	*fd = -1;
	errno = saved;
}

void
sock_close(int *fd)
{
	sock_close_note(fd, NULL);
}

void
sock_abort(int *fd)
{
	struct addr remote = {.len = 0};

	if (*fd < 0)
		return;
	sock_reset_on_close(*fd, true);
	if (step_is_on())
		sock_remote(*fd, &remote);
	sock_close_note(fd,
	    remote.len == 0 ? NULL : "sends RST: what was not sent is dropped");
}

bool
sock_is_self_connect(int fd)
{
	struct addr local, remote;

	sock_local(fd, &local);
	sock_remote(fd, &remote);
	return !addr_is_unix(&local) && local.len != 0 &&
	       addr_equal(&local, &remote);
}

bool
sock_is_dual(int fd)
{
	return sock_int(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0;
}

bool
sock_is_unix(int fd)
{
	struct addr local;

	sock_local(fd, &local);
	return addr_is_unix(&local);
}

int
sock_discard(int fd, uint64_t *dropped)
{
	char drop[64 * 1024];
	ssize_t n = sock_recv(fd, drop, sizeof(drop), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -1;
	*dropped += (size_t)n;
	return n == 0 ? 0 : *dropped < DRAIN_BYTES ? 1 : -1;
}
