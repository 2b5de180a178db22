/* What a command is, and how one is found by its name. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/opt.h"

struct err;

/* What a command runs on besides its options. */
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
	const void *defaults; /* what the options are before parsing */
	size_t size;          /* of the options struct */
	const void *stands;   /* for the help: a struct as defaults, with what
				 -1 or 0 there stands for; or NULL */
	const char *usual;    /* long names of the options in the short help,
				 by spaces; NULL: all */
	const char *notes;    /* a paragraph at the end of the help, or NULL */
	const char *examples; /* three lines at its end, or NULL */

	/*
	 * Does the work. options points to a filled copy of defaults. 0, or
	 * -1 with *e, whose kind is the exit status; an error without a text
	 * has been reported already.
	 */
	int (*run)(const void *options, const struct command_args *args,
	    struct err *e);
};

/*
 * The command of that name, or that just one name begins with. NULL with a
 * usage error that lists the candidates, or suggests the nearest. table ends
 * with NULL.
 */
const struct command *command_find(
    const struct command *const *table, const char *name, struct err *e);

/* Whether c accepts count operands: 0, or -1 with a usage error. */
int command_check_operands(
    const struct command *c, char *const *operands, int count, struct err *e);

#endif
