/* Memory allocation that ends the process when memory runs out. */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"

/* A large calloc(3) begins 16 bytes into a page: some processors (AMD Zen 3)
 * copy from a page to there at a quarter of their speed. */
#define BUFFER_ALIGN 64

/* Returns p, or exits if it is NULL. */
static void *
checked(void *p)
{
	struct err e = ERR_INIT;

	if (p != NULL)
		return p;
	err_set(&e, ERR_FAILED, "out of memory");
	diag_error(&e);
	exit(ERR_FAILED);
}

void *
mem_array(size_t count, size_t size)
{
	return checked(calloc(count == 0 ? 1 : count, size));
}

void *
mem_buffer(size_t size)
{
	size_t space = (size + BUFFER_ALIGN - 1) / BUFFER_ALIGN * BUFFER_ALIGN;

	return checked(aligned_alloc(BUFFER_ALIGN, space));
}

void *
mem_resize(void *old, size_t count, size_t size)
{
	if (count == 0)
		count = 1;
	return checked(
	    count > SIZE_MAX / size ? NULL : realloc(old, count * size));
}

void *
mem_grow(void *old, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return old;
	*capacity += *capacity / 2 + 8;
	return mem_resize(old, *capacity, size);
}

char *
mem_text(const char *text)
{
	size_t n = strlen(text) + 1;

	return memcpy(mem_array(n, 1), text, n);
}
