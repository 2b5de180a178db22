/* The help of a command, from the option tables. */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include <stdbool.h>

struct command;

/* Prints the help of a command, or the short one: the usual options and the
 * examples. */
void usage_help(const struct command *c, bool is_short);

#endif
