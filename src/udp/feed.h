/*
 * Where a sender's datagrams come from: arguments, the lines, the blocks or
 * the whole of a descriptor. A feed lends its pieces: their bytes stay where
 * they are, whatever is read, until the borrower says that they have been sent.
 */
#ifndef UDP_FEED_H
#define UDP_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;

enum feed_kind {
	FEED_ARGUMENTS, /* each one, over and over again while asked */
	FEED_LINES,     /* each without its newline */
	FEED_BLOCKS,    /* of one size; the last may be shorter */
	FEED_WHOLE      /* everything at once, over and over */
};

struct feed {
	enum feed_kind kind;
	char *const *arguments; /* the caller's */
	int count;              /* of them */
	uint64_t taken;         /* pieces given so far */
	int fd;                 /* to be read, the caller's; -1: at its end */
	size_t block;           /* size of FEED_BLOCKS */
	size_t most;            /* longest piece that can be sent */
	bool repeats;           /* begin again at the end */
	struct buf queue;       /* its storage is owned */
	size_t lent;            /* bytes at the front of queue that are lent */
};

/* What feed_next() found. */
enum feed_next {
	FEED_ERROR = -1, /* *e says */
	FEED_END,        /* there is nothing more */
	FEED_WAIT,       /* feed_read() is due when fd is ready */
	FEED_PIECE       /* one was given */
};

/* Arguments, with a piece each. */
void feed_arguments(
    struct feed *f, char *const *arguments, int count, bool repeats);

/*
 * The pieces of fd, of a kind other than FEED_ARGUMENTS; none may be longer
 * than most. feed_release() is due.
 */
void feed_descriptor(
    struct feed *f, int fd, enum feed_kind kind, size_t block, size_t most);

/*
 * Lends the next piece: what *bytes points to stays as it is until
 * feed_settle(). A piece that is too long is ERR_LOCAL.
 */
enum feed_next feed_next(
    struct feed *f, const unsigned char **bytes, size_t *length, struct err *e);

/* Every piece that was lent has been sent: their space is free again. */
void feed_settle(struct feed *f);

/*
 * Reads once from fd. While pieces are lent it only reads behind them, and
 * nothing at all where there is no room. 0, or -1 with *e: ERR_OUTPUT.
 */
int feed_read(struct feed *f, struct err *e);

void feed_release(struct feed *f);

#endif
