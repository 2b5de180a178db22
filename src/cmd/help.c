/* The help command: an overview, or the help of one command. */
#include <stdio.h>

#include "base/err.h"
#include "base/event.h"
#include "cli/command.h"
#include "cli/usage.h"
#include "cmd/habits.h"
#include "cmd/options.h"
#include "cmd/table.h"

struct help_options {
	struct report_options report;
	int list;   /* the machine-readable list of options */
	int events; /* the table of JSON events */
	int habits; /* the table of habits */
};

static const struct opt help_opts[] = {
    FLAG(0, "list", help_options, list,
	"every option of every command, tab-separated, for scripts"),
    FLAG(0, "events", help_options, events,
	"the JSON events of --json and their members", .excludes = "list"),
    FLAG(0, "habits", help_options, habits,
	"options and commands of other programs, and what sockt has instead; "
	"tab-separated, for scripts",
	.excludes = "list events"),
    {.kind = OPT_END},
};

static const struct opt_group help_groups[] = {
    {"options", help_opts, 0}, {NULL, NULL, 0}};

static int
help_run(const void *options, const struct command_args *args, struct err *e)
{
	const struct help_options *o = options;
	const struct command *c;

	if (o->list) {
		usage_list(stdout, command_table);
	} else if (o->events) {
		event_print_table(stdout);
	} else if (o->habits) {
		habit_list(stdout, habits_table);
	} else if (args->count == 0) {
		usage_overview(stdout, command_table);
	} else {
		c = command_find(command_table, args->operands[0], e);
		if (c == NULL)
			return -1;
		usage_help(stdout, c);
	}
	return 0;
}

const struct command help_command = {
    .name = "help",
    .summary = "tell what a command does and which options it takes",
    .operands = "[COMMAND]",
    .min_operands = 0,
    .max_operands = 1,
    .groups = help_groups,
    .size = sizeof(struct help_options),
    .run = help_run,
};
