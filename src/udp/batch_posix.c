/* The portable twin of batch_linux.c: one datagram per call. */
#include "udp/batch.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "net/addr.h"
#include "udp/dgram.h"

/*
 * RFC 3542 6.1 fixes these members, but strict headers hide the struct.
 */
struct info6 {
	struct in6_addr address;
	unsigned interface;
};

union control {
	struct cmsghdr align;
	char bytes[64];
};

/* One control message with value in it. */
static void
put_control(struct msghdr *m, union control *control, int level, int type,
    const void *value, size_t n)
{
	struct cmsghdr *c;

	memset(control, 0, sizeof(*control));
	m->msg_control = control;
	m->msg_controllen = sizeof(*control);
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len =
	    (socklen_t)((char *)CMSG_DATA(c) - (char *)c) + (socklen_t)n;
	memcpy(CMSG_DATA(c), value, n);
	m->msg_controllen = (c->cmsg_len + sizeof(size_t) - 1) /
			    sizeof(size_t) * sizeof(size_t);
}

/* The address that a datagram came to. */
static void
read_control(struct msghdr *m, struct addr *local)
{
	struct cmsghdr *c;

	local->len = 0;
	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
#ifdef IPV6_PKTINFO
		struct info6 info;

		if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			if (IN6_IS_ADDR_MULTICAST(&info.address))
				continue;
			addr_any(local, AF_INET6, 0);
			local->u.in6.sin6_addr = info.address;
			if (IN6_IS_ADDR_LINKLOCAL(&info.address))
				local->u.in6.sin6_scope_id = info.interface;
		}
#endif
#ifdef IP_RECVDSTADDR
		if (c->cmsg_level == IPPROTO_IP &&
		    c->cmsg_type == IP_RECVDSTADDR) {
			addr_any(local, AF_INET, 0);
			memcpy(&local->u.in4.sin_addr, CMSG_DATA(c),
			    sizeof(local->u.in4.sin_addr));
		}
#endif
	}
}

static int
receive_one(int fd, struct dgram *d)
{
	struct iovec piece = {.iov_base = d->bytes, .iov_len = d->size};
	union control control;
	struct msghdr m = {.msg_name = &d->remote.u,
	    .msg_namelen = sizeof(d->remote.u),
	    .msg_iov = &piece,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

	if (n < 0)
		return -1;
	d->length = (size_t)n;
	d->full = m.msg_flags & MSG_TRUNC ? SIZE_MAX : d->length;
	d->remote.len = m.msg_namelen;
	read_control(&m, &d->local);
	return 0;
}

int
batch_receive(int fd, struct dgram *d, int count)
{
	int n = 0;

	while (n < count && receive_one(fd, &d[n]) == 0)
		n++;
	return n > 0 ? n : -1;
}

static int
send_one(int fd, const struct dgram *d)
{
	struct iovec piece = {.iov_base = d->bytes, .iov_len = d->length};
	union control control;
	struct msghdr m = {.msg_iov = &piece, .msg_iovlen = 1};

	if (d->remote.len != 0) {
		m.msg_name = (void *)&d->remote.u;
		m.msg_namelen = d->remote.len;
	}
#ifdef IPV6_PKTINFO
	if (addr_family(&d->local) == AF_INET6) {
		struct info6 info = {
		    d->local.u.in6.sin6_addr, d->local.u.in6.sin6_scope_id};

		put_control(&m, &control, IPPROTO_IPV6, IPV6_PKTINFO, &info,
		    sizeof(info));
	}
#endif
#ifdef IP_SENDSRCADDR
	if (addr_family(&d->local) == AF_INET)
		put_control(&m, &control, IPPROTO_IP, IP_SENDSRCADDR,
		    &d->local.u.in4.sin_addr, sizeof(d->local.u.in4.sin_addr));
#endif
	return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

int
batch_send(int fd, const struct dgram *d, int count)
{
	int n = 0;

	while (n < count && send_one(fd, &d[n]) == 0)
		n++;
	return n > 0 ? n : -1;
}

void
batch_prepare(int fd, int family)
{
	int on = 1;

	(void)family;
	(void)on;
#ifdef IPV6_RECVPKTINFO
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
#endif
#ifdef IP_RECVDSTADDR
	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_RECVDSTADDR, &on, sizeof(on));
#endif
}

bool
batch_lost(int fd, uint32_t *lost)
{
	(void)fd;
	(void)lost;
	return false;
}

int
batch_take_error(int fd)
{
	(void)fd;
	return -1;
}
