/* Hints for command lines that sockt rejects: what users of other programs
 * type, and how it is done here. */
#include "cmd/hint.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cmd/table.h"

/* Files in this folder: the Makefile makes strings of them, without their
 * comments. */
extern const char habits_txt[], equivalents_txt[];

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

const char *
hint_next_equivalent(const char *program, const char *row)
{
	do
		row = next_row(equivalents_txt, row);
	while (row != NULL && program != NULL && !is_about(row, program));
	return row;
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
	while ((row = hint_next_equivalent(program, row)) != NULL) {
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
hint_find(const struct command *c, char *const *argv,
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
