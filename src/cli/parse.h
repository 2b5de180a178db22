/* Parses argv into a command's options struct, by its option tables. */
#ifndef CLI_PARSE_H
#define CLI_PARSE_H

#include <stdbool.h>

struct err;
struct opt;
struct opt_group;

/* What a command line may contain, and where its options are stored. */
struct parse_syntax {
	const struct opt_group *groups; /* ends with a group without opts */
	void *options;                  /* the command's, with its defaults */
	int min_operands;               /* required before a program */
	bool runs_program;
};

/* Which help was requested. */
enum parse_help { PARSE_NO_HELP, PARSE_SHORT_HELP, PARSE_FULL_HELP };

/* What a command line contains besides options. */
struct parsed {
	char **operands; /* pointers into argv, NULL-terminated; owned */
	int count;
	char **program;       /* PROGRAM and its arguments, NULL-terminated, or
				 NULL */
	enum parse_help help; /* --help or -h was used */
	char **refused; /* the word of argv with the rejected option, or NULL */
	char letter;    /* the rejected letter of that word; 0: a long option */
	const struct opt **used; /* the options, in order, NULL-terminated;
				     owned */
};

/*
 * Parses argv, which is NULL-terminated and begins after the command's name.
 * Options are stored in syntax->options, other words in *out; they may be
 * mixed. "--" ends the options; if runs_program is set and at least
 * min_operands came before it, the rest is the program. Nothing in argv is
 * copied or changed. Returns 0, or -1 with a usage error in *e. Call
 * parse_release() in both cases.
 */
int parse_args(const struct parse_syntax *syntax, char **argv,
    struct parsed *out, struct err *e);

/* Frees the lists in syntax->options and *out. */
void parse_release(const struct parse_syntax *syntax, struct parsed *out);

#endif
