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
#include "cmd/habits.h"
#include "cmd/table.h"

#define MAX_WORDS 24
#define TEXT_SIZE 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_command(const struct command *c, char **argv)
{
	struct command_args args;
	struct err e = ERR_INIT;
	const char *row;
	char hint[HABIT_TEXT];

	if (command_parse(c, argv, &args, &e) < 0) {
		if (e.kind != ERR_USAGE || e.text[0] == '\0')
			abort();
		row = habit_find(habits_table,
		    &(struct habit_query){c->name, argv, args.refused,
			args.letter, args.operands});
		if (row != NULL && habit_format(row, hint)[0] == '\0')
			abort();
	}
	command_release(c, &args);
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
