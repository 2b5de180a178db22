/* For fuzzers of what users type. */
#ifndef LIB_USAGE_ERROR_H
#define LIB_USAGE_ERROR_H

#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"

/* Whether a parser accepted its text. A failure is a usage error. */
static inline bool
is_good(int result, const struct err *e)
{
	if (result < 0 && (e->kind != ERR_USAGE || e->text[0] == '\0'))
		abort();
	return result == 0;
}

#endif
