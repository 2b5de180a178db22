/* Datagrams: a client's socket, receiving and sending, errors of sending. */
#include "udp/dgram.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/step.h"
#include "base/text.h"
#include "net/icmp.h"
#include "net/os.h"
#include "net/port_owner.h"
#include "net/sock.h"
#include "net/wait.h"

/* The maximum payload: 65535 bytes minus the headers of IPv4 and UDP, or minus
 * the header of UDP alone. */
#define MAX_PAYLOAD_IP4 65507
#define MAX_PAYLOAD_IP6 65527
/* The sum of the headers of IP and UDP. */
#define HEADERS_IP4 28
#define HEADERS_IP6 48

/* The limits of a run: its bytes, which leave space for the header of IPv6, and
 * its datagrams, the smallest UDP_MAX_SEGMENTS of any kernel. */
#define MAX_RUN_BYTES 65000
#define MAX_RUN_COUNT 64

/* The size to which the receive buffer is raised, if the system permits. */
#define MAX_RCVBUF (16 * 1024 * 1024)

/* A datagram without space is tried again this many times, after a millisecond
 * each. */
#define UNSENT_MS 20

/*
 * Binds the local address. A unix client's socket is bound to an abstract name
 * where the system can choose one (unix(7), Linux), otherwise to a path in the
 * directory for temporary files. Returns 0, or -1 with errno.
 */
static int
bind_local(int fd, const struct addr *peer, const struct dgram_options *o)
{
	const char *dir = getenv("TMPDIR");
	struct addr local = o->sock->source;
	static unsigned number;
	char path[100];
	struct err e;

	if (addr_is_unix(peer)) {
		local = (struct addr){.len = sizeof(local.u.sa.sa_family)};
		local.u.sa.sa_family = AF_UNIX;
		if (sock_bind(fd, &local) == 0)
			return 0;
		snprintf(path, sizeof(path), "%s/sockt.%ld.%u",
		    dir != NULL && strlen(dir) < 64 ? dir : "/tmp",
		    (long)getpid(), number++);
		errno = EINVAL;
		return addr_unix(&local, path, &e) < 0 ? -1
						       : sock_bind(fd, &local);
	}
	/* Sending would bind an unconnected socket. */
	if (local.len == 0 && o->sock->source_port == 0 && !o->unconnected)
		return 0;
	if (local.len == 0)
		addr_any(&local, addr_family(peer), 0);
	addr_set_port(&local, (uint16_t)o->sock->source_port);
	errno = EAFNOSUPPORT;
	return addr_family(&local) == addr_family(peer) ? sock_bind(fd, &local)
							: -1;
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
	static const struct sock_option broadcast = {SOL_SOCKET, SO_BROADCAST,
	    "SO_BROADCAST", "permits sending to broadcast addresses", NULL};

	return sock_set_int(fd, &broadcast, 1);
}

static int
set_no_fragment(int fd, int family)
{
#if defined(IP_MTU_DISCOVER) && defined(IPV6_MTU_DISCOVER) && \
    defined(IP_PMTUDISC_DO)
	static const char note[] = "never fragments packets";
	static const struct sock_option discover[] = {
	    {IPPROTO_IP, IP_MTU_DISCOVER, "IP_MTU_DISCOVER", note, NULL},
	    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, "IPV6_MTU_DISCOVER", note, NULL}};

	return sock_set_int(fd, &discover[family == AF_INET6], IP_PMTUDISC_DO);
#else
	(void)fd;
	(void)family;
	errno = ENOTSUP;
	return -1;
#endif
}

size_t
dgram_path_mtu(int fd, int family)
{
	int mtu = 0;
#if defined(IP_MTU) && defined(IPV6_MTU)
	mtu = family == AF_INET6 ? sock_int(fd, IPPROTO_IPV6, IPV6_MTU)
				 : sock_int(fd, IPPROTO_IP, IP_MTU);
#else
	(void)fd;
	(void)family;
#endif
	return mtu > 48 ? (size_t)mtu : 0;
}

/* Sets *e to "cannot use local port 9999: ..." or the like. Returns -1. */
static int
local_error(const struct addr *peer, const struct sock_options *o, int errnum,
    struct err *e)
{
	const char *ip = "", *port = "", *owner = NULL;
	struct addr local = o->source;
	int cause = errnum;

	if (local.len == 0)
		addr_any(&local, addr_family(peer), 0);
	else
		ip = text_format(" address %s", addr_ip_text(&local));
	addr_set_port(&local, (uint16_t)o->source_port);
	if (o->source_port != 0)
		port = text_format(" port %d", (int)o->source_port);
	if (errnum == EACCES)
		cause = CAUSE_LOW_PORT;
	if (errnum == EAFNOSUPPORT)
		cause = CAUSE_OTHER_FAMILY;
	if (errnum == EADDRINUSE && !addr_is_unix(peer))
		owner = port_owner_find(&local, SOCK_DGRAM);
	if (owner != NULL)
		err_set(e, ERR_LOCAL, "cannot use local%s%s: %s (held by %s)",
		    ip, port, err_find(errnum, ERR_AT_LOCAL)->reason, owner);
	else
		err_sys(e, ERR_LOCAL, cause, "cannot use local%s%s", ip, port);
	e->errnum = errnum;
	return err_prefix(e, "%s", addr_text(peer));
}

/* Opens a socket for the peer, sets its options, binds and connects it. Returns
 * the fd, or -1 with *e. */
static int
open_socket(
    const struct addr *peer, const struct dgram_options *o, struct err *e)
{
	int family = addr_family(peer), fd = sock_open(family, SOCK_DGRAM);
	int result;
	int64_t start;

	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "%s", addr_text(peer));
	step_name(fd, "the datagram socket", 0);
	result = sock_set(fd, family, o->sock, e);
	if (o->raise_buffer && o->sock->rcvbuf < 0)
		dgram_raise_rcvbuf(fd);
	if (result == 0 && o->broadcast && set_broadcast(fd) < 0)
		result = err_sys(e, ERR_LOCAL, errno, "--broadcast");
	if (result == 0 && o->no_fragment && family != AF_UNIX &&
	    set_no_fragment(fd, family) < 0)
		result = err_sys(e, ERR_LOCAL, errno, "--no-fragment");
	if (!o->unconnected)
		(void)os_receive_errors(fd, family, true);
	if (result == 0 && addr_is_multicast(peer))
		result = multicast_set(fd, family, &o->group, e);
	if (result == 0 && bind_local(fd, peer, o) < 0)
		result = local_error(peer, o->sock, errno, e);
	if (result == 0 && !o->unconnected) {
		start = step_start();
		result = connect(fd, &peer->u.sa, peer->len);
		/* This is how the system says that no port is free. */
		if (result < 0 && errno == EAGAIN)
			errno = EADDRNOTAVAIL;
		step("connect", start, result,
		    "nothing is sent: the system notes the peer, drops "
		    "datagrams of others and reports refusals",
		    "%s to %s", step_name_of(fd), addr_text(peer));
		if (result < 0)
			dgram_send_error(fd, peer, 0, NULL, e);
	}
	if (result < 0)
		dgram_close(&fd);
	return fd;
}

int
dgram_open(
    const struct addr *peer, const struct dgram_options *o, struct err *e)
{
	int first = open_socket(peer, o, e), fd = -1;
	struct addr local;

	if (first < 0 || addr_is_unix(peer) ||
	    (o->unconnected && o->sock->source_port != 0))
		return first;
	sock_local(first, &local);
	if (o->unconnected ? addr_port(&local) != addr_port(peer)
			   : !addr_equal(&local, peer))
		return first;
	/*
	 * The socket would be its own peer, and receive what it sends as the
	 * reply. It keeps its port until a new socket has got a different one.
	 */
	if (o->sock->source_port == 0) {
		fd = open_socket(peer, o, e);
	} else {
		err_cause(e, ERR_AT_UDP, CAUSE_SELF_CONNECT);
		err_prefix(e, "%s", addr_text(peer));
	}
	sock_close(&first);
	return fd;
}

void
dgram_close(int *fd)
{
	struct addr local;

	if (*fd < 0)
		return;
	sock_local(*fd, &local);
	sock_close(fd);
	if (addr_has_path(&local))
		(void)unlink(local.u.un.sun_path);
}

struct dgram *
dgram_new(void)
{
	size_t i, n = DGRAM_MAX_RECEIVE;
	struct dgram *d = mem_array(n, sizeof(*d) + DGRAM_PAYLOAD_SIZE);
	unsigned char *storage = (unsigned char *)(d + n);

	for (i = 0; i < n; i++) {
		d[i].bytes = storage + i * DGRAM_PAYLOAD_SIZE;
		d[i].size = DGRAM_PAYLOAD_SIZE;
	}
	return d;
}

/*
 * Reports as a step of -vv that a call moved d, or that it failed with errno.
 */
static void
report(struct step_transfer *t, const struct dgram *d, bool failed)
{
	struct addr peer = d->remote;

	if (!step_is_on())
		return;
	addr_unmap(&peer);
	t->is_dgram = true;
	t->done = failed ? -1 : (ssize_t)d->length;
	if (!failed && peer.len != 0)
		t->peer = addr_text(&peer);
	if (!failed && !t->is_send && d->full > d->length)
		t->note = "one datagram, which was truncated";
	step_transfer(t);
	/* The same call may have moved the next datagram. */
	t->start_ns = step_start();
}

/* Where a system lacks one of these, no datagram comes with it. */
#ifndef IP_PKTINFO
#define IP_PKTINFO (-1)
#endif
#ifndef IPV6_PKTINFO
#define IPV6_PKTINFO (-1)
#endif
#ifndef IPV6_RECVPKTINFO
#define IPV6_RECVPKTINFO (-1)
#endif

/* Storage for the control messages of one datagram. */
union control {
	struct cmsghdr align;
	char bytes[96];
};

/* Their addresses: in_pktinfo of ip(7), which not every system has, and
 * in6_pktinfo of RFC 3542 6.1. Strict headers hide them. */
struct ip4_info {
	int interface;
	struct in_addr local, destination;
};
struct ip6_info {
	struct in6_addr address;
	unsigned interface;
};

void
dgram_request_destination(int fd)
{
	/* A dual-stack socket needs both. */
	(void)sock_set_quietly(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	(void)sock_set_quietly(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

/*
 * Sets *local to the destination of a received datagram; len 0: unknown. A
 * dual-stack socket reports both kinds for IPv4. IPv4's is better: it names an
 * address of this machine even if the datagram was a broadcast.
 */
static void
read_destination(struct msghdr *m, struct addr *local)
{
	struct ip6_info info6;
	struct ip4_info info;
	struct cmsghdr *c;

	local->len = 0;
	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			addr_any(local, AF_INET, 0);
			local->u.in4.sin_addr = info.local;
			/* The destination is not known for datagrams that were
			 * queued before the option was set, on an inherited
			 * socket. */
			if (addr_is_any(local) &&
			    ntohl(info.destination.s_addr) >> 28 != 14 &&
			    info.destination.s_addr != htonl(INADDR_BROADCAST))
				local->u.in4.sin_addr = info.destination;
			return;
		}
		if (c->cmsg_level != IPPROTO_IPV6 ||
		    c->cmsg_type != IPV6_PKTINFO)
			continue;
		memcpy(&info6, CMSG_DATA(c), sizeof(info6));
		if (IN6_IS_ADDR_MULTICAST(&info6.address))
			continue;
		addr_any(local, AF_INET6, 0);
		local->u.in6.sin6_addr = info6.address;
		if (IN6_IS_ADDR_LINKLOCAL(&info6.address))
			local->u.in6.sin6_scope_id = info6.interface;
	}
}

static void
add_control(
    struct msghdr *m, int level, int type, const void *value, size_t size)
{
	struct cmsghdr *c =
	    (void *)((char *)m->msg_control + m->msg_controllen);

	memset(c, 0, CMSG_SPACE(size));
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = (socklen_t)CMSG_LEN(size);
	memcpy(CMSG_DATA(c), value, size);
	m->msg_controllen += (socklen_t)CMSG_SPACE(size);
}

/* Receives one datagram. Returns 0, or -1 with errno. */
static int
receive_one(int fd, struct dgram *d)
{
	struct iovec payload = {.iov_base = d->bytes, .iov_len = d->size};
	union control control;
	struct msghdr m = {.msg_name = &d->remote.u,
	    .msg_namelen = sizeof(d->remote.u),
	    .msg_iov = &payload,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	struct step_transfer step = {.fd = fd, .start_ns = step_start()};
	/* With MSG_TRUNC, Linux returns the length of the whole datagram. */
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_TRUNC);

	if (n >= 0) {
		d->full = (size_t)n;
		d->length = d->full < d->size ? d->full : d->size;
		if (m.msg_flags & MSG_TRUNC && d->full <= d->size)
			d->full = SIZE_MAX;
		d->remote.len = m.msg_namelen;
		read_destination(&m, &d->local);
	}
	/* A call that finds no datagram is not a step. */
	if (n >= 0 || errno != EAGAIN)
		report(&step, d, n < 0);
	return n < 0 ? -1 : 0;
}

int
dgram_receive(int fd, struct dgram *d, int count)
{
	int n = 0;

	while (n < count && receive_one(fd, &d[n]) == 0)
		n++;
	return n > 0 ? n : -1;
}

/*
 * The kernel or the network card can split one message into a run of datagrams
 * with the same length and endpoints. Returns the number of datagrams in the
 * first run.
 */
static int
run_count(const struct dgram *d, int count)
{
	int n = 1;

	while (n < count && n < MAX_RUN_COUNT && d->length > 0 &&
	       d[n].length == d->length &&
	       (size_t)(n + 1) * d->length <= MAX_RUN_BYTES &&
	       d[n].remote.len == d->remote.len &&
	       d[n].local.len == d->local.len &&
	       memcmp(&d[n].remote.u, &d->remote.u, d->remote.len) == 0 &&
	       memcmp(&d[n].local.u, &d->local.u, d->local.len) == 0)
		n++;
	return n;
}

/*
 * Sends a run of count datagrams, from d->local; more than one with
 * os_segment_type(). Returns 0, or -1 with errno.
 */
static int
send_run(int fd, const struct dgram *d, int count, int segment)
{
	const struct addr *local = &d->local;
	const struct ip4_info info = {.local = local->u.in4.sin_addr};
	const struct ip6_info info6 = {
	    local->u.in6.sin6_addr, local->u.in6.sin6_scope_id};
	const uint16_t length = (uint16_t)d->length;
	struct iovec payloads[MAX_RUN_COUNT];
	union control control;
	struct msghdr m = {.msg_iov = payloads,
	    .msg_iovlen = (size_t)count,
	    .msg_control = &control};
	struct step_transfer step = {
	    .fd = fd, .is_send = true, .start_ns = step_start()};
	int i, result;

	for (i = 0; i < count; i++) {
		payloads[i].iov_base = d[i].bytes;
		payloads[i].iov_len = d[i].length;
	}
	if (d->remote.len != 0) {
		m.msg_name = (void *)&d->remote.u;
		m.msg_namelen = d->remote.len;
	}
	if (addr_family(local) == AF_INET)
		add_control(&m, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	if (addr_family(local) == AF_INET6)
		add_control(
		    &m, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
	if (count > 1)
		add_control(&m, IPPROTO_UDP, segment, &length, sizeof(length));
	result = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
	for (i = 0; i < (result < 0 ? 1 : count); i++)
		report(&step, &d[i], result < 0);
	return result;
}

int
dgram_send(int fd, const struct dgram *d, int count)
{
	int segment = count > 1 ? os_segment_type(fd) : 0, n, sent = 0;

	while (sent < count) {
		n = segment != 0 ? run_count(d + sent, count - sent) : 1;
		if (send_run(fd, d + sent, n, segment) == 0) {
			sent += n;
			continue;
		}
		/* The path or the card may not support runs. */
		if (n == 1 ||
		    (errno != EINVAL && errno != EIO && errno != EMSGSIZE &&
			errno != EOPNOTSUPP && errno != ENOPROTOOPT))
			break;
		segment = 0;
	}
	return sent > 0 ? sent : -1;
}

int
dgram_send_retry(int fd, const struct dgram *d, int count, int *tries)
{
	int n;

	for (;;) {
		n = dgram_send(fd, d, count);
		if (n >= 0) {
			*tries = 0;
			return n;
		}
		if (errno == EINTR)
			continue;
		/*
		 * poll(2) reports space neither in the queue of a unix peer,
		 * nor in the queue of a network card.
		 */
		if ((errno != EAGAIN && errno != ENOBUFS) ||
		    *tries >= UNSENT_MS)
			return -1;
		++*tries;
		if (wait_until(deadline_after(1)) < 0)
			*tries = UNSENT_MS;
	}
}

int
dgram_icmp_error(int fd, struct os_error *icmp)
{
	int error, first = sock_error(fd);
	struct os_error q;

	icmp->errnum = 0;
	while (os_next_error(fd, &q)) {
		/* The call that caused a local error has returned it. */
		error = q.family != 0 ? q.errnum : 0;
		if (icmp->errnum == 0 && error != 0 && error != EMSGSIZE)
			*icmp = q;
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
	size_t max = is_ip4 ? MAX_PAYLOAD_IP4 : MAX_PAYLOAD_IP6;
	size_t path = dgram_path_mtu(fd, addr_family(peer));
	const char *text = addr_text(peer);

	if (length > max && !addr_is_unix(peer))
		return err_set(e, ERR_USAGE,
		    "%s: a datagram of %zu bytes is too long: UDP over %s "
		    "carries %zu at most",
		    text, length, is_ip4 ? "IPv4" : "IPv6", max);
	if (path == 0)
		return err_set(e, ERR_LOCAL,
		    "%s: a datagram of %zu bytes is longer than %s", text,
		    length,
		    addr_is_unix(peer) ? "the socket's send buffer"
				       : "the path carries");
	return err_set(e, ERR_LOCAL,
	    "%s: a datagram of %zu bytes is too long for the path, which "
	    "carries %zu at most",
	    text, length, path - (is_ip4 ? HEADERS_IP4 : HEADERS_IP6));
}

int
dgram_send_error(int fd, const struct addr *peer, size_t length,
    const struct os_error *icmp, struct err *e)
{
	const char *reason = NULL;
	int errnum = errno;

	if (icmp != NULL && icmp->errnum != 0) {
		errnum = icmp->errnum;
		reason = icmp_text(icmp, peer, ERR_AT_UDP);
	}
	if (errnum == EMSGSIZE) {
		too_long(fd, peer, length, e);
		e->errnum = EMSGSIZE;
		return -1;
	}
	if (addr_is_unix(peer) && errnum == ECONNREFUSED &&
	    addr_is_other_file(peer))
		errnum = CAUSE_NOT_A_SOCKET;
	/* If SO_BROADCAST lets it connect, it is a broadcast address. */
	else if (errnum == EACCES && !addr_is_unix(peer) && reason == NULL &&
		 set_broadcast(fd) == 0 &&
		 connect(fd, &peer->u.sa, peer->len) == 0)
		errnum = CAUSE_NO_BROADCAST;
	else if (errnum == EINVAL && addr_lacks_scope(peer))
		errnum = CAUSE_NO_INTERFACE;
	err_cause(e, addr_is_unix(peer) ? ERR_AT_UNIX : ERR_AT_UDP, errnum);
	if (reason != NULL)
		snprintf(e->text, sizeof(e->text), "%s", reason);
	return err_prefix(e, "%s", addr_text(peer));
}
