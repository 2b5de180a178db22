/*
 * Habits from other programs: what somebody types who knows nc or curl, and
 * what sockt has instead. The tables are read only after a command line has
 * been refused, so that no valid line changes its meaning. They are plain text,
 * which starting the program does not touch.
 */
#ifndef CLI_HABIT_H
#define CLI_HABIT_H

#include <stdio.h>

/* The size of a hint as a text. */
#define HABIT_TEXT 192

/* The habits of one command. */
struct habit_set {
	const char *command; /* "*": every command; "": in place of a command */

	/*
	 * Lines of "TYPED|HINT|INSTEAD". TYPED are the first words: '*' is any
	 * part of a word, '#' a digit. HINT is a phrase; INSTEAD is a command
	 * line without "sockt", or empty. The first line that matches counts.
	 */
	const char *rows;
};

/* A command line that was refused. */
struct habit_query {
	const char *command;  /* "" where the first word is not a command */
	char *const *argv;    /* the words after it; or from the first one on */
	char *const *refused; /* the word of argv whose option was refused, or
				 NULL: the operands were */
	char letter;          /* of that word, or 0: a long option */
	char *const *operands; /* where the operands were refused */
};

/* The row that explains q, or NULL. The last set has no rows. */
const char *habit_find(
    const struct habit_set *sets, const struct habit_query *q);

/* The hint of a row and the command line. Returns buf, of HABIT_TEXT bytes. */
const char *habit_format(const char *row, char *buf);

/* Every row for scripts, the command in front, fields separated by tabs. */
void habit_list(FILE *out, const struct habit_set *sets);

#endif
