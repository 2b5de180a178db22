#include "serve/hello.h"

#include <string.h>

void
hello_init(struct hello *h, void *storage, size_t size)
{
	buf_init(&h->queue, storage, size);
	h->has_lines = false;
}

bool
hello_is_full(const struct hello *h)
{
	return buf_length(&h->queue) == h->queue.size;
}

void
hello_move(struct hello *h, void *storage, size_t size)
{
	struct buf old = h->queue;

	buf_init(&h->queue, storage, size);
	buf_put(&h->queue, buf_bytes(&old), buf_length(&old));
}

bool
hello_take_line(struct hello *h, struct hello_message *m)
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
hello_take_rest(struct hello *h, struct hello_message *m)
{
	m->bytes = buf_bytes(&h->queue);
	m->length = buf_length(&h->queue);
	m->newline = 0;
	buf_eat(&h->queue, m->length);
	return m->length > 0;
}

bool
hello_is_too_long(const struct hello *h)
{
	const unsigned char *bytes = buf_bytes(&h->queue), *lf;
	size_t n = buf_length(&h->queue);

	lf = memchr(bytes, '\n', n);
	if (lf != NULL)
		n = (size_t)(lf - bytes);
	/* A CR at the end may belong to the newline. */
	return n > HELLO_MOST && (n > HELLO_MOST + 1 || bytes[n - 1] != '\r');
}

int
hello_patience_ms(const struct hello *h)
{
	if (buf_is_empty(&h->queue))
		return -1;
	return h->has_lines ? HELLO_LINE_MS : HELLO_BARE_MS;
}
