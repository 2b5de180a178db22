/* Sockets: opening, options, state, and the ways to close them. */
#include "net/sock.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/backoff.h"
#include "base/err.h"
#include "base/step.h"
#include "net/call.h"
#include "net/sockopt.h"
#include "net/os.h"
#include "net/wait.h"

/* The longest interval between checks for acknowledgements. */
#define MAX_RECHECK_MS 32

/* The wait for acknowledgements on systems that do not report them. */
#define BLIND_ACK_MS 2000

/* Keepalive: seconds between probes, and the limit of unanswered ones. */
#define PROBE_SECONDS 2
#define PROBES 15

int
sock_open(int family, int type)
{
	return call_socket(family, type);
}

/* Sets an integer option; flag is its name on the command line. */
static int
set_int(int fd, const struct sockopt *o, int64_t value, const char *flag,
    struct err *e)
{
	if (sockopt_set(fd, o, (int)value) == 0)
		return 0;
	return err_sys(e, ERR_LOCAL, errno, "%s %d", flag, (int)value);
}

#define TOS_NOTE "the class of service of its packets (--tos)"
#define TTL_NOTE "how many routers its packets may pass (--ttl)"

#ifdef IP_TOS
static const struct sockopt ip_tos = {
    IPPROTO_IP, IP_TOS, "IP_TOS", TOS_NOTE, NULL};
#endif
#ifdef IP_TTL
static const struct sockopt ip_ttl = {
    IPPROTO_IP, IP_TTL, "IP_TTL", TTL_NOTE, NULL};
#endif
#ifdef IPV6_TCLASS
static const struct sockopt ip6_class = {
    IPPROTO_IPV6, IPV6_TCLASS, "IPV6_TCLASS", TOS_NOTE, NULL};
#endif
static const struct sockopt ip6_ttl = {
    IPPROTO_IPV6, IPV6_UNICAST_HOPS, "IPV6_UNICAST_HOPS", TTL_NOTE, NULL};
static const struct sockopt receive_buffer = {SOL_SOCKET, SO_RCVBUF,
    "SO_RCVBUF", "bytes that may wait to be read, and so the TCP window", NULL};
static const struct sockopt send_buffer = {SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF",
    "bytes that may wait to be sent or acknowledged", NULL};
static const struct sockopt keepalive = {SOL_SOCKET, SO_KEEPALIVE,
    "SO_KEEPALIVE",
    "probes an idle peer, so that one that has vanished is "
    "noticed",
    NULL};

/*
 * A dual-stack IPv6 socket has the options of both families. Others may reject
 * IPv4's, and do not need them.
 */
static void
set_mapped(int fd, const struct sock_options *o)
{
#ifdef IP_TOS
	if (o->tos >= 0)
		(void)sockopt_set(fd, &ip_tos, (int)o->tos);
#endif
#ifdef IP_TTL
	if (o->ttl >= 0)
		(void)sockopt_set(fd, &ip_ttl, (int)o->ttl);
#endif
}

/* Sets the options that have different names for IPv4 and IPv6. */
static int
set_ip(int fd, int family, const struct sock_options *o, struct err *e)
{
	bool is_ip6 = family == AF_INET6;

#if defined(IP_TOS) && defined(IPV6_TCLASS)
	if (o->tos >= 0 &&
	    set_int(fd, is_ip6 ? &ip6_class : &ip_tos, o->tos, "--tos", e) < 0)
		return -1;
#endif
#ifdef IP_TTL
	if (o->ttl >= 0 &&
	    set_int(fd, is_ip6 ? &ip6_ttl : &ip_ttl, o->ttl, "--ttl", e) < 0)
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
	    set_int(fd, &receive_buffer, o->rcvbuf, "--rcvbuf", e) < 0)
		return -1;
	if (o->sndbuf >= 0 &&
	    set_int(fd, &send_buffer, o->sndbuf, "--sndbuf", e) < 0)
		return -1;
	if (o->keepalive && set_int(fd, &keepalive, 1, "--keepalive", e) < 0)
		return -1;
	if (family == AF_UNIX)
		return 0;
	sockopt_set_nodelay(fd);
	return set_ip(fd, family, o, e);
}

int
sock_bind(int fd, const struct addr *a)
{
	return call_bind(fd, a);
}

int
sock_nonblocking(int fd, bool on)
{
	return call_nonblocking(fd, on);
}

void
sock_local(int fd, struct addr *a)
{
	(void)call_getsockname(fd, a);
}

/* Sets an integer option that nobody asked for: it is not a step. */
static void
set_quietly(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

int
sock_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno
								      : error;
}

int
sock_connect_error(int fd, const struct addr *a)
{
	int errnum = sock_error(fd);
	struct os_error q;

	if (errnum != EHOSTUNREACH && errnum != ENETUNREACH)
		return errnum;
	while (os_next_error(fd, &q))
		if (q.is_prohibited && addr_equal(&q.to, a))
			return EACCES;
	return errnum;
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
	set_quietly(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
#if defined(TCP_KEEPIDLE) && defined(TCP_KEEPINTVL) && defined(TCP_KEEPCNT)
	set_quietly(fd, IPPROTO_TCP, TCP_KEEPIDLE, PROBE_SECONDS);
	set_quietly(fd, IPPROTO_TCP, TCP_KEEPINTVL, PROBE_SECONDS);
	set_quietly(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
#endif
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
	int bytes = call_unacked(fd);

	/*
	 * On a unix socket these bytes already reached the peer, which has not
	 * read them yet.
	 */
	return bytes == 0 || sock_is_unix(fd) ? 0 : (uint64_t)bytes;
}

/* close(2) that preserves errno; closing an open socket cannot fail. */
static void
close_socket(int *fd, const char *note)
{
	int saved = errno;

	if (*fd >= 0) {
		call_report_end(*fd);
		(void)call_close(*fd, note);
	}
	*fd = -1;
	errno = saved;
}

void
sock_close(int *fd)
{
	close_socket(fd, NULL);
}

void
sock_abort(int *fd)
{
	if (*fd < 0)
		return;
	sock_reset_on_close(*fd, true);
	close_socket(fd, "sends RST: what was not sent is dropped");
}

bool
sock_is_self_connect(int fd)
{
	struct addr local, remote;

	sock_local(fd, &local);
	(void)call_getpeername(fd, &remote);
	return !addr_is_unix(&local) && local.len != 0 &&
	       addr_equal(&local, &remote);
}

/*
 * Waits until the peer has acknowledged everything, or acknowledges nothing for
 * idle_ms.
 */
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
