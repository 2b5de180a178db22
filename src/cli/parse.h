/* From argv to a command's options struct, by its option tables. */
#ifndef CLI_PARSE_H
#define CLI_PARSE_H

#include <stdbool.h>

struct err;
struct opt;
struct opt_group;

/* What a command line may have, and where its options go. */
struct parse_syntax {
	const struct opt_group *groups; /* ends with a group without opts */
	void *options;                  /* the command's, with its defaults */
	int min_operands;               /* needed before a program */
	bool runs_program;
};

/* Which help was asked for. */
enum parse_help { PARSE_NO_HELP, PARSE_SHORT_HELP, PARSE_FULL_HELP };

/* What it has besides options. */
struct parsed {
	char **operands; /* pointers into argv, NULL-terminated; owned */
	int count;
	char **program;       /* PROGRAM and its arguments, NULL-terminated, or
				 NULL */
	enum parse_help help; /* --help or -h was given */
	char **refused; /* the word of argv whose option was refused, or NULL */
	char letter;    /* the refused letter of that word; 0: a long option */
	const struct opt **used; /* the options, in order, NULL-terminated;
				     owned */
};

/*
 * Parses argv, which is NULL-terminated and begins after the command's name:
 * options go to syntax->options, the others to *out, in any order. "--"
 * ends the options; where runs_program is set and at least min_operands came
 * before it, what follows is the program. Nothing in argv is copied or changed.
 * 0, or -1 with a usage error in *e. Call parse_release() in both cases.
 */
int parse_args(const struct parse_syntax *syntax, char **argv,
    struct parsed *out, struct err *e);

/* Frees the lists in syntax->options and *out. */
void parse_release(const struct parse_syntax *syntax, struct parsed *out);

#endif
