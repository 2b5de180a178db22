/* The help command: an overview, one command, or what replaces a program. */
#include <stdio.h>

#include "base/err.h"
#include "cli/command.h"
#include "cli/equivalents.h"
#include "cli/usage.h"
#include "cmd/options.h"
#include "cmd/table.h"

static const struct opt_group help_groups[] = {{NULL, NULL}};

static int
help_run(const struct command_args *args, struct err *e)
{
	const struct command *c;

	if (args->count == 0) {
		usage_overview(stdout, command_table);
	} else if (!equivalents_print(stdout, args->operands[0])) {
		c = command_find(command_table, args->operands[0], e);
		if (c == NULL)
			return -1;
		usage_help(stdout, c, false);
	}
	return 0;
}

const struct command help_command = {
    .name = "help",
    .summary = "show how a command is used, or what replaces a program",
    .operands = "[COMMAND|PROGRAM]",
    .min_operands = 0,
    .max_operands = 1,
    .groups = help_groups,
    .notes = "A PROGRAM is nc, ncat, socat, tcpserver, curl, wget, nmap, "
	     "wait-for-it, wait4x, dockerize, tcping, telnet or strace.",
    .examples = "sockt help\n"
		"sockt help connect\n"
		"sockt help nc\n",
    .run = help_run,
};
