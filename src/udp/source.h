/*
 * Where a sender's datagrams come from: arguments, the lines, the blocks or
 * the whole of a descriptor. A feed lends its pieces: their bytes stay where
 * they are, whatever is read, until the borrower says that they have been sent.
 */
#ifndef UDP_SOURCE_H
#define UDP_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;

enum source_kind {
	SOURCE_ARGUMENTS, /* each one, over and over again while asked */
	SOURCE_LINES,     /* each without its newline */
	SOURCE_BLOCKS,    /* of one size; the last may be shorter */
	SOURCE_WHOLE      /* everything at once, over and over */
};

struct source {
	enum source_kind kind;
	char *const *arguments; /* the caller's */
	int count;              /* of them */
	uint64_t taken;         /* pieces given so far */
	int fd;                 /* to be read, the caller's; -1: at its end */
	size_t block;           /* size of SOURCE_BLOCKS */
	size_t most;            /* longest piece that can be sent */
	bool repeats;           /* begin again at the end */
	struct buf queue;       /* its storage is owned */
	size_t lent;            /* bytes at the front of queue that are lent */
};

/* What feed_next() found. */
enum source_next {
	SOURCE_ERROR = -1, /* *e says */
	SOURCE_END,        /* there is nothing more */
	SOURCE_WAIT,       /* source_read() is due when fd is ready */
	SOURCE_PIECE       /* one was given */
};

/* Arguments, with a piece each. */
void source_arguments(
    struct source *f, char *const *arguments, int count, bool repeats);

/*
 * The pieces of fd, of a kind other than SOURCE_ARGUMENTS; none may be longer
 * than most. source_release() is due.
 */
void source_descriptor(
    struct source *f, int fd, enum source_kind kind, size_t block, size_t most);

/*
 * Lends the next piece: what *bytes points to stays as it is until
 * source_settle(). A piece that is too long is ERR_LOCAL.
 */
enum source_next feed_next(struct source *f, const unsigned char **bytes,
    size_t *length, struct err *e);

/* Every piece that was lent has been sent: their space is free again. */
void source_settle(struct source *f);

/*
 * Reads once from fd. While pieces are lent it only reads behind them, and
 * nothing at all where there is no room. 0, or -1 with *e: ERR_OUTPUT.
 */
int source_read(struct source *f, struct err *e);

void source_release(struct source *f);

#endif
