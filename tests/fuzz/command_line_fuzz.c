/*
 * Command lines of every command: the words are separated by NUL or LF. They
 * are accepted, or rejected with a usage error that has a text; what a habit
 * has to say about them fits.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/command.h"
#include "cli/habit.h"
#include "cli/parse.h"
#include "cmd/habits.h"
#include "cmd/table.h"

#define MAX_WORDS 24
#define TEXT_SIZE 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_command(const struct command *c, char **argv)
{
	void *options = calloc(1, c->size);
	struct parse_syntax syntax = {
	    c->groups, options, c->min_operands, c->runs_program};
	struct parsed parsed;
	struct err e = ERR_INIT;
	const char *row;
	char hint[HABIT_TEXT];
	int result;

	if (options == NULL)
		return;
	if (c->defaults != NULL)
		memcpy(options, c->defaults, c->size);
	result = parse_args(&syntax, argv, &parsed, &e);
	if (result == 0 && parsed.help == PARSE_NO_HELP)
		result = command_check_operands(
		    c, parsed.operands, parsed.count, &e);
	if (result < 0) {
		if (e.kind != ERR_USAGE || e.text[0] == '\0')
			abort();
		row = habit_find(habits_table,
		    &(struct habit_query){c->name, argv, parsed.refused,
			parsed.letter, parsed.operands});
		if (row != NULL && habit_format(row, hint)[0] == '\0')
			abort();
	}
	parse_release(&syntax, &parsed);
	free(options);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_SIZE], *argv[MAX_WORDS + 1];
	const struct command *const *c;
	struct err e = ERR_INIT;
	size_t count = 0, i;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (i = 0; i <= size && count < MAX_WORDS; i++) {
		if (i > 0 && text[i - 1] != '\0')
			continue;
		argv[count] = &text[i];
		argv[count++][strcspn(&text[i], "\n")] = '\0';
		/* A word with @ may name a file. */
		if (strchr(&text[i], '@') != NULL)
			return 0;
	}
	argv[count] = NULL;
	for (c = command_table; *c != NULL; c++)
		check_command(*c, argv);
	(void)command_find(command_table, argv[0], &e);
	return 0;
}
