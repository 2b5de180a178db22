/*
 * Where a sender's datagrams come from: arguments, the lines, the blocks or
 * the whole of a descriptor. A feed lends its pieces: their bytes stay where
 * they are, whatever is read, until the borrower says that they have been sent.
 */
#ifndef UDP_MESSAGE_SOURCE_H
#define UDP_MESSAGE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;

enum message_source_kind {
	SOURCE_ARGUMENTS, /* each one, over and over again while asked
			   */
	SOURCE_LINES,     /* each without its newline */
	SOURCE_BLOCKS,    /* of one size; the last may be shorter */
	SOURCE_WHOLE      /* everything at once, over and over */
};

struct message_source {
	enum message_source_kind kind;
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

/* What message_source_next() found. */
enum message_source_next {
	SOURCE_ERROR = -1, /* *e says */
	SOURCE_END,        /* there is nothing more */
	SOURCE_WAIT,       /* message_source_read() is due when fd is ready */
	SOURCE_PIECE       /* one was given */
};

/* Arguments, with a piece each. */
void message_source_arguments(
    struct message_source *f, char *const *arguments, int count, bool repeats);

/*
 * The pieces of fd, of a kind other than SOURCE_ARGUMENTS; none may be
 * longer than most. message_source_release() is due.
 */
void message_source_descriptor(struct message_source *f, int fd,
    enum message_source_kind kind, size_t block, size_t most);

/*
 * Lends the next piece: what *bytes points to stays as it is until
 * message_source_settle(). A piece that is too long is ERR_LOCAL.
 */
enum message_source_next message_source_next(struct message_source *f,
    const unsigned char **bytes, size_t *length, struct err *e);

/* Every piece that was lent has been sent: their space is free again. */
void message_source_settle(struct message_source *f);

/*
 * Reads once from fd. While pieces are lent it only reads behind them, and
 * nothing at all where there is no room. 0, or -1 with *e: ERR_OUTPUT.
 */
int message_source_read(struct message_source *f, struct err *e);

void message_source_release(struct message_source *f);

#endif
