/*
 * The hello protocol's messages. A message is a line without its LF or CRLF.
 * Bytes that come without a newline are a message as they are, once no more
 * of them follow for a while: tutorial clients send "Michael" and wait. The
 * answer ends the way its message did.
 */
#ifndef SERVE_MESSAGE_H
#define SERVE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Longest message in bytes, without its newline. */
#define MESSAGE_MAX 8192

/*
 * How long bytes without a newline may wait for the rest of their line: of a
 * client that never sent a newline, and of one that has, which is likely to
 * send this one too.
 */
#define MESSAGE_BARE_MS 40
#define MESSAGE_LINE_MS 1000

struct message_reader {
	struct buf queue;
	bool has_lines; /* the peer has sent a newline before */
};

/* Storage that holds every message, with its newline. */
#define MESSAGE_CAPACITY (MESSAGE_MAX + 2)

/* One message; the bytes stay until more are added to the queue. */
struct message {
	const unsigned char *bytes;
	size_t length;
	size_t newline; /* bytes that ended it, behind it: LF, CRLF or none */
};

/* storage is the caller's, of any size. */
void message_init(struct message_reader *h, void *storage, size_t size);

/*
 * Whether the storage is full, and cannot take the rest of a message: it has
 * to be moved into a larger one, of MESSAGE_CAPACITY bytes.
 */
bool message_is_full(const struct message_reader *h);

/* Goes on in another storage, at least as large; the old one is free then. */
void message_move(struct message_reader *h, void *storage, size_t size);

/* Takes the next whole line; false when there is none. */
bool message_next_line(struct message_reader *h, struct message *m);

/* Takes what is there without a newline; false when nothing is. */
bool message_rest(struct message_reader *h, struct message *m);

/*
 * What comes next is longer than a message may be; to be asked before it is
 * taken.
 */
bool message_is_too_long(const struct message_reader *h);

/* How long what waits may wait, in milliseconds; -1 when nothing does. */
int message_wait_ms(const struct message_reader *h);

#endif
