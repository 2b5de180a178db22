/* Finds commands by name or unique prefix, and checks their operands. */
#include "cli/command.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/suggest.h"

/* Returns the command with the most similar name, or NULL. */
static const struct command *
nearest(const struct command *const *table, const char *name)
{
	const struct command *best = NULL;
	size_t distance = SUGGEST_NONE;

	for (; *table != NULL; table++)
		if (suggest_is_better(name, (*table)->name, &distance))
			best = *table;
	return best;
}

static void
add_candidate(char *list, size_t size, const char *name)
{
	text_append(list, size, "%s%s", list[0] != '\0' ? ", " : "", name);
}

const struct command *
command_find(
    const struct command *const *table, const char *name, struct err *e)
{
	const struct command *found = NULL;
	const struct command *const *c;
	char list[256] = "", shown[64];
	size_t n = strlen(name);
	int matches = 0;

	for (c = table; *c != NULL; c++) {
		if (strcmp((*c)->name, name) == 0)
			return *c;
		if (n == 0 || strncmp((*c)->name, name, n) != 0)
			continue;
		matches++;
		found = *c;
		add_candidate(list, sizeof(list), (*c)->name);
	}
	if (matches == 1)
		return found;
	text_escape_string(shown, sizeof(shown), name);
	if (name[0] == '-') {
		err_set(e, ERR_USAGE,
		    "'%s' is not a command (options go after the command)",
		    shown);
		return NULL;
	}
	if (matches > 1) {
		err_set(
		    e, ERR_USAGE, "command '%s' is ambiguous: %s", shown, list);
		return NULL;
	}
	found = nearest(table, name);
	if (found != NULL)
		err_set(e, ERR_USAGE,
		    "there is no command '%s'; did you mean '%s'?", shown,
		    found->name);
	else
		err_set(e, ERR_USAGE, "there is no command '%s'", shown);
	return NULL;
}

int
command_check_operands(
    const struct command *c, char *const *operands, int count, struct err *e)
{
	char shown[128];

	if (count < c->min_operands)
		return err_set(
		    e, ERR_USAGE, "missing operand: expected %s", c->operands);
	if (c->max_operands >= 0 && count > c->max_operands) {
		text_escape_string(
		    shown, sizeof(shown), operands[c->max_operands]);
		return err_set(e, ERR_USAGE, "unexpected operand '%s'", shown);
	}
	return 0;
}
