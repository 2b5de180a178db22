/* Allocation that does not fail: without memory the process reports that and
 * exits with status 1. For set-up, never on the data path. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Zeroed storage for count items of size bytes; the caller frees it. */
void *mem_array(size_t count, size_t size);

/* Storage of size bytes for data, not zeroed; the caller frees it. */
void *mem_buffer(size_t size);

/* reallocarray(3): old becomes invalid, and the caller frees the result. */
void *mem_resize(void *old, size_t count, size_t size);

/* Makes space for one more than count items: returns old while count is below
 * *capacity; otherwise resizes it, and sets *capacity. */
void *mem_grow(void *old, size_t count, size_t *capacity, size_t size);

/* A copy of text that the caller frees. */
char *mem_text(const char *text);

#endif
