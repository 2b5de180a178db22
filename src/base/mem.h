/*
 * Allocation that does not fail: when memory has run out the process says so
 * and ends with status 1. For set-up only, never on the data path.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Zeroed storage for count items of size bytes; the caller frees it. */
void *mem_array(size_t count, size_t size);

/* Like reallocarray(3): old is gone, the result is the caller's to free. */
void *mem_resize(void *old, size_t count, size_t size);

/* A copy of text that the caller frees. */
char *mem_text(const char *text);

/* Says that memory has run out, and ends the process with status 1. */
void mem_exhausted(void) __attribute__((noreturn));

#endif
