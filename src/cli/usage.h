/* Synopsis, help and the machine-readable list, all from the tables. */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include <stdio.h>

struct command;

/* The whole help of a command. */
void usage_help(FILE *out, const struct command *c);

/* The short help: the usual options and the examples. */
void usage_short(FILE *out, const struct command *c);

/* What "sockt" alone shows: three examples, and where to read on. */
void usage_start(FILE *out);

/* The summary of all commands, for "sockt help". */
void usage_overview(FILE *out, const struct command *const *table);

/*
 * Every option of every command for scripts, one per line, with fields
 * separated by tabs: command, letter or "-", long name or "-", kind,
 * argument or "-", choices with "|" between them or "-", help, default or "-".
 */
void usage_list(FILE *out, const struct command *const *table);

#endif
