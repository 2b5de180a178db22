/* A datagram client's socket: opening, closing, and what a send can meet. */
#ifndef UDP_DGRAM_H
#define UDP_DGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"
#include "net/sock.h"

struct err;
struct multicast_options;

struct dgram_options {
	struct addr source;   /* local address, or len 0 */
	uint16_t source_port; /* local port, or 0 */
	struct sock_options sock;
	const struct multicast_options
	    *group;        /* for a multicast peer, or NULL */
	bool broadcast;    /* the peer is a broadcast address */
	bool no_fragment;  /* refuse what the path does not carry whole */
	bool raise_buffer; /* many datagrams may arrive at once */
	bool unconnected;  /* receive from everybody, not only from the peer */
};

/*
 * Opens a client's socket for a peer: non-blocking and, unless o says
 * otherwise, connected, so that datagrams of others are dropped and ICMP errors
 * are reported. For a unix peer it is bound to a name of its own, without which
 * nobody could reply; dgram_close() removes it. The fd, the caller's, or -1
 * with *e.
 */
int dgram_open(
    const struct addr *peer, const struct dgram_options *o, struct err *e);

/* Closes it, and removes what dgram_open() made. Sets *fd to -1. */
void dgram_close(int *fd);

/*
 * Raises the receive buffer for datagrams that arrive at once (socket(7):
 * SO_RCVBUFFORCE with privilege, else at most net.core.rmem_max).
 */
void dgram_raise_rcvbuf(int fd);

/* The path MTU of a connected socket, in bytes; 0 when it is not known. */
size_t dgram_path_mtu(int fd, int family);

/*
 * Reads everything that ICMP has reported for what a connected socket has sent
 * (RFC 1122 4.1.3.3), after which poll(2) reports no error. The errno of the
 * first failure; EMSGSIZE where there is none but the size that the path
 * carries (RFC 1191, RFC 8201); 0 without any.
 */
int dgram_icmp_error(int fd);

/*
 * Describes errno after a send of length bytes to peer. "Too long" names the
 * limit (RFC 768, RFC 8200 4.5, or the path's). Returns -1.
 */
int dgram_send_error(
    int fd, const struct addr *peer, size_t length, struct err *e);

#endif
