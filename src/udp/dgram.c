/* The socket of a datagram client, and the errors of sending. */
#include "udp/dgram.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/step.h"
#include "base/err.h"
#include "net/sockopt.h"
#include "net/os.h"
#include "net/port_owner.h"
#include "net/unix_path.h"
#include "udp/multicast.h"

/* 65535 minus the headers of IPv4 and UDP, and minus that of UDP only. */
#define MAX_PAYLOAD_IP4 65507
#define MAX_PAYLOAD_IP6 65527
/* The headers of IP and UDP. */
#define HEADERS_IP4 28
#define HEADERS_IP6 48

/* The size to which the receive buffer is raised, if the system permits. */
#define MAX_RCVBUF (16 * 1024 * 1024)

/* The path that the socket is bound to, removed on close; "": none. */
static char bound_path[100];

/*
 * Binds a unix client's socket: to an abstract name where the system can choose
 * one (unix(7), Linux), otherwise to a path in the directory for temporary
 * files.
 */
static int
bind_unix(int fd)
{
	const char *dir = getenv("TMPDIR");
	struct addr local;
	struct err e;
	char path[sizeof(bound_path)];

	if (os_autobind(fd) == 0)
		return 0;
	snprintf(path, sizeof(path), "%s/sockt.%ld",
	    dir != NULL && strlen(dir) < 64 ? dir : "/tmp", (long)getpid());
	if (addr_unix(&local, path, &e) < 0) {
		errno = EINVAL;
		return -1;
	}
	if (sock_bind(fd, &local) < 0)
		return -1;
	memcpy(bound_path, path, sizeof(path));
	return 0;
}

static int
bind_local(int fd, const struct addr *peer, const struct dgram_options *o)
{
	struct addr local = o->source;

	if (addr_is_unix(peer))
		return bind_unix(fd);
	if (local.len == 0 && o->source_port == 0)
		return 0;
	if (local.len == 0)
		addr_any(&local, addr_family(peer), 0);
	addr_set_port(&local, o->source_port);
	if (addr_family(&local) != addr_family(peer)) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return sock_bind(fd, &local);
}

/* Connects a datagram socket, which sends no packet. */
static int
connect_peer(int fd, const struct addr *peer)
{
	int64_t start = step_start();
	char text[ADDR_TEXT];
	int result = connect(fd, &peer->u.sa, peer->len);

	if (step_is_on())
		step_report(
		    &(struct step){.call = "connect",
			.start_ns = start,
			.errnum = result < 0 ? errno : 0,
			.note = "nothing is sent: the system notes the peer, "
				"drops datagrams of others and reports "
				"refusals"},
		    "%s to %s", step_name_of(fd),
		    addr_format(peer, text, sizeof(text)));
	return result;
}

void
dgram_raise_rcvbuf(int fd)
{
	int wanted = MAX_RCVBUF, result = -1;

#ifdef SO_RCVBUFFORCE
	result =
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof(wanted));
#endif
	/* Some systems reject a value above their limit: try smaller ones. */
	for (; result < 0 && wanted >= 65536; wanted /= 2)
		result = setsockopt(
		    fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof(wanted));
}

static int
set_broadcast(int fd)
{
	static const struct sockopt broadcast = {SOL_SOCKET, SO_BROADCAST,
	    "SO_BROADCAST", "permits sending to broadcast addresses", NULL};

	return sockopt_set(fd, &broadcast, 1);
}

static int
set_no_fragment(int fd, int family)
{
#if defined(IP_MTU_DISCOVER) && defined(IPV6_MTU_DISCOVER)
#ifdef IP_PMTUDISC_DO
	static const struct sockopt discover = {IPPROTO_IP, IP_MTU_DISCOVER,
	    "IP_MTU_DISCOVER", "never fragments packets", NULL};
	static const struct sockopt discover6 = {IPPROTO_IPV6,
	    IPV6_MTU_DISCOVER, "IPV6_MTU_DISCOVER", "never fragments packets",
	    NULL};

	return sockopt_set(
	    fd, family == AF_INET6 ? &discover6 : &discover, IP_PMTUDISC_DO);
#endif
#endif
	(void)fd;
	(void)family;
	errno = ENOTSUP;
	return -1;
}

size_t
dgram_path_mtu(int fd, int family)
{
	int mtu = 0;
#if defined(IP_MTU) && defined(IPV6_MTU)
	static const struct sockopt option = {IPPROTO_IP, IP_MTU, "IP_MTU",
	    "the largest packet that the path carries", NULL};
	static const struct sockopt option6 = {IPPROTO_IPV6, IPV6_MTU,
	    "IPV6_MTU", "the largest packet that the path carries", NULL};

	(void)sockopt_get(fd, family == AF_INET6 ? &option6 : &option, &mtu);
#else
	(void)fd;
	(void)family;
#endif
	return mtu > 48 ? (size_t)mtu : 0;
}

/* Sets the options of a client's socket. Returns 0, or -1 with *e. */
static int
set_options(int fd, int family, const struct dgram_options *o, struct err *e)
{
	if (sock_set(fd, family, &o->sock, e) < 0)
		return -1;
	if (o->raise_buffer && o->sock.rcvbuf < 0)
		dgram_raise_rcvbuf(fd);
	if (o->broadcast && set_broadcast(fd) < 0)
		return err_sys(e, ERR_LOCAL, errno, "--broadcast");
	if (o->no_fragment && family != AF_UNIX &&
	    set_no_fragment(fd, family) < 0)
		return err_sys(e, ERR_LOCAL, errno, "--no-fragment");
	return o->group == NULL ? 0 : multicast_set(fd, family, o->group, e);
}

/* Sets *e to "cannot use local port 9999: ..." or the like. Returns -1. */
static int
local_error(const struct addr *peer, const struct dgram_options *o, int errnum,
    struct err *e)
{
	char text[ADDR_TEXT], owner[256], port[16] = "", ip[ADDR_TEXT] = "";
	struct addr local = o->source;
	int cause = errnum;

	if (local.len == 0)
		addr_any(&local, addr_family(peer), 0);
	else
		snprintf(ip, sizeof(ip), " address %s",
		    addr_format_ip(&local, text, sizeof(text)));
	addr_set_port(&local, o->source_port);
	if (o->source_port != 0)
		snprintf(port, sizeof(port), " port %u", o->source_port);
	if (errnum == EACCES)
		cause = CAUSE_LOW_PORT;
	if (errnum == EAFNOSUPPORT)
		cause = CAUSE_OTHER_FAMILY;
	if (errnum == EADDRINUSE && !addr_is_unix(peer) &&
	    port_owner_find(&local, SOCK_DGRAM, owner, sizeof(owner)))
		err_set(e, ERR_LOCAL, "cannot use local%s%s: %s (held by %s)",
		    ip, port, err_reason(errnum, ERR_AT_LOCAL), owner);
	else
		err_sys(e, ERR_LOCAL, cause, "cannot use local%s%s", ip, port);
	e->errnum = errnum;
	return err_prefix(e, "%s", addr_format(peer, text, sizeof(text)));
}

int
dgram_open(
    const struct addr *peer, const struct dgram_options *o, struct err *e)
{
	int family = addr_family(peer);
	char text[ADDR_TEXT];
	int fd = sock_open(family, SOCK_DGRAM);

	addr_format(peer, text, sizeof(text));
	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "%s", text);
	step_name(fd, "the datagram socket", 0);
	if (set_options(fd, family, o, e) < 0) {
		dgram_close(&fd);
		return -1;
	}
	if (!o->unconnected)
		os_receive_errors(fd, family);
	if (bind_local(fd, peer, o) < 0) {
		local_error(peer, o, errno, e);
		dgram_close(&fd);
		return -1;
	}
	if (!o->unconnected && connect_peer(fd, peer) < 0) {
		dgram_send_error(fd, peer, 0, e);
		dgram_close(&fd);
	}
	return fd;
}

void
dgram_close(int *fd)
{
	if (*fd < 0)
		return;
	sock_close(fd);
	if (bound_path[0] != '\0')
		(void)unlink(bound_path);
	bound_path[0] = '\0';
}

int
dgram_icmp_error(int fd)
{
	int error, first = sock_error(fd);
	struct os_error q;

	while (os_next_error(fd, &q)) {
		/* The call that caused a local error has returned it. */
		error = q.by_icmp || q.by_icmp6 ? q.errnum : 0;
		if (first == 0 || (first == EMSGSIZE && error != 0))
			first = error;
	}
	/* The kernel may have made the next error of the queue pending. */
	error = sock_error(fd);
	return first == 0 || (first == EMSGSIZE && error != 0) ? error : first;
}

/* Sets the error "too long" for the protocol, the path, or the send buffer. */
static int
too_long(int fd, const struct addr *peer, size_t length, struct err *e)
{
	bool is_ip4 = addr_family(peer) == AF_INET;
	size_t max = is_ip4 ? MAX_PAYLOAD_IP4 : MAX_PAYLOAD_IP6, path;
	char text[ADDR_TEXT];

	addr_format(peer, text, sizeof(text));
	e->errnum = EMSGSIZE;
	if (addr_is_unix(peer))
		return err_set(e, ERR_LOCAL,
		    "%s: a datagram of %zu bytes is longer than the socket's "
		    "send buffer",
		    text, length);
	if (length > max)
		return err_set(e, ERR_LOCAL,
		    "%s: a datagram of %zu bytes is too long: UDP over %s "
		    "carries %zu at most",
		    text, length, is_ip4 ? "IPv4" : "IPv6", max);
	path = dgram_path_mtu(fd, addr_family(peer));
	if (path == 0)
		return err_sys(e, ERR_LOCAL, EMSGSIZE,
		    "%s: a datagram of %zu bytes", text, length);
	return err_set(e, ERR_LOCAL,
	    "%s: a datagram of %zu bytes is too long for the path, which "
	    "carries %zu at most",
	    text, length, path - (is_ip4 ? HEADERS_IP4 : HEADERS_IP6));
}

/* Whether SO_BROADCAST lets fd connect: the peer is a broadcast address. */
static bool
lacks_broadcast(int fd, const struct addr *peer)
{
	return set_broadcast(fd) == 0 &&
	       connect(fd, &peer->u.sa, peer->len) == 0;
}

int
dgram_send_error(int fd, const struct addr *peer, size_t length, struct err *e)
{
	int errnum = errno;
	char text[ADDR_TEXT];

	if (errnum == EMSGSIZE)
		return too_long(fd, peer, length, e);
	addr_format(peer, text, sizeof(text));
	if (addr_is_unix(peer))
		return err_at(e, ERR_AT_UNIX,
		    errnum == ECONNREFUSED && unix_path_is_other(peer)
			? CAUSE_NOT_A_SOCKET
			: errnum,
		    "%s", text);
	if (errnum == EACCES && lacks_broadcast(fd, peer))
		errnum = CAUSE_NO_BROADCAST;
	return err_at(e, ERR_AT_UDP, errnum, "%s", text);
}
