/*
 * The local address of a datagram: a server asks to which address each one was
 * sent, and answers from there (ip(7), IP_PKTINFO; RFC 3542 6.1, IPV6_PKTINFO).
 * Without it the kernel chooses the source address by its routes. For batch
 * and dgram_server alone.
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

/* Asks for the address that each datagram is sent to. */
void source_address_request(int fd, int family);

/* The address that a received datagram was sent to; len 0: unknown. */
void source_address_read(struct msghdr *m, struct addr *local);

/* Chooses the address that a datagram is sent from; len 0: the kernel does. */
void source_address_write(struct msghdr *m,
    union source_address_control *control, const struct addr *local);

/* Appends a control message: c has the level, the type and the length of
 * value. The space for it must be there. */
void source_address_add_control(
    struct msghdr *m, const struct cmsghdr *c, const void *value);

/*
 * IPv4's part, for source_address.c alone: Linux has IP_PKTINFO, BSD has
 * IP_RECVDSTADDR. Other systems can do it for IPv6 sockets only, which carry
 * IPv4 too.
 */
void source_address_request_ip4(int fd);
bool source_address_read_ip4(const struct cmsghdr *c, struct in_addr *local);
void source_address_write_ip4(struct msghdr *m, const struct in_addr *local);

#endif
