/*
 * The hello protocol's messages. A message is a line without its LF or CRLF.
 * Bytes that come without a newline are a message as they are, once no more
 * of them follow for a while: tutorial clients send "Michael" and wait. The
 * answer ends the way its message did.
 */
#ifndef SERVE_HELLO_H
#define SERVE_HELLO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Longest message in bytes, without its newline. */
#define HELLO_MOST 8192

/*
 * How long bytes without a newline may wait for the rest of their line: of a
 * client that never sent a newline, and of one that has, which is likely to
 * send this one too.
 */
#define HELLO_BARE_MS 40
#define HELLO_LINE_MS 1000

struct hello {
	struct buf queue;
	bool has_lines; /* the peer has sent a newline before */
};

/* Storage that holds every message, with its newline. */
#define HELLO_ROOM (HELLO_MOST + 2)

/* One message; the bytes stay until more are added to the queue. */
struct hello_message {
	const unsigned char *bytes;
	size_t length;
	size_t newline; /* bytes that ended it, behind it: LF, CRLF or none */
};

/* storage is the caller's, of any size. */
void hello_init(struct hello *h, void *storage, size_t size);

/*
 * Whether the storage is full, and cannot take the rest of a message: it has
 * to be moved into a larger one, of HELLO_ROOM bytes.
 */
bool hello_is_full(const struct hello *h);

/* Goes on in another storage, at least as large; the old one is free then. */
void hello_move(struct hello *h, void *storage, size_t size);

/* Takes the next whole line; false when there is none. */
bool hello_take_line(struct hello *h, struct hello_message *m);

/* Takes what is there without a newline; false when nothing is. */
bool hello_take_rest(struct hello *h, struct hello_message *m);

/*
 * What comes next is longer than a message may be; to be asked before it is
 * taken.
 */
bool hello_is_too_long(const struct hello *h);

/* How long what waits may wait, in milliseconds; -1 when nothing does. */
int hello_patience_ms(const struct hello *h);

#endif
