/* A byte queue of fixed size whose contents stay contiguous. */
#include "base/buf.h"

#include <string.h>

void
buf_init(struct buf *b, void *storage, size_t size)
{
	*b = (struct buf){.data = storage, .size = size};
}

/* Moves the queued bytes to the front. */
static void
compact(struct buf *b)
{
	memmove(b->data, b->data + b->head, b->tail - b->head);
	b->tail -= b->head;
	b->head = 0;
}

unsigned char *
buf_space(struct buf *b, size_t *capacity)
{
	if (b->tail == b->size && b->head > 0)
		compact(b);
	*capacity = b->size - b->tail;
	return b->data + b->tail;
}

void
buf_eat(struct buf *b, size_t n)
{
	b->head += n;
	if (b->head == b->tail)
		b->head = b->tail = 0;
}

bool
buf_put(struct buf *b, const void *bytes, size_t n)
{
	if (!buf_fits(b->size, buf_length(b), n))
		return false;
	if (!buf_fits(b->size, b->tail, n))
		compact(b);
	memcpy(b->data + b->tail, bytes, n);
	b->tail += n;
	return true;
}
