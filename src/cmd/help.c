/*
 * The help command: an overview, one command, or what replaces a program; and
 * the hints for command lines that are rejected.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/table.h"

/* The width of each of the two columns, as in README. */
#define COLUMN 40
#define INDENT 4

/* Files in this folder: the Makefile makes strings of them, without their
 * comments. */
extern const char habits_txt[], equivalents_txt[], overview_txt[];

/* Prints a row in two columns, each wrapped at words. */
static void
print_row(const char *row)
{
	const char *cells[] = {row, strchr(row, '\t') + 1};
	size_t left[] = {strcspn(row, "\t"), strcspn(cells[1], "\n")};
	size_t i, n, indent, at;

	for (indent = 0; left[0] + left[1] > 0; indent = INDENT) {
		for (i = at = 0; i < 2; i++) {
			n = text_fit(
			    cells[i], left[i], COLUMN - 1 + i - indent);
			if (n == 0)
				continue;
			printf("%*s%.*s", (int)(i * COLUMN + indent - at), "",
			    (int)n, cells[i]);
			at = i * COLUMN + indent + n;
			/* The blank between the words is dropped. */
			n += n < left[i];
			cells[i] += n;
			left[i] -= n;
		}
		putchar('\n');
	}
}

/* Steps to the next row, or from NULL to the first. NULL after the last. */
static const char *
next_row(const char *table, const char *row)
{
	row = row == NULL ? table : row + strcspn(row, "\n");
	row += strspn(row, "\n");
	return *row != '\0' ? row : NULL;
}

/* Whether the row is about a program. */
static bool
is_about(const char *row, const char *program)
{
	size_t n = strcspn(row, " ");

	/* nc.openbsd, nc.traditional */
	if (strcmp(program, "netcat") == 0 || strncmp(program, "nc.", 3) == 0)
		program = "nc";
	if (command_is_listed("https httpie xh", program))
		program = "http";
	return strlen(program) == n && strncmp(row, program, n) == 0;
}

/* Prints the command lines of a program ("nc") and their equivalents in two
 * columns. False if it has none. */
static bool
print_equivalents(const char *program)
{
	const char *row = NULL;
	bool is_found = false;

	while ((row = next_row(equivalents_txt, row)) != NULL) {
		if (!is_about(row, program))
			continue;
		if (!is_found)
			printf("%-*s%s\n\n", COLUMN, "What you type today",
			    "With sockt");
		print_row(row);
		is_found = true;
	}
	return is_found;
}

void
help_programs(void)
{
	const char *row = NULL, *last = "";
	size_t n;

	while ((row = next_row(equivalents_txt, row)) != NULL) {
		n = strcspn(row, " ") + 1;
		if (strncmp(row, last, n) != 0)
			printf("%.*s\t\n", (int)n - 1, row);
		last = row;
	}
}

/* Explains a command line of another program by its row that begins most like
 * it, or the first. NULL if the program has none. */
static const char *
find_equivalent(char *const *argv)
{
	const char *row = NULL, *best = NULL, *program = argv[0], *rest;
	char line[128] = "";
	size_t n, longest = 0;

	for (argv++; *argv != NULL; argv++)
		text_append(line, sizeof(line), " %s", *argv);
	while ((row = next_row(equivalents_txt, row)) != NULL) {
		if (!is_about(row, program))
			continue;
		rest = row + strcspn(row, " ");
		for (n = 0; line[n] != '\0' && line[n] == rest[n];)
			n++;
		/* A dash is no option yet. */
		while (n > 0 && strchr(" -", line[n - 1]) != NULL)
			n--;
		if (best != NULL && n <= longest)
			continue;
		best = row;
		longest = n;
	}
	if (best == NULL)
		return NULL;
	n = strcspn(best, "\t");
	return text_format("%.*s is %.*s here ('sockt help %.*s' shows more)",
	    (int)n, best, (int)strcspn(best + n + 1, "\n"), best + n + 1,
	    (int)strcspn(best, " "), best);
}

/* Whether the words begin as the pattern says: as many of them as it has. */
static bool
is_typed(const char *pattern, const char *first, char *const *rest)
{
	char text[128];
	const char *space = pattern;

	snprintf(text, sizeof(text), "%s", first);
	while ((space = strchr(space, ' ')) != NULL && *rest != NULL) {
		text_append(text, sizeof(text), " %s", *rest++);
		space++;
	}
	return fnmatch(pattern, text, 0) == 0;
}

/* Finds the hint for the words first and rest, after a command or "sockt". It
 * is valid until the next call. */
static const char *
find_hint(const char *command, const char *first, char *const *rest)
{
	static char hint[128];
	char commands[64], typed[256], *pattern, *next;
	const char *row = NULL;

	while ((row = next_row(habits_txt, row)) != NULL) {
		(void)sscanf(row, "%63[^\t]\t%255[^\t]\t%127[^\n]", commands,
		    typed, hint);
		if (commands[0] != '*' && !command_is_listed(commands, command))
			continue;
		for (pattern = strtok_r(typed, "|", &next); pattern != NULL;
		     pattern = strtok_r(NULL, "|", &next))
			if (is_typed(pattern, first, rest))
				return hint;
	}
	return NULL;
}

/* Names the commands that have an option, unless c has it. */
static const char *
find_commands(const struct command *c, const char *word, char letter)
{
	size_t n = strcspn(word, "=");
	const struct command *const *other;
	const char *text = NULL, *name;

	for (other = command_table; *other != NULL; other++) {
		if (command_option(*other, letter, word + 2, n - 2) == NULL)
			continue;
		if (*other == c)
			return NULL;
		name = letter != 0 ? text_format("-%c", letter)
				   : text_format("%.*s", (int)n, word);
		text = text == NULL
			   ? text_format(
				 "%s is an option of %s", name, (*other)->name)
			   : text_format("%s, %s", text, (*other)->name);
	}
	return text;
}

/* Explains a rejected option: by the word as typed, then by its letter, or by
 * its long name and value as words. */
static const char *
explain_option(const struct command *c, const struct command_args *args)
{
	const char *word = args->refused[0];
	char *const *rest = args->refused + 1;
	const char *hint = find_hint(c->name, word, rest);
	size_t n = strcspn(word, "=");

	if (hint == NULL)
		hint = find_hint(c->name,
		    args->letter != 0 ? text_format("-%c", args->letter)
				      : text_format("%.*s %s", (int)n, word,
					    word + n + (word[n] == '=')),
		    rest);
	return hint != NULL ? hint : find_commands(c, word, args->letter);
}

/* Whether the error quotes the word or, as of HOST:PORT, its last part. */
static bool
is_quoted(const char *error, const char *word)
{
	const char *part = word != NULL ? strrchr(word, ':') : NULL;

	return word != NULL &&
	       (strstr(error, text_format("'%s'", word)) != NULL ||
		   is_quoted(error, part != NULL ? part + 1 : NULL));
}

/* Explains an error about operands: by an option before a word that it quotes,
 * one before the first operand, or if operands are missing any; then by the
 * error; then by an operand that it quotes. */
static const char *
explain_operands(
    char *const *argv, const struct command_args *args, const char *error)
{
	const char *command = args->command->name, *hint = NULL;
	char *const *word;
	bool is_short = strncmp(error, "missing ", 8) == 0;
	bool is_excess = strncmp(error, "unexpected ", 11) == 0;

	for (word = argv;
	     hint == NULL && *word != NULL && strcmp(*word, "--") != 0; word++)
		if (word[0][0] == '-' &&
		    (is_short || is_quoted(error, word[1]) ||
			(word[1] == args->operands[0] &&
			    (is_excess ? strlen(*word) == 2
				       : strstr(error, "--") != NULL))))
			hint = find_hint(command, *word, word + 1);
	if (hint == NULL && is_excess)
		hint = find_hint(command, error, args->operands + args->count);
	for (word = args->operands; hint == NULL && *word != NULL; word++)
		if (is_short || is_excess || is_quoted(error, word[0]) ||
		    is_quoted(error, word[1]))
			hint = find_hint(command, *word, word + 1);
	return hint;
}

const char *
help_find(const struct command *c, char *const *argv,
    const struct command_args *args, const char *error)
{
	const char *hint;

	if (c != NULL)
		return args->refused != NULL
			   ? explain_option(c, args)
			   : explain_operands(argv, args, error);
	hint = find_equivalent(argv);
	if (hint == NULL)
		hint = find_hint("sockt", argv[0], argv + 1);
	if (hint == NULL && argv[0][0] == '-')
		hint = find_commands(
		    NULL, argv[0], argv[0][1] != '-' ? argv[0][1] : 0);
	return hint;
}

static const struct opt_group help_groups[] = {{.opts = NULL}};

static int
help_run(const struct command_args *args, struct err *e)
{
	const struct command *const *at = command_table, *c;

	if (args->count == 0) {
		fputs("usage: sockt COMMAND [OPTION]... [OPERAND]...\n"
		      "       sockt help [COMMAND|PROGRAM] | --version\n\n"
		      "seven network commands that report what happened on the "
		      "wire\n\n"
		      "commands:\n",
		    stdout);
		for (; *at != NULL; at++)
			printf("  %-12s %s\n", (*at)->name, (*at)->summary);
		fputs(overview_txt, stdout);
	} else if (!print_equivalents(args->operands[0])) {
		c = command_find(command_table, args->operands[0], e);
		if (c == NULL && strstr(e->text, "did you mean") == NULL)
			return err_set(e, ERR_USAGE,
			    "'%s' is neither a command nor a program that help "
			    "knows",
			    text_shown(args->operands[0]));
		if (c == NULL)
			return -1;
		command_help(c, false);
	}
	return 0;
}

const struct command help_command = {
    .name = "help",
    .summary = "show how a command is used, or what replaces a program",
    .operands = "[COMMAND|PROGRAM]",
    .max_operands = 1,
    .groups = help_groups,
    .notes = "A PROGRAM is nc (netcat), ncat, socat, openssl, tcpserver, "
	     "unixserver, systemd-socket-activate, curl, wget, nmap, "
	     "http, wait-for-it, wait4x, dockerize, tcping, expect, telnet or "
	     "strace.",
    .examples = "sockt help\n"
		"sockt help connect\n"
		"sockt help nc\n",
    .run = help_run,
};
