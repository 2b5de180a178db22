/* A byte queue of fixed size, contiguous so that read(2) and write(2) need no
 * copy. The caller owns the storage. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

/* Whether n more bytes fit into capacity after the first used ones: sizes that
 * are subtracted in the wrong order give a huge result. */
static inline bool
buf_fits(size_t capacity, size_t used, size_t n)
{
	return used <= capacity && n <= capacity - used;
}

struct buf {
	/* The storage, which the caller owns, and its size in bytes. */
	unsigned char *data;
	size_t size;
	/* The index of the first queued byte, and the one after the last. */
	size_t head, tail;
};

/* Makes an empty queue in size bytes of storage, which stay the caller's. */
void buf_init(struct buf *b, void *storage, size_t size);

static inline bool
buf_is_empty(const struct buf *b)
{
	return b->head == b->tail;
}

/* Returns the number of queued bytes. */
static inline size_t
buf_length(const struct buf *b)
{
	return b->tail - b->head;
}

/* Returns the first queued byte, which the others follow. */
static inline const unsigned char *
buf_bytes(const struct buf *b)
{
	return b->data + b->head;
}

/* Returns the free space, and its size in *capacity, which is 0 only if the
 * queue is full: if there is none at the end, the bytes move to the front. */
unsigned char *buf_space(struct buf *b, size_t *capacity);

/* Adds to the queue n bytes that were written at buf_space(). */
static inline void
buf_added(struct buf *b, size_t n)
{
	b->tail += n;
}

/* Removes n bytes from the front; n is at most buf_length(). */
void buf_eat(struct buf *b, size_t n);

/* Appends a copy of n bytes. If they do not fit, it appends nothing and returns
 * false. */
bool buf_put(struct buf *b, const void *bytes, size_t n);

#endif
