/* Datagrams in batches: recvmmsg(2), sendmmsg(2) and UDP_SEGMENT (udp(7)). */
#include "udp/batch.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "net/addr.h"
#include "udp/dgram.h"

/* What SO_MEMINFO tells; see the kernel's linux/sock_diag.h, which a C library
 * of its own headers lacks. */
enum { SK_MEMINFO_DROPS = 8, SK_MEMINFO_VARS };

/* udp(7); not every C library has it. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* Most bytes that go as one piece; IPv6's header has to fit too. */
#define SEGMENTED_MOST 65000
/* Most datagrams of one: UDP_MAX_SEGMENTS where it is least. */
#define SEGMENTS_MOST 64

/* Room for what is told about one datagram: ip(7), RFC 3542 6.1, udp(7). */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) +
		   CMSG_SPACE(sizeof(struct in6_pktinfo)) +
		   CMSG_SPACE(sizeof(uint16_t))];
};

/* The arrays of recvmmsg(2) and sendmmsg(2), filled in anew by each call: too
 * large for a small stack. */
static struct batch {
	struct mmsghdr messages[DGRAM_SENDS];
	struct iovec pieces[DGRAM_SENDS];
	union control controls[DGRAM_SENDS];
} batch;

/* Old kernels lack the two calls, and a sandbox may deny them. From then on
 * each message takes a call of its own. */
static bool one_by_one;

/*
 * Whether a failed call of many is to be repeated one by one. EPERM is also a
 * firewall's answer, and only the call that every kernel has can tell.
 */
static bool
may_be_denied(int errnum)
{
	return !one_by_one && (errnum == ENOSYS || errnum == EPERM);
}

/* recvmmsg(2) by recvmsg(2). */
static int
receive_singly(int fd, struct mmsghdr *m, int count)
{
	ssize_t got;
	int n;

	for (n = 0; n < count; n++) {
		got = recvmsg(fd, &m[n].msg_hdr, MSG_DONTWAIT | MSG_TRUNC);
		if (got < 0)
			break;
		m[n].msg_len = (unsigned)got;
	}
	return n > 0 ? n : -1;
}

static int
receive_many(int fd, struct mmsghdr *m, int count)
{
	int n = -1;

	if (!one_by_one)
		n = recvmmsg(
		    fd, m, (unsigned)count, MSG_DONTWAIT | MSG_TRUNC, NULL);
	if (n < 0 && (one_by_one || may_be_denied(errno))) {
		one_by_one = true;
		n = receive_singly(fd, m, count);
	}
	return n;
}

/* sendmmsg(2) by sendmsg(2). */
static int
send_singly(int fd, const struct mmsghdr *m, int count)
{
	int n = 0;

	while (n < count &&
	       sendmsg(fd, &m[n].msg_hdr, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		n++;
	return n > 0 ? n : -1;
}

static int
send_many(int fd, struct mmsghdr *m, int count)
{
	int n = -1;

	if (!one_by_one)
		n = sendmmsg(
		    fd, m, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && (one_by_one || may_be_denied(errno))) {
		n = send_singly(fd, m, count);
		one_by_one = one_by_one || n > 0 || errno != EPERM;
	}
	return n;
}

/* The address that a datagram came to. A dual-stack socket tells both kinds
 * for IPv4; the plain one is better: it names an address of ours even where
 * the datagram was a broadcast. */
static void
read_control(struct msghdr *m, struct addr *local)
{
	struct in6_pktinfo info6;
	struct in_pktinfo info4;
	struct cmsghdr *c;

	local->len = 0;
	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info4, CMSG_DATA(c), sizeof(info4));
			addr_any(local, AF_INET, 0);
			local->u.in4.sin_addr = info4.ipi_spec_dst;
			return;
		}
		if (c->cmsg_level != IPPROTO_IPV6 ||
		    c->cmsg_type != IPV6_PKTINFO)
			continue;
		memcpy(&info6, CMSG_DATA(c), sizeof(info6));
		if (IN6_IS_ADDR_MULTICAST(&info6.ipi6_addr))
			continue;
		addr_any(local, AF_INET6, 0);
		local->u.in6.sin6_addr = info6.ipi6_addr;
		if (IN6_IS_ADDR_LINKLOCAL(&info6.ipi6_addr))
			local->u.in6.sin6_scope_id = info6.ipi6_ifindex;
	}
}

/* Runs are not asked for (udp(7), UDP_GRO): one that is dropped for want of
 * room counts as a single datagram, and the losses we tell would be wrong. */
int
batch_receive(int fd, struct dgram *d, int count)
{
	struct batch *b = &batch;
	int i, n;

	for (i = 0; i < count; i++) {
		b->pieces[i].iov_base = d[i].bytes;
		b->pieces[i].iov_len = d[i].size;
		b->messages[i].msg_hdr =
		    (struct msghdr){.msg_name = &d[i].remote.u,
			.msg_namelen = sizeof(d[i].remote.u),
			.msg_iov = &b->pieces[i],
			.msg_iovlen = 1,
			.msg_control = &b->controls[i],
			.msg_controllen = sizeof(b->controls[i])};
	}
	n = receive_many(fd, b->messages, count);
	for (i = 0; i < n; i++) {
		d[i].full = b->messages[i].msg_len;
		d[i].length = d[i].full < d[i].size ? d[i].full : d[i].size;
		d[i].remote.len = b->messages[i].msg_hdr.msg_namelen;
		read_control(&b->messages[i].msg_hdr, &d[i].local);
	}
	return n;
}

/* Says from which address a datagram is to leave. */
static void
write_control(struct msghdr *m, union control *control, const struct addr *a)
{
	struct in6_pktinfo info6 = {.ipi6_ifindex = a->u.in6.sin6_scope_id};
	struct in_pktinfo info4 = {.ipi_ifindex = 0};
	bool is_ip6 = addr_family(a) == AF_INET6;
	struct cmsghdr *c;

	m->msg_control = control;
	m->msg_controllen =
	    is_ip6 ? CMSG_SPACE(sizeof(info6)) : CMSG_SPACE(sizeof(info4));
	memset(control, 0, m->msg_controllen);
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = is_ip6 ? IPPROTO_IPV6 : IPPROTO_IP;
	c->cmsg_type = is_ip6 ? IPV6_PKTINFO : IP_PKTINFO;
	if (is_ip6) {
		info6.ipi6_addr = a->u.in6.sin6_addr;
		c->cmsg_len = CMSG_LEN(sizeof(info6));
		memcpy(CMSG_DATA(c), &info6, sizeof(info6));
	} else {
		info4.ipi_spec_dst = a->u.in4.sin_addr;
		c->cmsg_len = CMSG_LEN(sizeof(info4));
		memcpy(CMSG_DATA(c), &info4, sizeof(info4));
	}
}

static bool
is_same_way(const struct dgram *a, const struct dgram *b)
{
	return a->remote.len == b->remote.len && a->local.len == b->local.len &&
	       memcmp(&a->remote.u, &b->remote.u, a->remote.len) == 0 &&
	       memcmp(&a->local.u, &b->local.u, a->local.len) == 0;
}

/*
 * Datagrams of one length that go the same way may go as one piece that the
 * kernel, or the network card, takes apart again (udp(7), UDP_SEGMENT). How
 * many of them there are in front.
 */
static int
run_length(const struct dgram *d, int count)
{
	int n = 1;

	while (n < count && n < SEGMENTS_MOST && d->length > 0 &&
	       d[n].length == d->length &&
	       (size_t)(n + 1) * d->length <= SEGMENTED_MOST &&
	       is_same_way(d, &d[n]))
		n++;
	return n;
}

/*
 * Says how long the datagrams are that a piece is to be taken apart into,
 * behind what the control messages say already.
 */
static void
write_segment(struct msghdr *m, union control *control, size_t length)
{
	uint16_t size = (uint16_t)length;
	void *at = control->bytes + m->msg_controllen;
	struct cmsghdr *c = at;

	memset(at, 0, CMSG_SPACE(sizeof(size)));
	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(c), &size, sizeof(size));
	m->msg_control = control;
	m->msg_controllen += CMSG_SPACE(sizeof(size));
}

/* Sends them, in runs if so asked. The number taken, or -1 with errno. */
static int
send_batch(int fd, const struct dgram *d, int count, bool runs)
{
	struct batch *b = &batch;
	int lengths[DGRAM_SENDS], i, n = 0, sent, taken = 0;

	for (i = 0; i < count; i++) {
		b->pieces[i].iov_base = d[i].bytes;
		b->pieces[i].iov_len = d[i].length;
	}
	for (i = 0; i < count; i += lengths[n++]) {
		struct msghdr *m = &b->messages[n].msg_hdr;

		lengths[n] = runs ? run_length(d + i, count - i) : 1;
		*m = (struct msghdr){.msg_name = d[i].remote.len != 0
						     ? (void *)&d[i].remote.u
						     : NULL,
		    .msg_namelen = d[i].remote.len,
		    .msg_iov = &b->pieces[i],
		    .msg_iovlen = (size_t)lengths[n]};
		if (d[i].local.len != 0)
			write_control(m, &b->controls[n], &d[i].local);
		if (lengths[n] > 1)
			write_segment(m, &b->controls[n], d[i].length);
	}
	sent = send_many(fd, b->messages, n);
	for (i = 0; i < sent; i++)
		taken += lengths[i];
	return sent < 0 ? -1 : taken;
}

/* True for a UDP socket: a unix one would send the piece as it is. */
static bool
can_segment(int fd)
{
	int protocol = 0;
	socklen_t len = sizeof(protocol);

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 &&
	       protocol == IPPROTO_UDP;
}

int
batch_send(int fd, const struct dgram *d, int count)
{
	bool runs = run_length(d, count) > 1 && can_segment(fd);
	int sent = send_batch(fd, d, count, runs);

	/* The path or the card does not: one by one, then. */
	if (sent < 0 && runs &&
	    (errno == EINVAL || errno == EIO || errno == EMSGSIZE ||
		errno == EOPNOTSUPP || errno == ENOPROTOOPT))
		sent = send_batch(fd, d, count, false);
	return sent;
}

void
batch_prepare(int fd, int family)
{
	int on = 1;

	/* A dual-stack socket is asked for both. */
	setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
}

bool
batch_lost(int fd, uint32_t *lost)
{
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0 ||
	    len <= SK_MEMINFO_DROPS * sizeof(info[0]))
		return false;
	*lost = info[SK_MEMINFO_DROPS];
	return true;
}

/* The kernel's struct sock_extended_err, see ip(7): a C library with headers of
 * its own lacks linux/errqueue.h. */
struct queued_error {
	uint32_t errnum;
	uint8_t origin, type, code, pad;
	uint32_t info, data;
};

enum { ORIGIN_ICMP = 2, ORIGIN_ICMP6 = 3 };

/* What one control message of the error queue says; 0: nothing of ICMP. */
static int
read_error(struct cmsghdr *c)
{
	struct queued_error what;

	if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
	    !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
		return 0;
	memcpy(&what, CMSG_DATA(c), sizeof(what));
	/* The call that met one of this machine's own has returned it. */
	if (what.origin != ORIGIN_ICMP && what.origin != ORIGIN_ICMP6)
		return 0;
	return (int)what.errnum;
}

int
batch_take_error(int fd)
{
	union {
		struct cmsghdr align;
		char bytes[512];
	} control;
	struct msghdr m = {
	    .msg_control = &control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	int errnum = 0;

	if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return -1;
	for (c = CMSG_FIRSTHDR(&m); c != NULL && errnum == 0;
	     c = CMSG_NXTHDR(&m, c))
		errnum = read_error(c);
	return errnum;
}
