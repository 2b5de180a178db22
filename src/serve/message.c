/* Frames the messages of the hello protocol. */
#include "serve/message.h"

#include <string.h>

void
message_init(struct message_reader *r)
{
	buf_init(&r->queue, r->storage, sizeof(r->storage));
	r->has_lines = false;
}

unsigned char *
message_space(struct message_reader *r, size_t *capacity)
{
	return buf_space(&r->queue, capacity);
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
