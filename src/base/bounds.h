/*
 * Bounds checks. Every bound of a fixed buffer is checked here: sizes are
 * unsigned, so a subtraction in the wrong order gives a huge result.
 */
#ifndef BASE_BOUNDS_H
#define BASE_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether n more bytes fit into capacity after the first used ones. */
static inline bool
bounds_fit(size_t capacity, size_t used, size_t n)
{
	return used <= capacity && n <= capacity - used;
}

#endif
