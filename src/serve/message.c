/* Frames the messages of the hello protocol. */
#include "serve/message.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "serve/session.h"

void
message_init(struct message_reader *r)
{
	buf_init(&r->queue, r->storage, sizeof(r->storage));
	r->has_lines = false;
}

bool
message_next_line(struct message_reader *r, struct message *m)
{
	const unsigned char *lf;
	size_t n;

	m->bytes = buf_bytes(&r->queue);
	lf = memchr(m->bytes, '\n', buf_length(&r->queue));
	if (lf == NULL)
		return false;
	n = (size_t)(lf - m->bytes);
	m->length = n;
	if (n > 0 && m->bytes[n - 1] == '\r')
		m->length--;
	m->newline = n + 1 - m->length;
	r->has_lines = true;
	buf_eat(&r->queue, n + 1);
	return true;
}

bool
message_rest(struct message_reader *r, struct message *m)
{
	m->bytes = buf_bytes(&r->queue);
	m->length = buf_length(&r->queue);
	m->newline = 0;
	buf_eat(&r->queue, m->length);
	return m->length > 0;
}

bool
message_is_too_long(const struct message_reader *r)
{
	const unsigned char *bytes = buf_bytes(&r->queue), *lf;
	size_t n = buf_length(&r->queue);

	lf = memchr(bytes, '\n', n);
	if (lf != NULL)
		n = (size_t)(lf - bytes);
	/* A CR at the end may belong to the newline. */
	return n > MESSAGE_MAX && (n > MESSAGE_MAX + 1 || bytes[n - 1] != '\r');
}

int
message_wait_ms(const struct message_reader *r)
{
	if (buf_is_empty(&r->queue))
		return -1;
	return r->has_lines ? MESSAGE_LINE_MS : MESSAGE_BARE_MS;
}

/* Reports a message that is too long to both sides. */
static enum message_status
refuse(struct session *s)
{
	char text[80];
	int n = snprintf(text, sizeof(text),
	    "error: a message may have %d bytes at most\n", MESSAGE_MAX);

	if (session_send(s, text, (size_t)n) == 0)
		err_set(&s->e, ERR_PROTOCOL,
		    "a message is longer than %d bytes", MESSAGE_MAX);
	return MESSAGE_FAILED;
}

/*
 * Receives more bytes, if the queue need not be a message as it is. 1; 0 at
 * the peer's end, or when nothing follows; or -1.
 */
static int
receive_more(struct message_reader *r, struct session *s)
{
	int wait_ms = message_wait_ms(r), ready = 1;
	unsigned char *space;
	size_t capacity;
	ssize_t n;

	if (wait_ms >= 0)
		ready = session_wait(s, POLLIN, deadline_after(wait_ms));
	if (ready <= 0)
		return ready;
	space = buf_space(&r->queue, &capacity);
	n = session_receive(s, space, capacity);
	if (n <= 0)
		return (int)n;
	buf_added(&r->queue, (size_t)n);
	return 1;
}

enum message_status
message_receive(struct message_reader *r, struct session *s, struct message *m)
{
	int more;

	do {
		if (message_is_too_long(r))
			return refuse(s);
		if (message_next_line(r, m))
			return MESSAGE_RECEIVED;
		more = receive_more(r, s);
	} while (more > 0);
	if (more < 0)
		return MESSAGE_FAILED;
	return message_rest(r, m) ? MESSAGE_RECEIVED : MESSAGE_END;
}
