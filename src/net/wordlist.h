/* Lists: words separated by commas, and in files also by white space. */
#ifndef NET_WORDLIST_H
#define NET_WORDLIST_H

#include "base/deadline.h"

struct err;

/* Processes one word. Returns 0, or -1 with *e set. */
typedef int wordlist_add(void *context, const char *word, struct err *e);

/*
 * Calls add() for every word of a file, ignoring the rest of a line after '#';
 * "-" is standard input. A NUL byte ends a line, as in the output of
 * 'find -print0'. Caught signals and the deadline end the wait for data.
 *
 * Returns 0, or -1 with *e set, after the file's name: ERR_OUTPUT if it cannot
 * be read, ERR_TIMEOUT, ERR_FAILED with EINTR for a caught signal, or the error
 * of add() with the line number. A wrong line (ERR_USAGE from add()) does
 * not end the list: the error names the first one and the number of others.
 */
int wordlist_read(const char *path, struct deadline until, wordlist_add *add,
    void *context, struct err *e);

/* Calls add() for every word of text, which single commas separate. Returns 0,
 * or -1 with *e set at the first error. */
int wordlist_split(
    const char *text, wordlist_add *add, void *context, struct err *e);

#endif
