/* How near two words are: for "did you mean". */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

/* Greater than every distance: where a search for the nearest begins. */
#define SUGGEST_NONE 100

/*
 * True when candidate is near enough to what was typed to be suggested, and
 * nearer than *nearest, which then becomes its distance. A word that contains
 * what was typed is near, and so is one that differs in a third of its letters
 * at most.
 */
bool suggest_is_better(
    const char *typed, const char *candidate, size_t *nearest);

#endif
