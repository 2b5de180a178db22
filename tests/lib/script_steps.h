/* The steps of --send and --expect. */
#ifndef TESTS_SCRIPT_STEPS_H
#define TESTS_SCRIPT_STEPS_H

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "relay/script.h"

/* Texts that end with NULL: those with a leading '<' are expected, others sent.
 */
static inline void
add_steps(struct script_steps *steps, const char *const *texts)
{
	struct err e = ERR_INIT;

	memset(steps, 0, sizeof(*steps));
	for (; *texts != NULL; texts++)
		if (script_add(steps, **texts == '<',
			*texts + (**texts == '<' ? 1 : 0), &e) < 0)
			abort();
}

#endif
