/* Finds commands by name or unique prefix, and runs them. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/suggest.h"
#include "cli/usage.h"

/* The command whose name is nearest, or NULL when none is near. */
static const struct command *
nearest(const struct command *const *table, const char *name)
{
	const struct command *best = NULL;
	size_t least = SUGGEST_NONE;

	for (; *table != NULL; table++)
		if (suggest_is_better(name, (*table)->name, &least))
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
		    "'%s' is no command (options come behind it)", shown);
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

static int
check_operands(
    const struct command *c, const struct opt_rest *rest, struct err *e)
{
	char shown[128];

	if (rest->count < c->least)
		return err_set(e, ERR_USAGE, "%s: expected %s",
		    rest->count == 0 ? "no operand" : "too few operands",
		    c->operands);
	if (c->most >= 0 && rest->count > c->most) {
		text_escape_string(
		    shown, sizeof(shown), rest->operands[c->most]);
		return err_set(
		    e, ERR_USAGE, "'%s' is one operand too many", shown);
	}
	return 0;
}

int
command_run(const struct command *c, char **argv, int argc,
    void (*started)(const struct command *c, const void *options),
    struct err *e)
{
	struct opt_rest rest;
	struct command_args args;
	void *options = mem_array(1, c->size);
	int result;

	if (c->defaults != NULL)
		memcpy(options, c->defaults, c->size);
	result = opt_parse(c->groups, argv, argc, c->least, c->takes_program,
	    options, &rest, e);
	if (rest.help) {
		usage_help(stdout, c);
		result = 0;
	} else if (result == 0 && (result = check_operands(c, &rest, e)) == 0) {
		args.operands = rest.operands;
		args.count = rest.count;
		args.program = rest.program;
		args.given = (const struct opt *const *)rest.given;
		if (started != NULL)
			started(c, options);
		result = c->run(options, &args, e);
	}
	opt_release(c->groups, options, &rest);
	free(options);
	return result;
}
