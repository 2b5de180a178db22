/* The socket of a datagram client: opening, closing, and errors of sending. */
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
	bool no_fragment;  /* reject datagrams too long for the path */
	bool raise_buffer; /* many datagrams may arrive at once */
	bool unconnected;  /* receive from any address, not only the peer */
};

/*
 * Opens a non-blocking socket for a peer. Unless o->unconnected is set, it is
 * connected: datagrams from others are dropped, and ICMP errors are reported.
 * For a unix peer it is bound to a name, without which the peer could not
 * reply. Returns the fd, which the caller closes with dgram_close(), or -1 with
 * *e.
 */
int dgram_open(
    const struct addr *peer, const struct dgram_options *o, struct err *e);

/* Closes the socket, removes the path it was bound to, and sets *fd to -1. */
void dgram_close(int *fd);

/*
 * Raises the receive buffer for datagrams that arrive at once (socket(7):
 * SO_RCVBUFFORCE with privileges, otherwise up to net.core.rmem_max).
 */
void dgram_raise_rcvbuf(int fd);

/* The path MTU of a connected socket in bytes, or 0 if unknown. */
size_t dgram_path_mtu(int fd, int family);

/*
 * Reads all ICMP errors for what a connected socket has sent (RFC 1122
 * 4.1.3.3), so that poll(2) reports no error afterwards. Returns the errno of
 * the first failure; EMSGSIZE if only the path MTU was reported (RFC 1191, RFC
 * 8201); 0 if nothing was.
 */
int dgram_icmp_error(int fd);

/*
 * Sets *e from errno after a failed send of length bytes to peer. "Too long"
 * names the limit (RFC 768, RFC 8200 4.5, or the path's). Returns -1.
 */
int dgram_send_error(
    int fd, const struct addr *peer, size_t length, struct err *e);

#endif
