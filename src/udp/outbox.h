/*
 * Datagrams on their way out: pieces that a feed has lent, until the kernel has
 * taken all of them. Only then are they given back and others borrowed, so
 * nothing that is read meanwhile can touch what is still unsent.
 */
#ifndef UDP_OUTBOX_H
#define UDP_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "udp/message_source.h"

struct addr;
struct dgram;

struct outbox {
	struct message_source *feed; /* the caller's: it lends the payloads */
	struct dgram *items;         /* owned, DGRAM_SENDS of them */
	unsigned char *numbered;     /* owned: payloads with numbers, or NULL */
	int filled, sent; /* of items: borrowed; taken by the kernel */
	struct err error; /* of the piece behind them, if any */
};

/*
 * Begins, empty; with numbers each payload gets "#N " in front.
 * outbox_release() is due; the feed stays the caller's.
 */
void outbox_init(struct outbox *o, struct message_source *feed, bool numbers);

/* Most that one outbox_fill() borrows. */
int outbox_capacity(const struct outbox *o);

/* How many are still to be sent. */
int outbox_unsent(const struct outbox *o);

/* The length of the first that is to be sent. */
size_t outbox_length(const struct outbox *o);

/*
 * Borrows up to count pieces, to be sent to the address to (NULL: where the
 * socket is connected to); first is the number of the first. Everything before
 * must have been sent. Returns what the feed said last; an error that comes
 * behind good pieces is met again by the next call.
 */
enum message_source_next outbox_fill(struct outbox *o, int64_t count,
    uint64_t first, const struct addr *to, struct err *e);

/*
 * Sends what is unsent without waiting, and adds the bytes to *bytes. Returns
 * how many were taken, perhaps not all; or -1 with errno for the first.
 */
int outbox_send(struct outbox *o, int fd, uint64_t *bytes);

/* What was sent last was refused: all of it is unsent again, and is to go to
 * another address. */
void outbox_rewind(struct outbox *o, const struct addr *to);

/* Gives the pieces back to the feed, where all have been sent. */
void outbox_settle(struct outbox *o);

void outbox_release(struct outbox *o);

#endif
