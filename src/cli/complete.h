/* Completions for shells, from the tables. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include <stdio.h>

struct command;
struct err;

/*
 * Writes what shell ("bash", "zsh", "fish") has to source to complete the
 * commands of table, their options and the words that these take. 0, or -1
 * with a usage error for another shell.
 */
int complete_write(FILE *out, const char *shell,
    const struct command *const *table, struct err *e);

#endif
