/* Synopsis, help and the machine-readable list, all from the tables. */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include <stdbool.h>
#include <stdio.h>

struct command;

/* Prints the help of a command, or the short one: the usual options and the
 * examples. */
void usage_help(FILE *out, const struct command *c, bool is_short);

/* Prints what "sockt" alone shows: three examples, and where to read on. */
void usage_start(FILE *out);

/* Prints the summary of all commands, for "sockt help". */
void usage_overview(FILE *out, const struct command *const *table);

#endif
