/* Prints a completion script for bash, zsh or fish, from the option tables. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/equivalents.h"
#include "cli/opt.h"
#include "cmd/options.h"
#include "cmd/table.h"

/* Calls each() for every option of a command. */
static void
walk(FILE *out, const struct command *c,
    void (*each)(FILE *out, const struct command *c, const struct opt *o))
{
	const struct opt_group *g;
	const struct opt *o;

	for (g = c->groups; g->opts != NULL; g++)
		for (o = g->opts; o->kind != OPT_END; o++)
			each(out, c, o);
}

static bool
names_file(const struct opt *o)
{
	return o->arg != NULL && strcmp(o->arg, "FILE") == 0;
}

/* Prints the words of a choice, separated by spaces. */
static void
put_choices(FILE *out, const struct opt *o)
{
	const char *const *word;

	for (word = o->choices; *word != NULL; word++)
		fprintf(out, "%s%s", word == o->choices ? "" : " ", *word);
}

/* Prints text inside quotes, with a backslash before characters in special. */
static void
put_escaped(FILE *out, const char *text, const char *special)
{
	for (; *text != '\0'; text++)
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fprintf(out, "%s%c",
			    strchr(special, *text) != NULL ? "\\" : "", *text);
}

/* Prints the names of all commands, separated by spaces. */
static void
put_commands(FILE *out, const struct command *const *table)
{
	const struct command *const *c;

	for (c = table; *c != NULL; c++)
		fprintf(out, "%s%s", c == table ? "" : " ", (*c)->name);
}

/* bash: prints a case pattern for the option's names. */
static void
bash_pattern(FILE *out, const struct opt *o)
{
	fputs("\t\t", out);
	if (o->letter != 0)
		fprintf(out, "-%c%s", o->letter, o->name != NULL ? " | " : "");
	if (o->name != NULL)
		fprintf(out, "--%s", o->name);
	fputs(") ", out);
}

/* bash: prints how to complete the argument of an option. */
static void
bash_argument(FILE *out, const struct command *c, const struct opt *o)
{
	(void)c;
	if (!opt_has_argument(o))
		return;
	bash_pattern(out, o);
	if (o->kind == OPT_CHOICE) {
		fputs("words='", out);
		put_choices(out, o);
		fputs("' ;;\n", out);
	} else {
		fprintf(
		    out, "%s ;;\n", names_file(o) ? "words=/files" : "return");
	}
}

static void
bash_name(FILE *out, const struct command *c, const struct opt *o)
{
	(void)c;
	if (o->name != NULL)
		fprintf(out, " --%s", o->name);
	else
		fprintf(out, " -%c", o->letter);
}

static void
bash_command(
    FILE *out, const struct command *c, const struct command *const *table)
{
	fprintf(out, "\t%s)\n\t\tcase $prev in\n", c->name);
	walk(out, c, bash_argument);
	fputs("\t\tesac\n\t\toptions='--help", out);
	walk(out, c, bash_name);
	fputs("'\n", out);
	if (strcmp(c->name, "help") == 0) {
		fputs("\t\toperands='", out);
		put_commands(out, table);
		equivalents_programs(out);
		fputs("'\n", out);
	}
	fputs("\t\t;;\n", out);
}

static void
bash(FILE *out, const struct command *const *table)
{
	const struct command *const *c;

	fputs("# bash completion for sockt; made by sockt completion bash\n"
	      "_sockt() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n"
	      "\tlocal prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	      "\tlocal words='' options='' operands='' i\n"
	      "\t# bash makes a word of the \"=\" in --name=value\n"
	      "\tif [[ $cur == '=' ]]; then\n"
	      "\t\tcur=''\n"
	      "\telif [[ $prev == '=' ]]; then\n"
	      "\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	      "\tfi\n"
	      "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	      "\t\tif [[ ${COMP_WORDS[i]} == -- ]]; then\n"
	      "\t\t\tCOMPREPLY=($(compgen -A command -A file -- \"$cur\"))\n"
	      "\t\t\treturn\n"
	      "\t\tfi\n"
	      "\tdone\n"
	      "\tcase $COMP_CWORD:${COMP_WORDS[1]} in\n"
	      "\t1:*) words='--help --version ",
	    out);
	put_commands(out, table);
	fputs(
	    "' ;;\n\tesac\n\t[[ $words ]] || case ${COMP_WORDS[1]} in\n", out);
	for (c = table; *c != NULL; c++)
		bash_command(out, *c, table);
	fputs("\tesac\n"
	      "\tif [[ -z $words ]]; then\n"
	      "\t\twords=$operands\n"
	      "\t\t[[ $cur != -* ]] || words=$options\n"
	      "\tfi\n"
	      "\tif [[ $words == /files ]]; then\n"
	      "\t\tCOMPREPLY=($(compgen -A file -- \"$cur\"))\n"
	      "\telse\n"
	      "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	      "\tfi\n"
	      "}\n"
	      "complete -F _sockt sockt\n",
	    out);
}

/* zsh: prints "[help]:T:action", which follows the names. */
static void
zsh_rest(FILE *out, const struct opt *o)
{
	fputs("'[", out);
	put_escaped(out, o->help, "[]\\");
	fputc(']', out);
	if (opt_has_argument(o)) {
		fputc(':', out);
		put_escaped(out, o->arg, ":\\");
		fputc(':', out);
		if (names_file(o))
			fputs("_files", out);
		if (o->kind == OPT_CHOICE) {
			fputc('(', out);
			put_choices(out, o);
			fputc(')', out);
		}
	}
	fputs("' \\\n", out);
}

static void
zsh_option(FILE *out, const struct command *c, const struct opt *o)
{
	bool argument = opt_has_argument(o);
	const char *many =
	    o->kind == OPT_LIST || o->kind == OPT_COUNT ? "'*'" : "";

	(void)c;
	fprintf(out, "\t\t\t%s", many);
	if (o->letter != 0 && o->name != NULL)
		fprintf(out, "{-%c%s,--%s%s}", o->letter, argument ? "+" : "",
		    o->name, argument ? "=" : "");
	else if (o->name != NULL)
		fprintf(out, "--%s%s", o->name, argument ? "=" : "");
	else
		fprintf(out, "-%c%s", o->letter, argument ? "+" : "");
	zsh_rest(out, o);
}

static void
zsh(FILE *out, const struct command *const *table)
{
	const struct command *const *c;

	fputs("#compdef sockt\n"
	      "# zsh completion for sockt; made by sockt completion zsh\n"
	      "_sockt() {\n"
	      "\tlocal -a commands\n"
	      "\tcommands=(\n",
	    out);
	for (c = table; *c != NULL; c++) {
		fprintf(out, "\t\t'%s:", (*c)->name);
		put_escaped(out, (*c)->summary, ":\\");
		fputs("'\n", out);
	}
	fputs("\t)\n"
	      "\tif (( CURRENT == 2 )); then\n"
	      "\t\t_describe command commands\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tshift words\n"
	      "\t(( CURRENT-- ))\n"
	      "\tcase $words[1] in\n",
	    out);
	for (c = table; *c != NULL; c++) {
		fprintf(out, "\t%s)\n\t\t_arguments -s -S \\\n", (*c)->name);
		walk(out, *c, zsh_option);
		fputs("\t\t\t'--help[show every option]' \\\n"
		      "\t\t\t'*::operand:_default'\n\t\t;;\n",
		    out);
	}
	fputs("\tesac\n"
	      "}\n"
	      "if [[ $funcstack[1] == _sockt ]]; then\n"
	      "\t_sockt \"$@\"\n"
	      "else\n"
	      "\tcompdef _sockt sockt\n"
	      "fi\n",
	    out);
}

static void
fish_option(FILE *out, const struct command *c, const struct opt *o)
{
	fprintf(out, "complete -c sockt -n '__fish_seen_subcommand_from %s'",
	    c->name);
	if (o->letter != 0)
		fprintf(out, " -s %c", o->letter);
	if (o->name != NULL)
		fprintf(out, " -l %s", o->name);
	if (o->kind == OPT_CHOICE) {
		fputs(" -xa '", out);
		put_choices(out, o);
		fputc('\'', out);
	} else if (opt_has_argument(o)) {
		fputs(names_file(o) ? " -rF" : " -x", out);
	}
	fputs(" -d '", out);
	put_escaped(out, o->help, "\\");
	fputs("'\n", out);
}

static void
fish(FILE *out, const struct command *const *table)
{
	const struct command *const *c;

	fputs("# fish completion for sockt; made by sockt completion fish\n"
	      "complete -c sockt -f\n"
	      "complete -c sockt -n __fish_use_subcommand -l version "
	      "-d 'print the version'\n"
	      "complete -c sockt -l help -d 'show every option'\n",
	    out);
	for (c = table; *c != NULL; c++) {
		fprintf(out,
		    "complete -c sockt -n __fish_use_subcommand -a %s -d '",
		    (*c)->name);
		put_escaped(out, (*c)->summary, "\\");
		fputs("'\n", out);
		walk(out, *c, fish_option);
	}
}

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
		bash(out, table);
	else if (strcmp(shell, "zsh") == 0)
		zsh(out, table);
	else if (strcmp(shell, "fish") == 0)
		fish(out, table);
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
