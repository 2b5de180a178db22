/*
 * Datagrams: a client's socket; receiving and sending with both addresses;
 * errors of sending; and multicast groups: parsing, joining, and options for
 * sending.
 */
#ifndef UDP_DGRAM_H
#define UDP_DGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"
#include "net/sock.h"

struct err;
struct os_error;

/* The maximum counts of one call of dgram_receive() and of dgram_send(). */
#define DGRAM_MAX_RECEIVE 64
#define DGRAM_MAX_SEND 256
/* The storage for the payload of a datagram: more than UDP can carry. */
#define DGRAM_PAYLOAD_SIZE 65536

/* One datagram. */
struct dgram {
	/* The caller owns the storage, which has this size in bytes. */
	unsigned char *bytes;
	size_t size;
	/* The payload in the storage has this length. */
	size_t length;
	/* A received payload had this length; it was truncated if that is
	 * greater. SIZE_MAX: the system does not report it. */
	size_t full;
	/* The peer, as the kernel reports it; len 0: the connected one, or a
	 * Unix socket without a name. */
	struct addr remote;
	/* The destination of a received datagram, or the source of one that is
	 * sent; len 0: it is unknown, or the system chooses it. */
	struct addr local;
	/* A server sets the index of its socket, the sender and the
	 * destination, with IPv4-mapped addresses as IPv4. An answer keeps
	 * them. */
	size_t socket;
	struct addr from, to;
};

/* A group and its interface. */
struct multicast_group {
	struct addr addr;
	unsigned interface; /* Its index; 0: the system chooses one. */
};

/*
 * Parses GROUP or GROUP%INTERFACE, the name or number of an interface.
 * Returns 0, or -1 with a usage error, or ERR_LOCAL for an interface that is
 * missing.
 */
int multicast_parse(struct multicast_group *g, const char *text, struct err *e);

/* Parses an interface's name or number into an unsigned int, as an option's
 * value (cli/command.h). Returns as multicast_parse() does. */
int multicast_parse_interface(void *interface, const char *text, struct err *e);

/*
 * Joins a group on a bound socket of its family (RFC 1112, RFC 3810). Closing
 * the socket leaves the group. Returns 0, or -1 with *e.
 */
int multicast_join(int fd, const struct multicast_group *g, struct err *e);

/* The options of datagrams that are sent to groups. */
struct multicast_options {
	/* They pass at most ttl - 1 routers; -1: the default, which is 1. */
	int64_t ttl;
	/* They leave by the interface of this index; 0: the system chooses. */
	unsigned interface;
	/* 1: this machine does not receive them. */
	int no_loop;
};

/* Sets the options of *o on a socket. Returns 0, or -1 with *e. */
int multicast_set(
    int fd, int family, const struct multicast_options *o, struct err *e);

struct dgram_options {
	const struct sock_options *sock;
	/* They apply if the peer is a multicast group. */
	struct multicast_options group;
	/* 1: the peer is a broadcast address. */
	int broadcast;
	/* 1: datagrams that are too long for the path are rejected. */
	int no_fragment;
	/* Many datagrams may arrive at once: the receive buffer is raised. */
	bool raise_buffer;
	/* The socket receives from any address, not only from the peer. */
	bool unconnected;
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

/* Allocates DGRAM_MAX_RECEIVE datagrams with storage; the caller frees them
 * with free(3). */
struct dgram *dgram_new(void);

/*
 * Requests the address that each datagram is sent to, so that a server can
 * answer from it. Otherwise the kernel chooses the source address by its
 * routes.
 */
void dgram_request_destination(int fd);

/*
 * Receives up to count datagrams without blocking. Returns how many, or -1 with
 * errno: EAGAIN if there is none; ECONNREFUSED and others if ICMP reported an
 * error for an earlier send on a connected socket (RFC 1122 4.1.3.3).
 */
int dgram_receive(int fd, struct dgram *d, int count);

/*
 * Sends up to count datagrams without blocking. Returns how many the kernel
 * accepted, or -1 with errno for the first of them.
 */
int dgram_send(int fd, const struct dgram *d, int count);

/*
 * Does what dgram_send() does, but waits for space, for up to 20 ms in all.
 * *tries, which begins with 0, is shared by the calls for one batch, so that
 * one peer cannot hold up the others for long. A caught signal ends the wait.
 */
int dgram_send_retry(int fd, const struct dgram *d, int count, int *tries);

/*
 * Raises the receive buffer for datagrams that arrive at once (socket(7):
 * SO_RCVBUFFORCE with privileges, otherwise up to net.core.rmem_max).
 */
void dgram_raise_rcvbuf(int fd);

/* Returns the path MTU of a connected socket in bytes, or 0 if it is unknown.
 */
size_t dgram_path_mtu(int fd, int family);

/*
 * Reads all ICMP errors for what a connected socket has sent (RFC 1122
 * 4.1.3.3), so that poll(2) reports no error afterwards. Returns the errno of
 * the first failure; EMSGSIZE if only the path MTU was reported (RFC 1191, RFC
 * 8201); 0 if nothing was reported. *icmp is the first error that is a failure,
 * with errnum 0 if there is none.
 */
int dgram_icmp_error(int fd, struct os_error *icmp);

/*
 * Sets *e from errno, or from an ICMP error (icmp is not NULL), after a failed
 * send of length bytes to peer. "Too long" names the limit (RFC 768, RFC 8200
 * 4.5, or the path's); it is ERR_USAGE for what no datagram carries, and has
 * errnum EMSGSIZE. Returns -1.
 */
int dgram_send_error(int fd, const struct addr *peer, size_t length,
    const struct os_error *icmp, struct err *e);

#endif
