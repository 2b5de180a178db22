/*
 * Habits from other programs: what users of nc or curl type, and what sockt has
 * instead. The tables are read only after a command line was rejected, so that
 * no valid line changes its meaning. They are plain text, which the start of
 * the program does not touch.
 */
#ifndef CLI_HABIT_H
#define CLI_HABIT_H

#include <stdio.h>

/* The size of a formatted hint. */
#define HABIT_TEXT 192

/* The habits of one command. */
struct habit_set {
	const char *command; /* "*": every command; "": instead of a command */

	/*
	 * Lines of "TYPED|HINT|INSTEAD". TYPED is the first words: '*' matches
	 * any part of a word, '#' a digit. HINT is a phrase; INSTEAD is a
	 * command line without "sockt", or empty. The first line that matches
	 * is used.
	 */
	const char *rows;
};

/* A rejected command line. */
struct habit_query {
	const char *command;   /* "" where the first word is not a command */
	char *const *argv;     /* the words after it, or all words */
	char *const *refused;  /* the word of argv with the rejected option;
				  NULL: the operands were rejected */
	char letter;           /* of that word, or 0: a long option */
	char *const *operands; /* if the operands were rejected */
};

/* Finds the row that explains q, or NULL. The last set has no rows. */
const char *habit_find(
    const struct habit_set *sets, const struct habit_query *q);

/* Formats a row's hint and command line. Returns buf, of HABIT_TEXT bytes. */
const char *habit_format(const char *row, char *buf);

/*
 * Prints every row for scripts: the command and the fields, separated by tabs.
 */
void habit_list(FILE *out, const struct habit_set *sets);

#endif
