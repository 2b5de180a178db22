/* Memory allocation that ends the process when memory runs out. */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"

void
mem_exhausted(void)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_FAILED, "out of memory");
	diag_error(&e);
	exit(ERR_FAILED);
}

void *
mem_array(size_t count, size_t size)
{
	void *p = calloc(count == 0 ? 1 : count, size);

	if (p == NULL)
		mem_exhausted();
	return p;
}

void *
mem_resize(void *old, size_t count, size_t size)
{
	void *p;

	if (count == 0)
		count = 1;
	if (count > SIZE_MAX / size)
		mem_exhausted();
	p = realloc(old, count * size);
	if (p == NULL)
		mem_exhausted();
	return p;
}

char *
mem_text(const char *text)
{
	size_t n = strlen(text) + 1;

	return memcpy(mem_array(n, 1), text, n);
}
