/* The help command: an overview, one command, or what replaces a program. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/habits.h"
#include "cmd/table.h"

static const struct opt_group help_groups[] = {{.opts = NULL}};

/* overview.txt in this folder, of which the Makefile makes a string. */
extern const char overview_txt[];

static int
help_run(const struct command_args *args, struct err *e)
{
	const struct command *const *at = command_table, *c;

	if (args->count == 0) {
		fputs("usage: sockt COMMAND [OPTION]... [OPERAND]...\n"
		      "       sockt help [COMMAND|PROGRAM] | --version\n\n"
		      "seven network commands that report what happened on the "
		      "wire\n\n"
		      "commands:\n",
		    stdout);
		for (; *at != NULL; at++)
			printf("  %-12s %s\n", (*at)->name, (*at)->summary);
		fputs(overview_txt, stdout);
	} else if (!habits_print(args->operands[0])) {
		c = command_find(command_table, args->operands[0], e);
		if (c == NULL && strstr(e->text, "did you mean") == NULL)
			return err_set(e, ERR_USAGE,
			    "'%s' is neither a command nor a program that help "
			    "knows",
			    text_shown(args->operands[0]));
		if (c == NULL)
			return -1;
		usage_help(c, false);
	}
	return 0;
}

const struct command help_command = {
    .name = "help",
    .summary = "show how a command is used, or what replaces a program",
    .operands = "[COMMAND|PROGRAM]",
    .max_operands = 1,
    .groups = help_groups,
    .notes = "A PROGRAM is nc (netcat), ncat, socat, openssl, tcpserver, "
	     "unixserver, systemd-socket-activate, curl, wget, nmap, "
	     "http, wait-for-it, wait4x, dockerize, tcping, expect, telnet or "
	     "strace.",
    .examples = "sockt help\n"
		"sockt help connect\n"
		"sockt help nc\n",
    .run = help_run,
};
