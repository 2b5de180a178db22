/* The local address of a datagram, through control messages (RFC 3542). */
#include "udp/source_address.h"

#include <string.h>

#include "net/sockopt.h"

/* RFC 3542 6.1 defines these members, but strict headers hide the struct. */
struct ip6_info {
	struct in6_addr address;
	unsigned interface;
};

void
source_address_request(int fd, int family)
{
#ifdef IPV6_RECVPKTINFO
	static const struct sockopt option = {IPPROTO_IPV6, IPV6_RECVPKTINFO,
	    "IPV6_RECVPKTINFO",
	    "each datagram comes with the address that it was sent to", NULL};

	if (family == AF_INET6)
		(void)sockopt_set(fd, &option, 1);
#endif
	(void)family;
	/* A dual-stack socket needs both. */
	source_address_request_ip4(fd);
}

static void
read_ip6(const struct cmsghdr *c, struct addr *local)
{
#ifdef IPV6_PKTINFO
	struct ip6_info info;

	if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_PKTINFO)
		return;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	if (IN6_IS_ADDR_MULTICAST(&info.address))
		return;
	addr_any(local, AF_INET6, 0);
	local->u.in6.sin6_addr = info.address;
	if (IN6_IS_ADDR_LINKLOCAL(&info.address))
		local->u.in6.sin6_scope_id = info.interface;
#else
	(void)c;
	(void)local;
#endif
}

/*
 * A dual-stack socket reports both kinds for IPv4. IPv4's is better: it names
 * an address of this machine even if the datagram was a broadcast.
 */
void
source_address_read(struct msghdr *m, struct addr *local)
{
	struct cmsghdr *c;
	struct in_addr ip4;

	local->len = 0;
	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (source_address_read_ip4(c, &ip4)) {
			addr_any(local, AF_INET, 0);
			local->u.in4.sin_addr = ip4;
			return;
		}
		read_ip6(c, local);
	}
}

void
source_address_add_control(
    struct msghdr *m, const struct cmsghdr *c, const void *value)
{
	struct cmsghdr *at =
	    (void *)((char *)m->msg_control + m->msg_controllen);
	size_t header = (size_t)((char *)CMSG_DATA(at) - (char *)at), align;

	/* The values of CMSG_LEN() and CMSG_SPACE() in RFC 3542. */
	align = sizeof(size_t) - 1;
	memset(at, 0, (header + c->cmsg_len + align) & ~align);
	at->cmsg_level = c->cmsg_level;
	at->cmsg_type = c->cmsg_type;
	at->cmsg_len = (socklen_t)(header + c->cmsg_len);
	memcpy(CMSG_DATA(at), value, c->cmsg_len);
	m->msg_controllen += (socklen_t)((at->cmsg_len + align) & ~align);
}

void
source_address_write(struct msghdr *m, union source_address_control *control,
    const struct addr *local)
{
	m->msg_control = control;
	m->msg_controllen = 0;
	if (addr_family(local) == AF_INET)
		source_address_write_ip4(m, &local->u.in4.sin_addr);
#ifdef IPV6_PKTINFO
	if (addr_family(local) == AF_INET6) {
		struct ip6_info info = {
		    local->u.in6.sin6_addr, local->u.in6.sin6_scope_id};

		source_address_add_control(m,
		    &(struct cmsghdr){.cmsg_level = IPPROTO_IPV6,
			.cmsg_type = IPV6_PKTINFO,
			.cmsg_len = sizeof(info)},
		    &info);
	}
#endif
	if (m->msg_controllen == 0)
		m->msg_control = NULL;
}
