/* The similarity of two words, for "did you mean". */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

/* Greater than every distance; a search for the nearest starts with it. */
#define SUGGEST_NONE 100

/*
 * Returns true if candidate is similar enough to typed to be suggested, and
 * nearer than *nearest, which is then set to its distance. A word that begins
 * with typed is the nearest; a word that contains it is similar, and so is one
 * that differs in at most a third of its letters.
 */
bool suggest_is_better(
    const char *typed, const char *candidate, size_t *nearest);

#endif
