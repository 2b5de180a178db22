/* completion: prints a completion script for bash, zsh or fish. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/complete.h"
#include "cmd/options.h"
#include "cmd/table.h"

/*
 * Prints what shell must source to complete the commands of table and their
 * options. 0, or -1 with a usage error for another shell.
 */
static int
write_completions(FILE *out, const char *shell,
    const struct command *const *table, struct err *e)
{
	char shown[64];

	if (strcmp(shell, "bash") == 0)
		complete_bash(out, table);
	else if (strcmp(shell, "zsh") == 0)
		complete_zsh(out, table);
	else if (strcmp(shell, "fish") == 0)
		complete_fish(out, table);
	else
		return err_set(e, ERR_USAGE, "'%s' must be bash, zsh or fish",
		    text_escape_string(shown, sizeof(shown), shell));
	return 0;
}

struct completion_options {
	struct report_options report;
};

static const struct opt_group completion_groups[] = {{NULL, NULL, 0}};

static int
completion_run(
    const void *options, const struct command_args *args, struct err *e)
{
	(void)options;
	return write_completions(stdout, args->operands[0], command_table, e);
}

const struct command completion_command = {
    .name = "completion",
    .summary = "print a completion script for a shell",
    .operands = "bash|zsh|fish",
    .min_operands = 1,
    .max_operands = 1,
    .groups = completion_groups,
    .size = sizeof(struct completion_options),
    .examples = "source <(sockt completion bash)\n"
		"sockt completion zsh > ~/.zfunc/_sockt\n"
		"sockt completion fish > "
		"~/.config/fish/completions/sockt.fish\n",
    .run = completion_run,
};
