/*
 * When a stream socket sends. Each piece that is relayed goes at once (tcp(7),
 * TCP_NODELAY): it is all that there is by then, and the second of two would
 * wait until the peer has acknowledged the first, which it puts off for 40 ms
 * and more (RFC 1122 4.2.3.2, 4.2.3.4). While small ones follow closely
 * and nothing comes back nobody does: then Nagle's algorithm (RFC 896) makes
 * one segment of many, which costs both ends less. As soon as they pause, or
 * something comes back, all is sent: nothing is kept for longer than
 * COALESCE_MS.
 */
#ifndef RELAY_COALESCE_H
#define RELAY_COALESCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

/* How long a piece may be kept for want of more. */
#define COALESCE_MS 1

struct coalesce {
	int fd;          /* the caller's; -1: nothing is ever gathered */
	bool is_on;      /* pieces may wait for others */
	unsigned streak; /* pieces that followed closely */
	int64_t last_ns; /* when the last one was handed over */
	int64_t push_ns; /* when what is kept is sent at the latest */
};

/* fd, a socket of our own, or -1. Where somebody has asked already for sending
 * at once, it stays that way. */
void coalesce_init(struct coalesce *g, int fd);

/* n bytes were handed to the socket just now, at now_ns. */
void coalesce_note(struct coalesce *g, size_t n, int64_t now_ns);

/* When coalesce_end() is to be called; else deadline_none(). */
struct deadline coalesce_deadline(const struct coalesce *g);

/* Sends what was kept, and each piece at once from now on. */
void coalesce_end(struct coalesce *g);

#endif
