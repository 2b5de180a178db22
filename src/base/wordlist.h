/* Lists in files: words separated by spaces, tabs, commas and newlines. */
#ifndef BASE_WORDLIST_H
#define BASE_WORDLIST_H

#include <stdio.h>

struct err;

/* Processes one word. Returns 0, or -1 with *e set. */
typedef int wordlist_add(void *context, const char *word, struct err *e);

/*
 * Calls add() for every word of f, ignoring the rest of a line after '#'. name
 * is the file's name, for errors, to which the line number is added. Returns 0,
 * or -1 with *e set: add()'s error, ERR_USAGE for a line that is too long,
 * ERR_OUTPUT.
 */
int wordlist_read(
    FILE *f, const char *name, wordlist_add *add, void *context, struct err *e);

#endif
