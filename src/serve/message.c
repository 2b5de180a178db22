/* Frames the messages of the hello protocol. */
#include "serve/message.h"

#include <string.h>

void
message_init(struct message_reader *h, void *storage, size_t size)
{
	buf_init(&h->queue, storage, size);
	h->has_lines = false;
}

bool
message_is_full(const struct message_reader *h)
{
	return buf_length(&h->queue) == h->queue.size;
}

void
message_move(struct message_reader *h, void *storage, size_t size)
{
	struct buf old = h->queue;

	buf_init(&h->queue, storage, size);
	buf_put(&h->queue, buf_bytes(&old), buf_length(&old));
}

bool
message_next_line(struct message_reader *h, struct message *m)
{
	const unsigned char *lf;
	size_t n;

	m->bytes = buf_bytes(&h->queue);
	lf = memchr(m->bytes, '\n', buf_length(&h->queue));
	if (lf == NULL)
		return false;
	n = (size_t)(lf - m->bytes);
	m->length = n;
	if (n > 0 && m->bytes[n - 1] == '\r')
		m->length--;
	m->newline = n + 1 - m->length;
	h->has_lines = true;
	buf_eat(&h->queue, n + 1);
	return true;
}

bool
message_rest(struct message_reader *h, struct message *m)
{
	m->bytes = buf_bytes(&h->queue);
	m->length = buf_length(&h->queue);
	m->newline = 0;
	buf_eat(&h->queue, m->length);
	return m->length > 0;
}

bool
message_is_too_long(const struct message_reader *h)
{
	const unsigned char *bytes = buf_bytes(&h->queue), *lf;
	size_t n = buf_length(&h->queue);

	lf = memchr(bytes, '\n', n);
	if (lf != NULL)
		n = (size_t)(lf - bytes);
	/* A CR at the end may belong to the newline. */
	return n > MESSAGE_MAX && (n > MESSAGE_MAX + 1 || bytes[n - 1] != '\r');
}

int
message_wait_ms(const struct message_reader *h)
{
	if (buf_is_empty(&h->queue))
		return -1;
	return h->has_lines ? MESSAGE_LINE_MS : MESSAGE_BARE_MS;
}
