/*
 * Datagrams with both of their addresses, received and sent in batches.
 * batch_linux.c moves many with one system call; batch_posix.c is its portable
 * twin.
 */
#ifndef UDP_BATCH_H
#define UDP_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"

/* The limits of one call of batch_receive() and of batch_send(). */
#define BATCH_MAX_RECEIVE 64
#define BATCH_MAX_SEND 256
/* The storage for the payload of a datagram: more than UDP can carry. */
#define BATCH_PAYLOAD_SIZE 65536

/* One datagram. */
struct dgram {
	unsigned char *bytes; /* storage, owned by the caller */
	size_t size;          /* of the storage */
	size_t length;        /* of the payload in bytes */
	size_t full; /* received: length of the whole payload, greater than
			length if truncated; SIZE_MAX: unknown */
	struct addr remote; /* the peer, as the kernel reports it; len 0: the
			       connected one, or none (unix) */
	struct addr local;  /* its destination if received, its source if to be
			       sent; len 0: unknown, any */
	size_t socket;      /* of a server: index of the socket */
};

/* The addresses of a received datagram, IPv4-mapped ones as IPv4. */
struct dgram_endpoints {
	struct addr remote, local;
};

/* Allocates BATCH_MAX_RECEIVE datagrams with storage, freed by free(3). */
struct dgram *batch_new(void);

/* Whether a received datagram was truncated. */
bool batch_is_truncated(const struct dgram *d);

/*
 * Receives up to count datagrams without blocking. Returns how many, or -1 with
 * errno: EAGAIN if there is none; ECONNREFUSED and others if ICMP reported an
 * error for an earlier send on a connected socket (RFC 1122 4.1.3.3).
 */
int batch_receive(int fd, struct dgram *d, int count);

/*
 * Sends up to count datagrams without blocking. Returns how many the kernel
 * accepted, or -1 with errno for the first of them.
 */
int batch_send(int fd, const struct dgram *d, int count);

/*
 * Sets *count to the number of datagrams, modulo 2^32, that the kernel has
 * dropped since the socket was opened because its receive buffer was full.
 * Returns false where the system does not report it.
 */
bool batch_drops(int fd, uint32_t *count);

/*
 * For batch.c only: move many datagrams with one call where the system has such
 * calls. They return as batch_receive() and batch_send() do, with ENOSYS where
 * it has none.
 */
int batch_receive_many(int fd, struct dgram *d, int count);
int batch_send_many(int fd, const struct dgram *d, int count);

#endif
