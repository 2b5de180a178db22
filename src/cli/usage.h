/* Synopsis, help and the machine-readable list, all from the tables. */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include <stdio.h>

struct command;

/* The whole help of a command. */
void usage_help(FILE *out, const struct command *c);

/* The summary of all commands, for "sockt help". */
void usage_overview(FILE *out, const struct command *const *table);

/*
 * Every option of every command, for scripts: a line an option, fields
 * separated by tabs: command, letter or "-", long name or "-", kind,
 * argument or "-", choices by "|" or "-", help.
 */
void usage_list(FILE *out, const struct command *const *table);

#endif
