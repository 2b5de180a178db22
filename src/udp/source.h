/*
 * The source of a sender's messages: arguments, or the lines, the blocks or all
 * of what a descriptor has. A source lends its messages: their bytes stay in
 * place until source_consume().
 */
#ifndef UDP_SOURCE_H
#define UDP_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fd.h"

struct err;

enum source_kind {
	SOURCE_LINES,     /* Each line is a message. */
	SOURCE_ARGUMENTS, /* Each argument is a message. */
	SOURCE_BLOCKS,    /* Each block is one; the last may be shorter. */
	SOURCE_WHOLE      /* All that is read is one message. */
};

/* How the bytes of a message are written (base/literal.h). */
enum source_format {
	SOURCE_PLAIN,   /* They are written as they are. */
	SOURCE_ESCAPES, /* They are text with escapes. */
	SOURCE_HEX      /* They are hexadecimal digits. */
};

/* What source_next() found. */
enum source_next {
	SOURCE_ERROR = -1, /* It failed: *e is set. */
	SOURCE_END,        /* There are no more messages. */
	SOURCE_WAIT,       /* Call source_read() when fd is readable. */
	SOURCE_MESSAGE     /* A message is lent. */
};

struct source {
	/* The caller sets these. */
	int kind;   /* enum source_kind */
	int format; /* enum source_format; SOURCE_PLAIN for blocks. */
	/* The arguments are converted in place. */
	char *const *arguments;
	int argument_count;
	/* The other kinds are read from it; -1: it is at its end. */
	int fd;
	/* All SOURCE_BLOCKS but the last have this size. */
	int64_t block_size;
	/* SOURCE_ARGUMENTS and SOURCE_WHOLE begin again at the end. */
	bool repeats;
	/* SOURCE_LINES have their newlines. */
	bool keeps_newline;

	/* This many messages have been lent so far. */
	uint64_t lent_count;
	/* What was read from fd. The source owns the storage. */
	struct buf queue;
	enum fd_kind fd_kind;
	/* This many bytes at the front of the queue are lent. */
	size_t lent;
	/* SOURCE_WHOLE was converted, in place. */
	bool is_converted;
	/* The source owns the lengths of the converted arguments. */
	size_t *lengths;
};

/*
 * Starts a source, and converts arguments. Returns 0, or -1 with a usage error.
 * Call source_release() in both cases.
 */
int source_start(struct source *s, struct err *e);

/*
 * Lends the next message: *bytes stays valid until source_consume(). *e is
 * ERR_USAGE with EMSGSIZE if it is too long for a datagram, ERR_FAILED if it is
 * malformed.
 */
enum source_next source_next(struct source *s, const unsigned char **bytes,
    size_t *length, struct err *e);

/* Frees the space of all lent messages, which have been sent. */
void source_consume(struct source *s);

/* Reads once from fd. No message may be lent. Returns 0, or -1 with *e:
 * ERR_OUTPUT. */
int source_read(struct source *s, struct err *e);

/* Frees what the source owns. */
void source_release(struct source *s);

#endif
