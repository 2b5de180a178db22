/* Sockets: opening, options, state, and the ways to close one. */
#include "net/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/backoff.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "net/os.h"
#include "net/wait.h"

/* The longest pause between two checks for acknowledgements. */
#define MAX_RECHECK_MS 32

/* The wait for acknowledgements on systems that do not report them. */
#define BLIND_ACK_MS 2000

/* Keepalive: seconds between probes, and how many may go unanswered. */
#define PROBE_SECONDS 2
#define PROBES 15

/* A word for the family and type. */
static const char *
kind(int family, int type)
{
	bool is_stream = type == SOCK_STREAM;

	switch (family) {
	case AF_INET:
		return is_stream ? "IPv4 TCP" : "IPv4 UDP";
	case AF_INET6:
		return is_stream ? "IPv6 TCP" : "IPv6 UDP";
	default:
		return is_stream ? "unix stream" : "unix datagram";
	}
}

int
sock_open(int family, int type)
{
	int64_t start = diag_step_start();
	int fd = os_socket(family, type);

	diag_step("socket", start, fd < 0 ? errno : 0,
	    "an endpoint, not yet bound or connected", "%s",
	    kind(family, type));
	return fd;
}

/* One integer option and what to call it when it fails. */
static int
set_int(
    int fd, int level, int name, int64_t value, const char *what, struct err *e)
{
	int n = (int)value;

	if (setsockopt(fd, level, name, &n, sizeof(n)) == 0)
		return 0;
	return err_sys(e, ERR_LOCAL, errno, "%s %d", what, n);
}

/*
 * An IPv6 socket that takes IPv4 too has both kinds of options. One that does
 * not may refuse IPv4's, and does not need them.
 */
static void
set_mapped(int fd, const struct sock_options *o)
{
	struct err ignored;

#ifdef IP_TOS
	if (o->tos >= 0)
		set_int(fd, IPPROTO_IP, IP_TOS, o->tos, "--tos", &ignored);
#endif
#ifdef IP_TTL
	if (o->ttl >= 0)
		set_int(fd, IPPROTO_IP, IP_TTL, o->ttl, "--ttl", &ignored);
#endif
}

/* The options that belong to IPv4 and IPv6 under different names. */
static int
set_ip(int fd, int family, const struct sock_options *o, struct err *e)
{
	bool is_ip6 = family == AF_INET6;
	int level = is_ip6 ? IPPROTO_IPV6 : IPPROTO_IP;

#if defined(IP_TOS) && defined(IPV6_TCLASS)
	if (o->tos >= 0 && set_int(fd, level, is_ip6 ? IPV6_TCLASS : IP_TOS,
			       o->tos, "--tos", e) < 0)
		return -1;
#endif
#ifdef IP_TTL
	if (o->ttl >= 0 &&
	    set_int(fd, level, is_ip6 ? IPV6_UNICAST_HOPS : IP_TTL, o->ttl,
		"--ttl", e) < 0)
		return -1;
#endif
	if (is_ip6)
		set_mapped(fd, o);
	return 0;
}

int
sock_set(int fd, int family, const struct sock_options *o, struct err *e)
{
	if (o->rcvbuf >= 0 &&
	    set_int(fd, SOL_SOCKET, SO_RCVBUF, o->rcvbuf, "--rcvbuf", e) < 0)
		return -1;
	if (o->sndbuf >= 0 &&
	    set_int(fd, SOL_SOCKET, SO_SNDBUF, o->sndbuf, "--sndbuf", e) < 0)
		return -1;
	if (o->keepalive &&
	    set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "--keepalive", e) < 0)
		return -1;
	if (family == AF_UNIX)
		return 0;
	if (o->nodelay &&
	    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1, "--nodelay", e) < 0)
		return -1;
	return set_ip(fd, family, o, e);
}

int
sock_bind(int fd, const struct addr *a)
{
	int64_t start = diag_step_start();
	char text[ADDR_TEXT];
	int result = bind(fd, &a->u.sa, a->len);

	diag_step("bind", start, result < 0 ? errno : 0,
	    "gives the socket its own address and port", "%s",
	    addr_format(a, text, sizeof(text)));
	return result;
}

int
sock_nonblocking(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -1;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags);
}

void
sock_local(int fd, struct addr *a)
{
	memset(a, 0, sizeof(*a));
	a->len = sizeof(a->u);
	if (getsockname(fd, &a->u.sa, &a->len) < 0)
		a->len = 0;
	addr_unmap(a);
}

/* The address of the peer; as sock_local(). */
static void
remote_address(int fd, struct addr *a)
{
	memset(a, 0, sizeof(*a));
	a->len = sizeof(a->u);
	if (getpeername(fd, &a->u.sa, &a->len) < 0)
		a->len = 0;
	addr_unmap(a);
}

void
sock_set_nodelay(int fd, bool at_once)
{
	int on = at_once;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

bool
sock_is_nodelay(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	return getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len) == 0 &&
	       on != 0;
}

int
sock_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return errno;
	return error;
}

bool
sock_is_closed(int fd)
{
	struct os_tcp tcp;

	return os_tcp_info(fd, &tcp) && tcp.is_closed;
}

#if defined(TCP_KEEPIDLE) && defined(TCP_KEEPINTVL) && defined(TCP_KEEPCNT)
static void
set_probe_times(int fd)
{
	int seconds = PROBE_SECONDS, count = PROBES;

	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof(seconds));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}
#else
static void
set_probe_times(int fd)
{
	(void)fd;
}
#endif

void
sock_start_keepalive(int fd)
{
	int64_t start = diag_step_start();
	int on = 1;
	int result = setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));

	set_probe_times(fd);
	diag_step("setsockopt", start, result < 0 ? errno : 0,
	    "asks an idle peer whether it is still there",
	    "SO_KEEPALIVE, every %d s", PROBE_SECONDS);
}

void
sock_reset_on_close(int fd, bool resets)
{
	struct linger l = {.l_onoff = resets, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

bool
sock_is_acked(int fd)
{
	struct os_tcp tcp;

	if (os_tcp_info(fd, &tcp))
		return tcp.is_acknowledged || tcp.is_closed;
	return sock_unacked_bytes(fd) == 0;
}

uint64_t
sock_unacked_bytes(int fd)
{
	int bytes = 0;
	struct addr a;

	/* Between unix sockets what is counted is the peer's already: it has
	 * merely not read it yet. */
	sock_local(fd, &a);
	if (addr_family(&a) == AF_UNIX)
		return 0;
#ifdef TIOCOUTQ
	if (ioctl(fd, TIOCOUTQ, &bytes) < 0 || bytes < 0)
		bytes = 0;
#endif
	return (uint64_t)bytes;
}

void
sock_close(int *fd)
{
	int64_t start = diag_step_start();

	if (*fd < 0)
		return;
	/* Closing a socket that is open cannot fail, so errno stays. */
	close(*fd);
	*fd = -1;
	diag_step("close", start, 0, "gives the socket back", "of the socket");
}

void
sock_abort(int *fd)
{
	if (*fd < 0)
		return;
	sock_reset_on_close(*fd, true);
	fd_close(fd);
}

bool
sock_is_self_connect(int fd)
{
	struct addr local, remote;

	sock_local(fd, &local);
	remote_address(fd, &remote);
	return !addr_is_unix(&local) && local.len != 0 &&
	       addr_equal(&local, &remote);
}

/* Waits until the peer has acknowledged all, as long as it acknowledges some
 * within idle_ms. */
static void
wait_acked(int fd, int64_t idle_ms, struct deadline until)
{
	struct deadline idle = deadline_after(idle_ms);
	struct os_tcp tcp;
	uint64_t sent = 0;
	struct backoff pause = {.min = 1, .max = MAX_RECHECK_MS};

	if (!os_tcp_info(fd, &tcp)) {
		until = deadline_first(until, deadline_after(BLIND_ACK_MS));
		wait_fd(fd, 0, deadline_first(until, idle));
		return;
	}
	while (!tcp.is_acknowledged && !tcp.is_closed &&
	       !deadline_passed(deadline_first(until, idle))) {
		if (tcp.sent != sent)
			idle = deadline_after(idle_ms);
		sent = tcp.sent;
		if (wait_until(deadline_after(backoff_next(&pause))) < 0 ||
		    !os_tcp_info(fd, &tcp))
			return;
	}
}

bool
sock_is_unix(int fd)
{
	struct addr local;

	sock_local(fd, &local);
	return addr_is_unix(&local);
}

void
sock_abort_acked(int *fd, int64_t idle_ms, struct deadline until)
{
	if (*fd < 0)
		return;
	if (!sock_is_unix(*fd))
		wait_acked(*fd, idle_ms, until);
	sock_abort(fd);
}
