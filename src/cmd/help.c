/* The help command: an overview, one command, or what replaces a program. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/hint.h"
#include "cmd/table.h"

/* The width of each of the two columns, as in README. */
#define COLUMN 40
#define INDENT 4

/* cmd/overview.txt, of which the Makefile makes a string. */
extern const char overview_txt[];

/* Prints a row in two columns, each wrapped at words. */
static void
print_row(const char *row)
{
	const char *cells[] = {row, strchr(row, '\t') + 1};
	size_t left[] = {strcspn(row, "\t"), strcspn(cells[1], "\n")};
	size_t i, n, indent, at;

	for (indent = 0; left[0] + left[1] > 0; indent = INDENT) {
		for (i = at = 0; i < 2; i++) {
			n = text_fit(
			    cells[i], left[i], COLUMN - 1 + i - indent);
			if (n == 0)
				continue;
			printf("%*s%.*s", (int)(i * COLUMN + indent - at), "",
			    (int)n, cells[i]);
			at = i * COLUMN + indent + n;
			/* The blank between the words is dropped. */
			n += n < left[i];
			cells[i] += n;
			left[i] -= n;
		}
		putchar('\n');
	}
}

/* Prints the command lines of a program ("nc") and their equivalents in two
 * columns. False if it has none. */
static bool
print_equivalents(const char *program)
{
	const char *row = NULL;
	bool is_found = false;

	while ((row = hint_next_equivalent(program, row)) != NULL) {
		if (!is_found)
			printf("%-*s%s\n\n", COLUMN, "What you type today",
			    "With sockt");
		print_row(row);
		is_found = true;
	}
	return is_found;
}

static const struct opt_group help_groups[] = {{.opts = NULL}};

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
	} else if (!print_equivalents(args->operands[0])) {
		c = command_find(command_table, args->operands[0], e);
		if (c == NULL && strstr(e->text, "did you mean") == NULL)
			return err_set(e, ERR_USAGE,
			    "'%s' is neither a command nor a program that help "
			    "knows",
			    text_shown(args->operands[0]));
		if (c == NULL)
			return -1;
		command_help(c, false);
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
