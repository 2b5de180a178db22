/*
 * Finds the habit from another program that explains a rejected command line.
 */
#include "cli/habit.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

static bool
is_same(char pattern, char c)
{
	return pattern == '#' ? c >= '0' && c <= '9' : pattern == c;
}

static bool
is_word_end(char c)
{
	return c == '\0' || c == ' ';
}

/* Whether the pattern, up to '|', matches the first words of text. */
static bool
matches(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*pattern != '|' || !is_word_end(*text)) {
		if (*pattern == '*') {
			star = ++pattern;
			from = text;
		} else if (*pattern != '|' && is_same(*pattern, *text)) {
			pattern++;
			text++;
		} else if (star != NULL && !is_word_end(*from)) {
			/* The last '*' matches one character more. */
			pattern = star;
			text = ++from;
		} else {
			return false;
		}
	}
	return true;
}

static const char *
next_row(const char *row)
{
	return row + strcspn(row, "\n") + 1;
}

/* Finds the row for first and the words after it. */
static const char *
find_words(const struct habit_set *set, const char *command, const char *first,
    char *const *rest)
{
	char text[128] = "";
	const char *row;

	text_append(text, sizeof(text), "%s", first);
	for (; *rest != NULL; rest++)
		text_append(text, sizeof(text), " %s", *rest);
	for (; set->rows != NULL; set++) {
		if (strcmp(set->command, command) != 0 &&
		    (command[0] == '\0' || strcmp(set->command, "*") != 0))
			continue;
		for (row = set->rows; *row != '\0'; row = next_row(row))
			if (matches(row, text))
				return row;
	}
	return NULL;
}

/* Finds the row of the rejected option: by the word as typed, then by its
 * letter, or by its long name and value as words. */
static const char *
find_option(const struct habit_set *sets, const struct habit_query *q)
{
	const char *row =
	    find_words(sets, q->command, q->refused[0], q->refused + 1);
	char name[64];

	if (row != NULL)
		return row;
	snprintf(name, sizeof(name), "%s", q->refused[0]);
	if (q->letter != 0)
		snprintf(name, sizeof(name), "-%c", q->letter);
	else if (strchr(name, '=') != NULL)
		*strchr(name, '=') = ' ';
	return find_words(sets, q->command, name, q->refused + 1);
}

/* Finds the row of an operand, or of an option that made a word an operand. */
static const char *
find_operand(const struct habit_set *sets, const struct habit_query *q)
{
	const char *row = NULL;
	char *const *word;

	for (word = q->operands; row == NULL && *word != NULL; word++)
		row = find_words(sets, q->command, *word, word + 1);
	for (word = q->argv;
	     row == NULL && *word != NULL && strcmp(*word, "--") != 0; word++)
		if (word[0][0] == '-')
			row = find_words(sets, q->command, *word, word + 1);
	return row;
}

const char *
habit_find(const struct habit_set *sets, const struct habit_query *q)
{
	if (q->command[0] == '\0')
		return find_words(sets, "", q->argv[0], q->argv + 1);
	return q->refused != NULL ? find_option(sets, q)
				  : find_operand(sets, q);
}

const char *
habit_format(const char *row, char *buf)
{
	const char *hint = row + strcspn(row, "|") + 1;
	int hint_length = (int)strcspn(hint, "|");
	const char *instead = hint + hint_length + 1;
	int length = (int)strcspn(instead, "\n");

	snprintf(buf, HABIT_TEXT, "%.*s%s%.*s", hint_length, hint,
	    length > 0 ? ": sockt " : "", length, instead);
	return buf;
}

void
habit_list(FILE *out, const struct habit_set *sets)
{
	const char *c;

	for (; sets->rows != NULL; sets++)
		for (c = sets->rows; *c != '\0'; c++) {
			if (c == sets->rows || c[-1] == '\n')
				fprintf(out, "%s\t", sets->command);
			fputc(*c == '|' ? '\t' : *c, out);
		}
}
