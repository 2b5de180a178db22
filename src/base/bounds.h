/*
 * Whether something fits. Every bound of a fixed buffer is checked here: sizes
 * are unsigned, and a subtraction of two that are in the wrong order is huge.
 */
#ifndef BASE_BOUNDS_H
#define BASE_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>

/* True when n more bytes fit after the first used ones of capacity. */
static inline bool
bounds_fit(size_t capacity, size_t used, size_t n)
{
	return used <= capacity && n <= capacity - used;
}

#endif
