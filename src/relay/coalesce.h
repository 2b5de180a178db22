/*
 * Coalesces small writes to a TCP socket. Normally TCP_NODELAY is on (tcp(7)):
 * each piece is sent at once, since with Nagle's algorithm (RFC 896) the second
 * of two would wait for the acknowledgement of the first, which the peer delays
 * by 40 ms or more (RFC 1122 4.2.3.2, 4.2.3.4). In a dense stream of small
 * pieces that nothing answers, Nagle's algorithm is switched on instead: one
 * segment carries many pieces. All is sent as soon as the pieces pause or
 * something is received, after COALESCE_MS at the latest.
 */
#ifndef RELAY_COALESCE_H
#define RELAY_COALESCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

/* How long a piece may be held back. */
#define COALESCE_MS 1

struct coalesce {
	int fd;          /* the caller's; -1: nothing is ever held back */
	bool is_on;      /* pieces may wait for others */
	unsigned streak; /* pieces that followed closely */
	int64_t last_ns; /* when the last one was handed over */
	int64_t push_ns; /* when what is held back is sent at the latest */
};

/* fd is a socket of this process alone, or -1. If TCP_NODELAY is on already
 * (--nodelay), it stays on. */
void coalesce_init(struct coalesce *g, int fd);

/* n bytes were handed to the socket just now, at now_ns. */
void coalesce_note(struct coalesce *g, size_t n, int64_t now_ns);

/* When coalesce_end() is to be called; else deadline_none(). */
struct deadline coalesce_deadline(const struct coalesce *g);

/* Sends what is held back, and each piece at once from now on. */
void coalesce_end(struct coalesce *g);

#endif
