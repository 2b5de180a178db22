/*
 * Commands: their option tables, command lines and help. One constant table
 * describes every option; the parser, --help, the synopsis, completions and the
 * manual's check all read it, so they cannot disagree. A row points to the
 * static variable that it fills.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* What an option stores, and the C type of its field. */
enum opt_kind {
	OPT_END,      /* the last row of a table */
	OPT_FLAG,     /* int: set to value */
	OPT_COUNT,    /* int: incremented each time */
	OPT_NUMBER,   /* int64_t, from min to max */
	OPT_DURATION, /* int64_t, milliseconds, from min to max */
	OPT_SIZE,     /* int64_t, bytes, from min to max */
	OPT_STRING,   /* const char *, which points into argv */
	OPT_FILE,     /* const char *, the name of a file: see enum opt_dash */
	OPT_CHOICE,   /* int: the index of the word in choices */
	OPT_LIST,     /* struct opt_list: every argument, in order */
	OPT_CALL      /* call() gets the argument and the field's address */
};

/* The arguments of a repeatable option, in command-line order, or of several
 * that share a list. */
struct opt_list {
	struct opt_argument {
		const char *text; /* in argv */
		int value;        /* the row's */
	} * items;                /* freed by command_release() */
	size_t count;
};

/*
 * What the name '-' means to OPT_FILE: never a file of that name. Each stream
 * can have one user.
 */
enum opt_dash {
	OPT_DASH_REFUSED, /* a usage error */
	OPT_DASH_STDIN,
	OPT_DASH_STDOUT
};

/* One option. Fields that a kind does not use stay zero. */
struct opt {
	enum opt_kind kind;
	char letter;      /* short name, or 0 */
	const char *name; /* long name */
	const char *arg;  /* the argument's name in help: "TIME", "HOST" */
	const char *help; /* one line, lower case, no full stop */
	void *field;      /* in static storage; its value is the default */
	int value; /* OPT_FLAG, OPT_LIST: what is stored; OPT_FLAG: 0 means 1 */
	enum opt_dash dash; /* OPT_FILE */
	int64_t min, max;   /* OPT_NUMBER, _DURATION, _SIZE; max 0: none.
			       A minimum of the latter two is 0 or 1.
			       OPT_COUNT: max, how many times */
	const char *const *choices; /* OPT_CHOICE: NULL-terminated words */
	/* OPT_DASH_STDOUT: words as below, of which one must be given, or none,
	   so that stdout has no other data; NULL: it never has. */
	const char *dash_with, *dash_without;
	/*
	 * Words, separated by spaces: the long names of options, or facts about
	 * the command line: "program", or one of command_check(). The option is
	 * rejected without any of needs, and with one of excludes. why, or
	 * NULL, is added to that error.
	 */
	const char *needs, *excludes, *why;
	int (*call)(void *field, const char *arg, struct err *e);
};

/*
 * Rows: the letter or 0, the long name, the argument's name if it has one, the
 * variable and its member, the help text. Other members may follow:
 * FLAG('z', "zero", connect_options, zero, "connect only", .excludes = "exec").
 */
#define OPT_ROW(k, l, n, a, s, f, ...)                                      \
	{                                                                   \
		.kind = k, .letter = l, .name = n, .arg = a, .field = &s.f, \
		.help = __VA_ARGS__                                         \
	}
#define FLAG(l, n, s, f, ...) OPT_ROW(OPT_FLAG, l, n, NULL, s, f, __VA_ARGS__)
#define COUNT(l, n, s, f, ...) OPT_ROW(OPT_COUNT, l, n, NULL, s, f, __VA_ARGS__)
#define NUMBER(l, n, a, s, f, ...) \
	OPT_ROW(OPT_NUMBER, l, n, a, s, f, __VA_ARGS__)
#define DURATION(l, n, a, s, f, ...) \
	OPT_ROW(OPT_DURATION, l, n, a, s, f, __VA_ARGS__)
#define SIZE(l, n, a, s, f, ...) OPT_ROW(OPT_SIZE, l, n, a, s, f, __VA_ARGS__)
#define STRING(l, n, a, s, f, ...) \
	OPT_ROW(OPT_STRING, l, n, a, s, f, __VA_ARGS__)
#define FILENAME(l, n, a, s, f, ...) \
	OPT_ROW(OPT_FILE, l, n, a, s, f, __VA_ARGS__)
#define CHOICE(l, n, a, s, f, ...) \
	OPT_ROW(OPT_CHOICE, l, n, a, s, f, __VA_ARGS__)
#define LIST(l, n, a, s, f, ...) OPT_ROW(OPT_LIST, l, n, a, s, f, __VA_ARGS__)
#define CALL(l, n, a, s, f, ...) OPT_ROW(OPT_CALL, l, n, a, s, f, __VA_ARGS__)

/* A table, as a command uses it. */
struct opt_group {
	const char *title;                  /* heading in help */
	const struct opt *opts;             /* ends with OPT_END */
	const char *needs, *excludes, *why; /* of every row, for long names */
};

/* GROUP("results", reply_opts, .needs = "zero") */
#define GROUP(t, ...)                           \
	{                                       \
		.title = t, .opts = __VA_ARGS__ \
	}

/* An option with its group, or a place between options. */
struct opt_at {
	const struct opt_group *group;
	const struct opt *opt;
};

/* Which help was requested. */
enum command_help { COMMAND_NO_HELP, COMMAND_SHORT_HELP, COMMAND_FULL_HELP };

/* What a command line contains. */
struct command_args {
	const struct command *command;
	char **operands; /* NULL-terminated */
	int count;
	char **program; /* after "--", NULL-terminated; NULL without one */
	const struct opt **used; /* the options, in order, NULL-terminated */
	enum command_help help;  /* --help or -h was used */
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

void command_release(struct command_args *args);

/* Steps to the next option; *at begins as {groups, NULL}. False at the end. */
bool command_next_option(struct opt_at *at);

/*
 * The option of a letter or, if that is 0, of a long name of n bytes. NULL if
 * there is none.
 */
const struct opt *command_option(
    const struct command *c, char letter, const char *name, size_t n);

/* Whether name is one of the words of list, which are separated by spaces. A
 * list may be NULL. */
bool command_is_listed(const char *list, const char *name);

/* Returns the first option used that is named by list, or NULL. */
const struct opt *command_find_listed(
    const struct command_args *args, const char *list);

/* Prints the help of c. is_short: the usual options alone, and one example. */
void command_help(const struct command *c, bool is_short);

#endif
