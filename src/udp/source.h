/*
 * The source of a sender's messages: arguments, or the lines, the blocks or all
 * of a descriptor. A source lends its messages: their bytes stay in place until
 * source_consume().
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
	SOURCE_LINES,     /* each without its newline, unless keeps_newline */
	SOURCE_ARGUMENTS, /* one message each; repeats starts again */
	SOURCE_BLOCKS,    /* of one size; the last may be shorter */
	SOURCE_WHOLE      /* all in one message; repeats sends it again */
};

/* How the bytes of a message are written (base/literal.h). */
enum source_format {
	SOURCE_PLAIN,
	SOURCE_ESCAPES, /* text with escapes */
	SOURCE_HEX      /* hexadecimal */
};

/* What source_next() found. */
enum source_next {
	SOURCE_ERROR = -1, /* see *e */
	SOURCE_END,        /* there are no more messages */
	SOURCE_WAIT,       /* call source_read() when fd is readable */
	SOURCE_MESSAGE
};

struct source {
	/* Set by the caller. */
	int kind;   /* enum source_kind */
	int format; /* enum source_format; SOURCE_PLAIN for blocks */
	char *const *arguments; /* converted in place */
	int argument_count;
	int fd;             /* of the other kinds; -1: at its end */
	int64_t block_size; /* of SOURCE_BLOCKS */
	bool repeats;       /* starts again at the end */
	bool keeps_newline; /* of lines */

	uint64_t lent_count; /* all messages lent so far */
	struct buf queue;    /* owns its storage: what was read from fd */
	enum fd_kind fd_kind;
	size_t lent;       /* bytes at the front of queue that are lent */
	bool is_converted; /* all of SOURCE_WHOLE, in place */
	size_t *lengths;   /* owned: of the converted arguments */
};

/*
 * Starts a source, and converts arguments. Returns 0, or -1 with a usage error.
 * Call source_release() in both cases.
 */
int source_start(struct source *s, struct err *e);

/*
 * Lends the next message: *bytes stays valid until source_consume(). ERR_LOCAL
 * if the message is longer than a datagram, ERR_FAILED if it is malformed.
 */
enum source_next source_next(struct source *s, const unsigned char **bytes,
    size_t *length, struct err *e);

/* Frees the space of all lent messages, which have been sent. */
void source_consume(struct source *s);

/* Reads once from fd, while no messages are lent. Returns 0, or -1 with *e:
 * ERR_OUTPUT. */
int source_read(struct source *s, struct err *e);

void source_release(struct source *s);

#endif
