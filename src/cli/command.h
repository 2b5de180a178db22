/* Commands, and how one is found by its name. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/opt.h"

struct err;

/* What a command gets besides its options. */
struct command_args {
	char **operands; /* NULL-terminated */
	int count;
	char **program; /* after "--", NULL-terminated; NULL without one */
	const struct opt *const *used; /* options, NULL-terminated */
};

/* One command: a file in src/cmd, a row in its table, a manual page. */
struct command {
	const char *name;
	const char *summary;            /* one line, lower case, no full stop */
	const char *operands;           /* for the synopsis: "HOST PORT" */
	int min_operands, max_operands; /* max -1: any number */
	bool runs_program;              /* "-- PROGRAM [ARG]..." may follow */
	const struct opt_group *groups; /* ends with a group without opts */
	const void *defaults;           /* the options before parsing */
	size_t size;                    /* of the options struct */
	const void *effective; /* for the help: like defaults, with the values
				  used for -1 and 0; or NULL */
	const char *usual;     /* long names of the options in the short help,
				  separated by spaces; NULL: all */
	const char *notes;     /* a paragraph at the end of the help, or NULL */
	const char *examples;  /* three lines at its end, or NULL */

	/*
	 * Runs the command. options points to a filled copy of defaults.
	 * Returns 0, or -1 with *e, whose kind is the exit status; an error
	 * without a text has been reported already.
	 */
	int (*run)(const void *options, const struct command_args *args,
	    struct err *e);
};

/*
 * Finds the command of that name. Returns NULL with a usage error, which
 * suggests the nearest. table ends with NULL.
 */
const struct command *command_find(
    const struct command *const *table, const char *name, struct err *e);

/* Checks the number of operands. 0, or -1 with a usage error. */
int command_check_operands(
    const struct command *c, char *const *operands, int count, struct err *e);

#endif
