/* The completion command: prints a shell's completion script. */
#include <stdio.h>

#include "base/err.h"
#include "cli/command.h"
#include "cli/complete.h"
#include "cmd/options.h"
#include "cmd/table.h"

struct completion_options {
	struct report_options report;
};

static const struct opt_group completion_groups[] = {{NULL, NULL, 0}};

static int
completion_run(
    const void *options, const struct command_args *args, struct err *e)
{
	(void)options;
	return complete_write(stdout, args->operands[0], command_table, e);
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
