/*
 * The messages of the hello protocol. A message is a line without its LF or
 * CRLF. Bytes without a newline are a message as they are when no more of them
 * follow for a while: tutorial clients send "Michael" and wait. The answer ends
 * as its message did.
 */
#ifndef SERVE_MESSAGE_H
#define SERVE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Longest message in bytes, without its newline. */
#define MESSAGE_MAX 8192

/*
 * How long bytes without a newline wait for the rest of their line: from a
 * client that never sent a newline, and from one that has, which is likely to
 * send this one too.
 */
#define MESSAGE_BARE_MS 40
#define MESSAGE_LINE_MS 1000

struct message_reader {
	struct buf queue;
	bool has_lines; /* the peer has sent a newline before */
	unsigned char storage[MESSAGE_MAX + 2];
};

/* One message; the bytes stay until more are added to the queue. */
struct message {
	const unsigned char *bytes;
	size_t length;
	size_t newline; /* bytes after it that ended it: LF, CRLF or none */
};

void message_init(struct message_reader *r);

/* Removes the next whole line from the queue; false when there is none. */
bool message_next_line(struct message_reader *r, struct message *m);

/* Removes what is there without a newline; false when nothing is. */
bool message_rest(struct message_reader *r, struct message *m);

/* Whether the next message is longer than a message may be; check that before
 * it is removed. */
bool message_is_too_long(const struct message_reader *r);

/* How long the bytes in the queue may wait, in milliseconds; -1 when there are
 * none. */
int message_wait_ms(const struct message_reader *r);

#endif
