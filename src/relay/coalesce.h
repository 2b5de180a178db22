/*
 * Coalesces small writes to a TCP socket. Normally TCP_NODELAY is on (tcp(7))
 * and each piece is sent at once: with Nagle's algorithm (RFC 896) the second
 * of two would wait for the acknowledgement of the first, which the peer delays
 * by 40 ms or more (RFC 1122 4.2.3.2, 4.2.3.4). During a dense stream of small
 * pieces that get no response, Nagle's algorithm is switched on, so that one
 * segment carries many pieces. Pending data is sent when the pieces pause or
 * something is received, and after COALESCE_MS at the latest.
 */
#ifndef RELAY_COALESCE_H
#define RELAY_COALESCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

/* The longest time to hold a piece back. */
#define COALESCE_MS 1

struct coalesce {
	int fd;          /* the caller's; -1: never holds data back */
	bool is_on;      /* Nagle's algorithm is on */
	unsigned streak; /* consecutive closely spaced pieces */
	int64_t last_ns; /* when the last piece was written */
	int64_t push_ns; /* latest time to send pending data */
};

/* fd is a socket that no other process shares, or -1. If TCP_NODELAY is on
 * already (--nodelay), it stays on. */
void coalesce_init(struct coalesce *g, int fd);

/* Records that n bytes were written to the socket at now_ns. */
void coalesce_note(struct coalesce *g, size_t n, int64_t now_ns);

/* When to call coalesce_end(), or deadline_none(). */
struct deadline coalesce_deadline(const struct coalesce *g);

/* Sends pending data, and sends each later piece at once. */
void coalesce_end(struct coalesce *g);

#endif
