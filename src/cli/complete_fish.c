/* Prints a completion script for fish, from the option tables. */
#include <string.h>

#include "cli/command.h"
#include "cli/complete.h"
#include "cli/opt.h"

/* What completes an argument in fish. */
static const char *const fish_kinds[] = {[COMPLETE_NOTHING] = " -x",
    [COMPLETE_WORDS] = " -xa '",
    [COMPLETE_FILE] = " -rF",
    [COMPLETE_COMMAND] = " -xa '(__fish_complete_command)'",
    [COMPLETE_USER] = " -xa '(__fish_complete_users)'",
    [COMPLETE_INTERFACE] = " -xa '(__fish_print_interfaces)'",
    [COMPLETE_ENDPOINT] = " -xa '(__sockt_endpoints)'",
    [COMPLETE_URL] = " -xa '(__sockt_urls)'"};

static void
fish_option(FILE *out, const struct command *c, const struct opt *o)
{
	fprintf(out, "complete -c sockt -n '__sockt_is %s'", c->name);
	if (o->letter != 0)
		fprintf(out, " -s %c", o->letter);
	fprintf(out, " -l %s", o->name);
	if (opt_has_argument(o)) {
		fputs(fish_kinds[complete_kind_of(o)], out);
		if (complete_kind_of(o) == COMPLETE_WORDS) {
			complete_put_words(out, o, "");
			fputc('\'', out);
		}
	}
	fputs(" -d '", out);
	complete_put_escaped(out, o->help, "\\");
	fputs("'\n", out);
}

static void
fish_operands(
    FILE *out, const struct command *c, const struct command *const *table)
{
	enum complete_kind kind = complete_kind_of_operands(c);

	fprintf(out, "complete -c sockt -n '__sockt_is %s'%s", c->name,
	    fish_kinds[kind]);
	if (kind == COMPLETE_WORDS) {
		complete_put_operands(out, c, table);
		fputc('\'', out);
	}
	fputc('\n', out);
}

/* A program and its arguments follow "--". */
static const char fish_begin[] =
    "# fish completion for sockt; made by sockt completion fish\n"
    "function __sockt_is\n"
    "\tset -l words (commandline -opc)\n"
    "\ttest \"$words[2]\" = $argv[1]; and not contains -- -- $words\n"
    "end\n"
    "function __sockt_program\n"
    "\tset -l words (commandline -opc)\n"
    "\tset -l at (contains -i -- -- $words); or return\n"
    "\tset -e words[1..$at]\n"
    "\tcomplete -C (string join ' ' -- "
    "(string escape -- $words) (commandline -ct))\n"
    "end\n"
    "function __sockt_endpoints\n"
    "\tset -l word (commandline -ct | string replace -r '^--[^=]*=' '')\n"
    "\tif set -l path (string replace -f -r '^unix:' '' -- $word)\n"
    "\t\tprintf '%s\\n' unix:(__fish_complete_path \"$path\")\n"
    "\telse if set -l start (string match -r '^.*%' -- $word)\n"
    "\t\tprintf '%s\\n' $start(__fish_print_interfaces)\n"
    "\telse\n"
    "\t\t__fish_print_hostnames\n"
    "\t\tprintf '%s\\n' localhost unix:\n"
    "\tend\n"
    "end\n"
    "function __sockt_urls\n"
    "\tfor scheme in " COMPLETE_SCHEMES "\n"
    "\t\tprintf '%s\\n' $scheme{localhost,(__fish_print_hostnames)}/\n"
    "\tend\n"
    "end\n"
    "complete -c sockt -f\n"
    "complete -c sockt -n 'contains -- -- (commandline -opc)' "
    "-xa '(__sockt_program)'\n"
    "complete -c sockt -n __fish_use_subcommand -l version "
    "-d 'print the version'\n"
    "complete -c sockt -l help -d 'show every option'\n";

void
complete_fish(FILE *out, const struct command *const *table)
{
	const struct command *const *c;

	fputs(fish_begin, out);
	for (c = table; *c != NULL; c++) {
		fprintf(out,
		    "complete -c sockt -n __fish_use_subcommand -a %s -d '",
		    (*c)->name);
		complete_put_escaped(out, (*c)->summary, "\\");
		fputs("'\n", out);
		complete_walk(out, *c, fish_option);
		fish_operands(out, *c, table);
	}
}
