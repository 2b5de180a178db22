/*
 * Datagrams with both addresses: who sent one, and to which of our addresses,
 * so that an answer can leave from there. They move in batches; how many a
 * system call takes is net/os.h's matter.
 */
#ifndef UDP_DGRAM_H
#define UDP_DGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"
#include "net/sock.h"

struct err;
struct multicast_options;

/* Most datagrams that one call receives, and sends. */
#define DGRAM_BATCH 64
#define DGRAM_SENDS 256
/* Longest payload of a datagram in a batch's storage: more than UDP has. */
#define DGRAM_SIZE 65536
/* A server's receive buffer is raised to this, or as far as is allowed. */
#define DGRAM_BUFFER (16 * 1024 * 1024)

/* One datagram. */
struct dgram {
	unsigned char *bytes; /* storage, its owner's */
	size_t size;          /* received into: its room */
	size_t length;        /* of the payload that is in bytes */
	size_t full;          /* received: of the whole payload, which is more
				 where it was cut; SIZE_MAX: not known */
	struct addr remote;   /* the other end, as the kernel tells it; len 0:
				 the connected one, or none (unix) */
	struct addr local;    /* own address that it came to or is to leave
				 from; len 0: not known, any */
};

/* Storage for DGRAM_BATCH datagrams of DGRAM_SIZE; free(3) gives it back. */
struct dgram *dgram_batch(void);

/* True when the end of a received datagram is missing. */
bool dgram_is_cut(const struct dgram *d);

/*
 * Receives up to count (at most DGRAM_BATCH) datagrams without waiting.
 * Returns how many, or -1 with errno: EAGAIN when none is there; ECONNREFUSED
 * and others that came back by ICMP for what was sent on a connected socket
 * (RFC 1122 4.1.3.3).
 */
int dgram_receive(int fd, struct dgram *d, int count);

/*
 * Sends up to count (at most DGRAM_SENDS) datagrams without waiting. Returns
 * how many were taken, or -1 with errno for the first of them.
 */
int dgram_send(int fd, const struct dgram *d, int count);

/* How a client's socket is to be. */
struct dgram_options {
	struct addr source;   /* own address, or len 0 */
	uint16_t source_port; /* own port, or 0 */
	struct sock_options sock;
	const struct multicast_options
	    *group;        /* for a multicast peer, or NULL */
	bool broadcast;    /* the peer is a broadcast address */
	bool no_fragment;  /* refuse what the path does not carry whole */
	bool raise_buffer; /* much may come at once */
	bool unconnected;  /* hear everybody, not only the peer */
};

/*
 * Opens a client's socket for a peer: non-blocking and connected, so that
 * strangers are not heard and refusals are, unless o says otherwise. For a
 * unix peer it gets a name of its own, which dgram_close() removes: without
 * one nobody could answer. The fd, the caller's; or -1 with *e.
 */
int dgram_open(
    const struct addr *peer, const struct dgram_options *o, struct err *e);

/* Closes it, and removes what dgram_open() made. Sets *fd to -1. */
void dgram_close(int *fd);

/*
 * Makes a server's socket, bound to local, ready: the receive buffer is
 * raised, where the user did not set it, and on a wildcard address the kernel
 * is asked to which address each datagram came.
 */
void dgram_prepare(int fd, const struct addr *local, bool raise_buffer);

/*
 * How many datagrams the kernel has dropped since the socket was opened,
 * because its receive buffer was full, modulo 2^32. False where it does not
 * tell.
 */
bool dgram_lost(int fd, uint32_t *lost);

/*
 * Takes all that came back by ICMP for what a connected socket has sent
 * (RFC 1122 4.1.3.3), so that poll(2) is quiet about it. The errno of the first
 * failure; EMSGSIZE where nothing is told but what the path carries (RFC 1191,
 * RFC 8201); 0 without any.
 */
int dgram_take_errors(int fd);

/* Longest payload to such an address; 0: not known. */
size_t dgram_most(const struct addr *peer);

/*
 * What sending length bytes to peer met, errnum: "too long" names the limit
 * (RFC 768, RFC 8200 4.5, or the path's). Returns -1.
 */
int dgram_send_error(
    int fd, const struct addr *peer, size_t length, int errnum, struct err *e);

#endif
