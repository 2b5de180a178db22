/* Prints synopsis, help and the option list from the option tables. */
#include "cli/usage.h"

#include <string.h>

#include "base/text.h"
#include "cli/command.h"

#define WIDTH 80
#define HELP_COLUMN 28

/* "usage: sockt connect [OPTION]... HOST PORT" */
static void
synopsis(FILE *out, const struct command *c)
{
	fprintf(out, "usage: sockt %s%s%s%s%s\n", c->name,
	    c->groups[0].opts != NULL ? " [OPTION]..." : "",
	    c->operands[0] != '\0' ? " " : "", c->operands,
	    c->runs_program ? " [-- PROGRAM [ARG]...]" : "");
}

/*
 * The words of n bytes of text, broken at WIDTH, behind what ends at column at;
 * further lines begin at column indent. Returns the column that is reached.
 */
static size_t
put_words(FILE *out, const char *text, size_t n, size_t at, size_t indent)
{
	const char *end = text + n;
	size_t word;

	for (; text < end; text += word + strspn(text + word, " ")) {
		word = strcspn(text, " \n");
		if (at > indent && at + 1 + word > WIDTH) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (at > indent) {
			fputc(' ', out);
			at++;
		}
		fwrite(text, 1, word, out);
		at += word;
	}
	return at;
}

/* "fin|keep|quit" for a choice, otherwise the argument's name. */
static void
argument_text(const struct opt *o, char *buf, size_t size)
{
	int i;

	if (o->kind != OPT_CHOICE) {
		snprintf(buf, size, "%s", o->arg);
		return;
	}
	buf[0] = '\0';
	for (i = 0; o->choices[i] != NULL; i++)
		text_append(buf, size, "%s%s", i > 0 ? "|" : "", o->choices[i]);
}

static void
option_line(FILE *out, const struct opt *o)
{
	char left[128], arg[80] = "";
	size_t n;

	if (opt_has_argument(o))
		argument_text(o, arg, sizeof(arg));
	if (o->name == NULL)
		snprintf(left, sizeof(left), "  -%c%s%s", o->letter,
		    arg[0] != '\0' ? " " : "", arg);
	else if (o->letter == 0)
		snprintf(left, sizeof(left), "      --%s%s%s", o->name,
		    arg[0] != '\0' ? " " : "", arg);
	else
		snprintf(left, sizeof(left), "  -%c, --%s%s%s", o->letter,
		    o->name, arg[0] != '\0' ? " " : "", arg);
	n = strlen(left);
	fputs(left, out);
	if (n + 2 > HELP_COLUMN)
		fprintf(out, "\n%*s", HELP_COLUMN, "");
	else
		fprintf(out, "%*s", (int)(HELP_COLUMN - n), "");
	put_words(out, o->help, strlen(o->help), HELP_COLUMN, HELP_COLUMN);
	fputc('\n', out);
}

/* The options by groups; a title in a row with its like is told once. */
static void
option_lines(FILE *out, const struct command *c)
{
	const struct opt_group *g;
	const struct opt *o;

	for (g = c->groups; g->opts != NULL; g++) {
		if (g == c->groups || strcmp(g->title, g[-1].title) != 0)
			fprintf(out, "\n%s:\n", g->title);
		for (o = g->opts; o->kind != OPT_END; o++)
			option_line(out, o);
	}
}

/* Paragraphs are filled; lines that begin with a blank stay as they are. */
static void
notes_text(FILE *out, const char *notes)
{
	size_t n, at = 0;

	fputc('\n', out);
	for (; *notes != '\0'; notes += n + (notes[n] == '\n')) {
		n = strcspn(notes, "\n");
		if (n > 0 && notes[0] != ' ') {
			at = put_words(out, notes, n, at, 0);
			continue;
		}
		fprintf(out, "%s%.*s\n", at > 0 ? "\n" : "", (int)n, notes);
		at = 0;
	}
	if (at > 0)
		fputc('\n', out);
}

void
usage_help(FILE *out, const struct command *c)
{
	synopsis(out, c);
	fprintf(out, "\n%s\n", c->summary);
	option_lines(out, c);
	if (c->notes != NULL)
		notes_text(out, c->notes);
	fprintf(out,
	    "\nexit status: 0 done, 1 failed, 2 usage, 3 name, "
	    "4 refused, 5 timed out,\n6 unreachable, 7 local address, "
	    "8 peer's error, 9 protocol, 10 lost, 11 output;\n"
	    "see sockt(1) and sockt-%s(1)\n",
	    c->name);
}

void
usage_overview(FILE *out, const struct command *const *table)
{
	fprintf(out, "usage: sockt COMMAND [OPTION]... OPERAND...\n"
		     "       sockt help [COMMAND] | --version\n\n"
		     "seven network commands, and what happened on the wire\n\n"
		     "commands:\n");
	for (; *table != NULL; table++)
		fprintf(out, "  %-12s %s\n", (*table)->name, (*table)->summary);
	fprintf(out, "\n'sockt COMMAND --help' tells the options of one; "
		     "-v and -vv in any of them\ntell what happens.\n");
}

static void
list_option(FILE *out, const struct command *c, const struct opt *o)
{
	char choices[128] = "-";

	if (o->kind == OPT_CHOICE)
		argument_text(o, choices, sizeof(choices));
	fprintf(out, "%s\t%c\t%s\t%s\t%s\t%s\t%s\n", c->name,
	    o->letter != 0 ? o->letter : '-', o->name != NULL ? o->name : "-",
	    opt_kind_name(o->kind), o->arg != NULL ? o->arg : "-", choices,
	    o->help);
}

void
usage_list(FILE *out, const struct command *const *table)
{
	const struct opt_group *g;
	const struct opt *o;

	for (; *table != NULL; table++)
		for (g = (*table)->groups; g->opts != NULL; g++)
			for (o = g->opts; o->kind != OPT_END; o++)
				list_option(out, *table, o);
}
