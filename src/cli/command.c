/* Finds commands by name, and checks their operands. */
#include "cli/command.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/suggest.h"

const struct command *
command_find(
    const struct command *const *table, const char *name, struct err *e)
{
	const struct command *const *c;
	const char *nearest = NULL;
	size_t distance = SUGGEST_NONE;
	char shown[64];

	for (c = table; *c != NULL; c++) {
		if (strcmp((*c)->name, name) == 0)
			return *c;
		if (suggest_is_better(name, (*c)->name, &distance))
			nearest = (*c)->name;
	}
	text_escape_string(shown, sizeof(shown), name);
	if (name[0] == '-')
		err_set(e, ERR_USAGE,
		    "'%s' is not a command (options go after the command)",
		    shown);
	else if (nearest != NULL)
		err_set(e, ERR_USAGE,
		    "there is no command '%s'; did you mean '%s'?", shown,
		    nearest);
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
