/*
 * Where a sender's messages come from: arguments, or the lines, the blocks or
 * the whole of a descriptor. A source lends its messages: their bytes stay
 * where they are, whatever is read, until message_source_settle().
 */
#ifndef UDP_MESSAGE_SOURCE_H
#define UDP_MESSAGE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;

enum message_source_kind {
	SOURCE_ARGUMENTS, /* each one; with repeats over and over again */
	SOURCE_LINES,     /* each without its newline */
	SOURCE_BLOCKS,    /* of one size; the last may be shorter */
	SOURCE_WHOLE      /* everything at once; with repeats again and again */
};

struct message_source {
	enum message_source_kind kind;
	char *const *arguments; /* the caller's */
	int argument_count;
	uint64_t lent_count; /* messages lent so far */
	int fd;              /* the caller's; -1: at its end */
	size_t block_size;   /* of SOURCE_BLOCKS */
	size_t max_length;   /* of a message */
	bool repeats;        /* start again at the end; the caller may set it */
	struct buf queue;    /* its storage is owned */
	size_t lent;         /* bytes at the front of queue that are lent */
};

/* What message_source_next() found. */
enum message_source_next {
	SOURCE_ERROR = -1, /* see *e */
	SOURCE_END,        /* there is no other message */
	SOURCE_WAIT,       /* call message_source_read() when fd is readable */
	SOURCE_MESSAGE
};

/* One message per argument. */
void message_source_arguments(
    struct message_source *s, char *const *arguments, int count, bool repeats);

/*
 * The messages of fd, of a kind other than SOURCE_ARGUMENTS; none may be longer
 * than a datagram. Call message_source_release() afterwards.
 */
void message_source_descriptor(struct message_source *s, int fd,
    enum message_source_kind kind, size_t block_size);

/*
 * Lends the next message: what *bytes points to stays as it is until
 * message_source_settle(). One that is too long is ERR_LOCAL.
 */
enum message_source_next message_source_next(struct message_source *s,
    const unsigned char **bytes, size_t *length, struct err *e);

/* All messages that were lent have been sent: their space is free again. */
void message_source_settle(struct message_source *s);

/*
 * Reads once from fd; while messages are lent, only what there is space for
 * after them. 0, or -1 with *e: ERR_OUTPUT.
 */
int message_source_read(struct message_source *s, struct err *e);

void message_source_release(struct message_source *s);

#endif
