/*
 * The local address of a datagram: a server requests the address to which each
 * datagram was sent, and answers from it (ip(7), IP_PKTINFO; RFC 3542 6.1,
 * IPV6_PKTINFO). Otherwise the kernel chooses the source address by its routes.
 * For batch and dgram_server only.
 */
#ifndef UDP_SOURCE_ADDRESS_H
#define UDP_SOURCE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "net/addr.h"

/* Storage for the control messages of one datagram. */
union source_address_control {
	struct cmsghdr align;
	char bytes[96];
};

/* Requests the address that each datagram is sent to. */
void source_address_request(int fd, int family);

/* Sets *local to the destination of a received datagram; len 0: unknown. */
void source_address_read(struct msghdr *m, struct addr *local);

/* Sets the source address of a datagram to send; len 0: the kernel chooses. */
void source_address_write(struct msghdr *m,
    union source_address_control *control, const struct addr *local);

/* Appends a control message with the level and type of c; cmsg_len is the
 * length of value. The caller provides the space. */
void source_address_add_control(
    struct msghdr *m, const struct cmsghdr *c, const void *value);

/*
 * The IPv4 part, for source_address.c only: Linux has IP_PKTINFO, BSD has
 * IP_RECVDSTADDR. Other systems support only IPv6 sockets, which carry IPv4
 * too.
 */
void source_address_request_ip4(int fd);
bool source_address_read_ip4(const struct cmsghdr *c, struct in_addr *local);
void source_address_write_ip4(struct msghdr *m, const struct in_addr *local);

#endif
