/*
 * Datagrams with both of their addresses, received and sent in batches.
 * batch_linux.c moves many with one system call, batch_posix.c is its portable
 * twin.
 */
#ifndef UDP_BATCH_H
#define UDP_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"

/* The limits of one call of batch_receive(), and of batch_send(). */
#define BATCH_MAX_RECEIVE 64
#define BATCH_MAX_SEND 256
/* The storage of a datagram's payload: more than UDP can carry. */
#define BATCH_PAYLOAD_SIZE 65536

/* One datagram. */
struct dgram {
	unsigned char *bytes; /* storage, the caller's */
	size_t size;          /* of the storage, to receive into */
	size_t length;        /* of the payload in bytes */
	size_t full;          /* received: length of the whole payload, which
				 is more if it was truncated; SIZE_MAX: unknown */
	struct addr remote;   /* the peer, as the kernel reports it; len 0: the
				 connected one, or none (unix) */
	struct addr local;    /* the address it was sent to, or is to be sent
				 from; len 0: unknown, any */
	size_t socket;        /* a server's: index of the socket */
};

/* Where a datagram came from and where it was sent, IPv4 as such. */
struct dgram_endpoints {
	struct addr remote, local;
};

/* BATCH_MAX_RECEIVE datagrams with their storage, released by free(3). */
struct dgram *batch_new(void);

/* Whether the end of a received datagram is missing. */
bool batch_is_truncated(const struct dgram *d);

/*
 * Receives up to count datagrams without waiting. Returns how many, or -1 with
 * errno: EAGAIN when there is none; ECONNREFUSED and others that ICMP reported
 * for what was sent on a connected socket (RFC 1122 4.1.3.3).
 */
int batch_receive(int fd, struct dgram *d, int count);

/*
 * Sends up to count datagrams without waiting. Returns how many the kernel
 * accepted, or -1 with errno for the first of them.
 */
int batch_send(int fd, const struct dgram *d, int count);

/*
 * How many datagrams the kernel has dropped since the socket was opened,
 * because its receive buffer was full, modulo 2^32. False where the system
 * does not report it.
 */
bool batch_drops(int fd, uint32_t *count);

/*
 * For batch.c alone: many datagrams with one call, where the system has such
 * calls. As batch_receive() and batch_send(); ENOSYS where it has not.
 */
int batch_receive_many(int fd, struct dgram *d, int count);
int batch_send_many(int fd, const struct dgram *d, int count);

#endif
