/* Commands: how one is found by its name, and its command line parsed. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>

#include "cli/opt.h"

struct err;

/* Which help was requested. */
enum command_help { COMMAND_NO_HELP, COMMAND_SHORT_HELP, COMMAND_FULL_HELP };

/* What a command line contains. */
struct command_args {
	char **operands; /* NULL-terminated */
	int count;
	char **program; /* after "--", NULL-terminated; NULL without one */
	const struct opt *const *used; /* the options, in order,
					  NULL-terminated */
	enum command_help help;        /* --help or -h was used */
	char **refused; /* the word of argv with the rejected option, or NULL */
	char letter;    /* the rejected letter of that word; 0: a long option */
};

/* One command: a file in src/cmd, a row in its table, a manual page. */
struct command {
	const char *name;
	const char *summary;            /* one line, lower case, no full stop */
	const char *operands;           /* for the synopsis: "HOST PORT" */
	int min_operands, max_operands; /* max -1: any number */
	bool runs_program;              /* "-- PROGRAM [ARG]..." may follow */
	const struct opt_group *groups; /* ends with a group without opts */
	const char *usual;    /* long names of the options in the short help,
				 separated by spaces; NULL: all */
	const char *notes;    /* a paragraph at the end of the help, or NULL */
	const char *examples; /* three lines at its end */

	/*
	 * Runs the command, whose options are in their fields. Returns 0, or -1
	 * with *e, whose kind is the exit status; an error without a text has
	 * been reported already.
	 */
	int (*run)(const struct command_args *args, struct err *e);
};

/*
 * Finds the command of that name. Returns NULL with a usage error, which
 * suggests the nearest. table ends with NULL.
 */
const struct command *command_find(
    const struct command *const *table, const char *name, struct err *e);

/*
 * Parses argv, which is NULL-terminated and begins after the command's name,
 * into *args. Options and operands may be mixed. "--" ends the options; if a
 * program may follow and the required operands came before it, the rest is the
 * program. Nothing in argv is copied or changed. Returns 0, or -1 with a usage
 * error in *e. After a request for help nothing else is checked. Call
 * command_release() in all cases.
 */
int command_parse(const struct command *c, char **argv,
    struct command_args *args, struct err *e);

/*
 * Rejects the options whose rows exclude a fact that only the command knows,
 * such as "unix"; what goes on after the option's name in the error. Returns 0,
 * or -1 with a usage error.
 */
int command_check(const struct command_args *args, const char *fact,
    const char *what, struct err *e);

void command_release(const struct command *c, struct command_args *args);

/* Prints the help of c, in cli/usage.c; is_short: the usual options alone, and
 * one example. */
void usage_help(const struct command *c, bool is_short);

#endif
