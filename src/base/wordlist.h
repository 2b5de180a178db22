/* Lists that stand in files: words between blanks, commas and line ends. */
#ifndef BASE_WORDLIST_H
#define BASE_WORDLIST_H

#include <stdio.h>

struct err;

/* Takes one word. 0, or -1 with *e. */
typedef int wordlist_add(void *context, const char *word, struct err *e);

/*
 * Gives every word of f to add(), except for what follows '#' in a line.
 * name is the file's, for errors, to which the line is added. 0, or -1 with
 * *e: add()'s, ERR_USAGE for a line that is too long, ERR_OUTPUT.
 */
int wordlist_read(
    FILE *f, const char *name, wordlist_add *add, void *context, struct err *e);

#endif
