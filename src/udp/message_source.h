/*
 * The source of a sender's messages: arguments, or the lines, the blocks or all
 * of a descriptor. A source lends its messages: their bytes stay in place until
 * message_source_consume().
 */
#ifndef UDP_MESSAGE_SOURCE_H
#define UDP_MESSAGE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;

enum message_source_kind {
	SOURCE_ARGUMENTS, /* one message each; repeats starts again */
	SOURCE_LINES,     /* each without its newline */
	SOURCE_BLOCKS,    /* of one size; the last may be shorter */
	SOURCE_WHOLE      /* all in one message; repeats sends it again */
};

/* How the bytes of a message are written (base/literal.h). */
enum message_source_format {
	SOURCE_PLAIN,
	SOURCE_ESCAPES, /* text with escapes */
	SOURCE_HEX      /* hexadecimal */
};

/* An argument that was converted to bytes. */
struct message_source_bytes {
	unsigned char *bytes;
	size_t length;
};

/* What message_source_next() found. */
enum message_source_next {
	SOURCE_ERROR = -1, /* see *e */
	SOURCE_END,        /* there are no more messages */
	SOURCE_WAIT,       /* call message_source_read() when fd is readable */
	SOURCE_MESSAGE
};

struct message_source;

/* Lends the next message; see message_source_next(). */
typedef enum message_source_next message_source_lend(struct message_source *s,
    const unsigned char **bytes, size_t *length, struct err *e);

struct message_source {
	message_source_lend *lend;
	enum message_source_kind kind;
	char *const *arguments; /* owned by the caller */
	int argument_count;
	uint64_t lent_count; /* all messages lent so far */
	int fd;              /* owned by the caller; -1: at its end */
	size_t block_size;   /* of SOURCE_BLOCKS */
	size_t max_length;   /* of a message, before it is converted */
	bool repeats;     /* starts again at the end; the caller may set it */
	struct buf queue; /* owns its storage */
	size_t lent;      /* bytes at the front of queue that are lent */

	/* After message_source_convert(). */
	enum message_source_format format;
	struct message_source_bytes *converted; /* owned: arguments, or NULL */
	size_t max_bytes;                       /* of the result; 0: unused */
};

/* Makes a source with one message per argument. It needs to be released only
 * after message_source_convert(). */
void message_source_arguments(
    struct message_source *s, char *const *arguments, int count, bool repeats);

/*
 * Makes a source of a kind other than SOURCE_ARGUMENTS that reads from fd. No
 * message may be longer than a datagram. Call message_source_release()
 * afterwards.
 */
void message_source_descriptor(struct message_source *s, int fd,
    enum message_source_kind kind, size_t block_size);

/*
 * Sets the format of the messages, of a kind other than SOURCE_BLOCKS, and
 * converts arguments now. Returns 0, or -1 with a usage error. Call
 * message_source_release() in both cases.
 */
int message_source_convert(
    struct message_source *s, enum message_source_format format, struct err *e);

/*
 * Lends the next message: *bytes stays valid until message_source_consume().
 * ERR_LOCAL if the message is too long, ERR_FAILED if it is malformed.
 */
static inline enum message_source_next
message_source_next(struct message_source *s, const unsigned char **bytes,
    size_t *length, struct err *e)
{
	return s->lend(s, bytes, length, e);
}

/* Frees the space of all lent messages, which have been sent. */
void message_source_consume(struct message_source *s);

/*
 * Reads once from fd; while messages are lent, only into the space after them.
 * Returns 0, or -1 with *e: ERR_OUTPUT.
 */
int message_source_read(struct message_source *s, struct err *e);

void message_source_release(struct message_source *s);

#endif
