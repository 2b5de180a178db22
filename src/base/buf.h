/*
 * A byte queue of fixed size. What is in it lies in one piece, so that it can
 * be handed to read(2) and write(2) without copying. The storage belongs to
 * the caller.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	unsigned char *data; /* storage, the caller's */
	size_t size;         /* its size in bytes */
	size_t head;         /* first byte that is waiting */
	size_t tail;         /* after the last one */
};

void buf_init(struct buf *b, void *storage, size_t size);

bool buf_is_empty(const struct buf *b);

/* Bytes waiting, and where they begin. */
size_t buf_length(const struct buf *b);
const unsigned char *buf_bytes(const struct buf *b);

/*
 * Where new bytes may be put, and in *room how many. Moves what is waiting
 * to the front when the end is reached; *room is 0 only when it is full.
 */
unsigned char *buf_space(struct buf *b, size_t *capacity);

/* Says that n bytes were put at buf_space(). */
void buf_added(struct buf *b, size_t n);

/* Drops n bytes from the front; n is at most buf_length(). */
void buf_eat(struct buf *b, size_t n);

/* Appends a copy of n bytes; false, and nothing appended, without room. */
bool buf_put(struct buf *b, const void *bytes, size_t n);

#endif
