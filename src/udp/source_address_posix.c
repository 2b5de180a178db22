/* The local address of an IPv4 datagram: IP_RECVDSTADDR, where it exists. */
#include "udp/source_address.h"

#include <string.h>

#include "net/sockopt.h"

void
source_address_request_ip4(int fd)
{
#ifdef IP_RECVDSTADDR
	static const struct sockopt option = {IPPROTO_IP, IP_RECVDSTADDR,
	    "IP_RECVDSTADDR",
	    "each datagram comes with the address that it was sent to", NULL};

	(void)sockopt_set(fd, &option, 1);
#else
	(void)fd;
#endif
}

bool
source_address_read_ip4(const struct cmsghdr *c, struct in_addr *local)
{
#ifdef IP_RECVDSTADDR
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVDSTADDR) {
		memcpy(local, CMSG_DATA(c), sizeof(*local));
		return true;
	}
#endif
	(void)c;
	(void)local;
	return false;
}

void
source_address_write_ip4(struct msghdr *m, const struct in_addr *local)
{
	(void)m;
	(void)local;
#ifdef IP_SENDSRCADDR
	source_address_add_control(m,
	    &(struct cmsghdr){.cmsg_level = IPPROTO_IP,
		.cmsg_type = IP_SENDSRCADDR,
		.cmsg_len = sizeof(*local)},
	    local);
#endif
}
