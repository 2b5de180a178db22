/*
 * The messages of the hello protocol. A message is a line without its LF or
 * CRLF. Bytes without a newline become a message when no more arrive for a
 * while: tutorial clients send "Michael" and wait. The answer ends as its
 * message did.
 */
#ifndef SERVE_MESSAGE_H
#define SERVE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* The longest message in bytes, without its newline. */
#define MESSAGE_MAX 8192

/*
 * How long to wait for the rest of a line: from a client that never sent a
 * newline, and from one that has, and so is likely to end this line too.
 */
#define MESSAGE_BARE_MS 40
#define MESSAGE_LINE_MS 1000

/* The messages of one peer. */
struct message_reader {
	struct buf queue;
	bool has_lines; /* the peer has sent a newline before */
	unsigned char storage[MESSAGE_MAX + 2]; /* with its newline */
};

/* A message; its bytes are valid until more are added to the queue. */
struct message {
	const unsigned char *bytes;
	size_t length;
	size_t newline; /* length of its LF, CRLF or nothing */
};

void message_init(struct message_reader *r);

/* Where to add bytes to the queue, as buf_space(); buf_added() adds them. */
unsigned char *message_space(struct message_reader *r, size_t *capacity);

/*
 * Removes the next complete line from the queue; returns false if there is
 * none.
 */
bool message_next_line(struct message_reader *r, struct message *m);

/* Removes the bytes without a newline; returns false if there are none. */
bool message_rest(struct message_reader *r, struct message *m);

/* Whether the next message is too long; check this before removing it. */
bool message_is_too_long(const struct message_reader *r);

/*
 * How long to wait for the rest of the bytes in the queue, in milliseconds; -1
 * if the queue is empty.
 */
int message_wait_ms(const struct message_reader *r);

#endif
