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

/* What an option stores. The comment is the C type of its variable. */
enum opt_kind {
	OPT_END,      /* none: the last row of a table */
	OPT_FLAG,     /* int */
	OPT_COUNT,    /* int */
	OPT_NUMBER,   /* int64_t */
	OPT_DURATION, /* int64_t, in milliseconds */
	OPT_SIZE,     /* int64_t, in bytes */
	OPT_STRING,   /* const char *, which points into argv */
	OPT_FILE,     /* const char *, which points into argv */
	OPT_CHOICE,   /* int */
	OPT_LIST,     /* struct opt_list */
	OPT_CALL      /* what call() expects */
};

/* The arguments of a repeatable option, in the order of the command line.
 * Several options can share a list. */
struct opt_list {
	struct opt_argument {
		/* The argument, in argv. */
		const char *text;
		/* The value of the row of the option. */
		int value;
	} * items;
	/* How many items there are; command_release() frees them. */
	size_t count;
};

/* What the name '-' means to an option of OPT_FILE. It is never a file of that
 * name, and each stream can have one user. */
enum opt_dash {
	OPT_DASH_REFUSED, /* a usage error */
	OPT_DASH_STDIN,
	OPT_DASH_STDOUT
};

/*
 * One option, a row of a table. Fields that its kind does not use stay zero.
 *
 * `kind`
 *	What the option stores. The last row of a table is OPT_END.
 *
 * `letter`
 *	The short name, a letter; 0 if the option has none.
 *
 * `name`
 *	The long name, without its dashes. Every option has one.
 *
 * `arg`
 *	The name of the argument in the help: "TIME", "HOST". NULL if the
 *	option takes none: OPT_FLAG, OPT_COUNT.
 *
 * `help`
 *	What the option does, in lower case and without a full stop. The help
 *	wraps it.
 *
 * `field`
 *	The variable to be filled, of the type in enum opt_kind and in static
 *	storage. Its value at the start is the default.
 *
 * `value`
 *	OPT_FLAG stores this number; 0 means 1.
 *	OPT_LIST stores it beside each argument.
 *
 * `dash`
 *	OPT_FILE: what the name '-' means.
 *
 * `min`, `max`
 *	OPT_NUMBER, OPT_DURATION, OPT_SIZE: the smallest and the largest value.
 *	The min of a duration or a size is 0 or 1: more is not supported.
 *	OPT_COUNT: max is how many times the option can be used.
 *	A max of 0 is no limit.
 *
 * `choices`
 *	OPT_CHOICE: the words that can be chosen, up to a NULL. The index of
 *	the word is stored.
 *
 * `dash_with`, `dash_without`
 *	OPT_FILE with OPT_DASH_STDOUT: with '-', one of the words of dash_with
 *	must be given and none of dash_without, or stdout would carry other
 *	data. The words are as in needs. NULL is no condition.
 *
 * `needs`, `excludes`
 *	Words that are separated by spaces: the long names of options, or
 *	"program", the program after "--". The option is rejected unless one of
 *	needs is given, and if one of excludes is. excludes may also name facts
 *	that only the command knows: see command_check(). If both are NULL, the
 *	option can be used with every other.
 *
 * `why`
 *	What is appended to the error of needs or excludes, or NULL.
 *
 * `call`
 *	OPT_CALL: parses the argument into the variable. Returns 0, or -1 with
 *	an error, which becomes a usage error unless it is ERR_LOCAL.
 */
struct opt {
	enum opt_kind kind;
	char letter;
	const char *name;
	const char *arg;
	const char *help;
	void *field;
	int value;
	enum opt_dash dash;
	int64_t min, max;
	const char *const *choices;
	const char *dash_with, *dash_without;
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
	/* The heading in the help, which adjacent groups can share. */
	const char *title;
	/* The table, which ends with OPT_END. */
	const struct opt *opts;
	/* As in struct opt, but for every row. */
	const char *needs, *excludes, *why;
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
	/* The operands, count of them and a NULL. The array is freed by
	 * command_release(). */
	char **operands;
	int count;
	/* The program after "--" and its arguments, up to a NULL, in argv;
	 * NULL if there is none. */
	char **program;
	/* The options used, in order and up to a NULL. The array is freed by
	 * command_release(). */
	const struct opt **used;
	/* Whether --help or -h was used. */
	enum command_help help;
	/* The word of argv with the option that was rejected, or NULL. */
	char **refused;
	/* The rejected letter of that word; 0 if it is a long option. */
	char letter;
};

/* One command: a file in src/cmd, a row in its table, a manual page. */
struct command {
	const char *name;
	/* What it does, in one line, lower case and without a full stop. */
	const char *summary;
	/* Its operands as the synopsis shows them: "HOST PORT". */
	const char *operands;
	/* How many there can be. A maximum of -1 is any number. */
	int min_operands, max_operands;
	/* Whether "-- PROGRAM [ARG]..." may follow. */
	bool runs_program;
	/* Its options. The last group has no opts. */
	const struct opt_group *groups;
	/* The long names of the options that the short help shows, separated
	 * by spaces; NULL for all. */
	const char *usual;
	/* A paragraph at the end of the help, or NULL. */
	const char *notes;
	/* Command lines after it, three of them, each with its newline. The
	 * short help shows the first. */
	const char *examples;

	/*
	 * Runs the command, whose options are in their variables. Returns 0, or
	 * -1 with *e, whose kind is the exit status. An error without a text
	 * has been reported already.
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
 * such as "unix". The error is the name of the option and what. Returns 0, or
 * -1 with a usage error.
 */
int command_check(const struct command_args *args, const char *fact,
    const char *what, struct err *e);

/* Frees what command_parse() has allocated, also the lists of options. */
void command_release(struct command_args *args);

/* Steps to the next option. *at begins as {groups, NULL}. Returns false after
 * the last. */
bool command_next_option(struct opt_at *at);

/* Returns the option of a letter or, if that is 0, of a long name of n bytes.
 * NULL if there is none. */
const struct opt *command_option(
    const struct command *c, char letter, const char *name, size_t n);

/* Whether name is one of the words of list, which are separated by spaces. A
 * list may be NULL. */
bool command_is_listed(const char *list, const char *name);

/* Returns the first option used that is named by list, or NULL. */
const struct opt *command_find_listed(
    const struct command_args *args, const char *list);

/* Prints the help of c. If is_short is set, that is the usual options alone,
 * and one example. */
void command_help(const struct command *c, bool is_short);

#endif
