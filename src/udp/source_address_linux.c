/* The local address of an IPv4 datagram: IP_PKTINFO (ip(7)). */
#include "udp/source_address.h"

#include <string.h>

#include "net/sockopt.h"

void
source_address_request_ip4(int fd)
{
	static const struct sockopt option = {IPPROTO_IP, IP_PKTINFO,
	    "IP_PKTINFO",
	    "each datagram comes with the address that it was sent to", NULL};

	(void)sockopt_set(fd, &option, 1);
}

bool
source_address_read_ip4(const struct cmsghdr *c, struct in_addr *local)
{
	struct in_pktinfo info;

	if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
		return false;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	*local = info.ipi_spec_dst;
	/* It is not known for datagrams that were queued before the option was
	 * set, on an inherited socket. */
	if (local->s_addr == htonl(INADDR_ANY) &&
	    !IN_MULTICAST(ntohl(info.ipi_addr.s_addr)) &&
	    info.ipi_addr.s_addr != htonl(INADDR_BROADCAST))
		*local = info.ipi_addr;
	return true;
}

void
source_address_write_ip4(struct msghdr *m, const struct in_addr *local)
{
	struct in_pktinfo info = {.ipi_spec_dst = *local};

	source_address_add_control(m,
	    &(struct cmsghdr){.cmsg_level = IPPROTO_IP,
		.cmsg_type = IP_PKTINFO,
		.cmsg_len = sizeof(info)},
	    &info);
}
