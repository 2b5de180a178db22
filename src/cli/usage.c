/* Prints the help of a command from the option tables. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define WIDTH 80
#define HELP_COLUMN 28

/* Prints text from column at on, wrapped at WIDTH; its other lines begin at
 * indent. Returns the column after it. */
static size_t
put_text(const char *text, size_t at, size_t indent)
{
	size_t n;

	for (;; at = indent) {
		n = text_fit(text, strlen(text), WIDTH - at);
		printf("%.*s", (int)n, text);
		text += n;
		if (*text == '\0')
			return at + n;
		printf("\n%*s", (int)indent, "");
		text++;
	}
}

/* The default, or "" if it is unset or means no limit. */
static const char *
value_text(const struct opt *o)
{
	const void *field = o->field;
	long long n = 0;

	if (o->kind == OPT_CHOICE && *(const int *)field >= 0)
		return o->choices[*(const int *)field];
	if ((o->kind == OPT_STRING || o->kind == OPT_FILE) &&
	    *(const char *const *)field != NULL)
		return text_format("'%s'", *(const char *const *)field);
	if (o->kind == OPT_NUMBER || o->kind == OPT_DURATION)
		n = *(const int64_t *)field;
	if (n <= 0)
		return "";
	if (o->kind == OPT_NUMBER)
		return text_format("%lld", n);
	return n % 1000 == 0 ? text_format("%lld s", n / 1000)
			     : text_format("%lld ms", n);
}

/* Prints as many clauses of a help text as fit in the line; what stands in
 * parentheses is one, and is not divided. */
static void
put_clauses(const char *help)
{
	const char *marks = ",:; "; /* a semicolon parts more */
	bool is_inside = false;     /* parentheses */
	size_t n, end = 0;

	for (n = 1; n <= WIDTH - HELP_COLUMN; n++) {
		if (help[n] == '\0' ||
		    (!is_inside && strchr(marks, help[n]) != NULL &&
			help[n + 1] == (help[n] == ' ' ? '(' : ' ')))
			end = n;
		if (help[n] == '\0')
			break;
		if (help[n] == ';')
			marks = ";";
		if (help[n] == '(' || help[n] == ')')
			is_inside = help[n] == '(';
	}
	printf("%.*s\n", (int)end, help);
}

/* "  -w, --timeout TIME          the help text (default: 2 s)"; in the short
 * help it is one line. */
static void
option_line(const struct opt *o, bool is_short)
{
	const char *value = value_text(o);
	size_t at;
	bool wraps;
	char left[128] = "     ";
	int i;

	if (o->letter != 0)
		snprintf(left, sizeof(left), "  -%c,", o->letter);
	text_append(left, sizeof(left), " --%s", o->name);
	for (i = 0; o->kind == OPT_CHOICE && o->choices[i] != NULL; i++)
		text_append(left, sizeof(left), "%s%s", i == 0 ? " " : "|",
		    o->choices[i]);
	if (o->kind != OPT_CHOICE && o->arg != NULL)
		text_append(left, sizeof(left), " %s", o->arg);
	if (strlen(left) + 2 > HELP_COLUMN)
		printf("%s\n%*s", left, HELP_COLUMN, "");
	else
		printf("%-*s", HELP_COLUMN, left);
	if (is_short) {
		put_clauses(o->help);
		return;
	}
	at = put_text(o->help, HELP_COLUMN, HELP_COLUMN);
	if (value[0] != '\0') {
		/* As one word. */
		value = text_format("(default: %s)", value);
		wraps = at + 1 + strlen(value) > WIDTH;
		printf("%s%*s%s", wraps ? "\n" : "", wraps ? HELP_COLUMN : 1,
		    "", value);
	}
	putchar('\n');
}

/* Prints the options by group, of which adjacent ones can share a title, or for
 * the short help the usual ones alone. */
static void
option_lines(const struct command *c, bool is_short)
{
	struct opt_at at = {c->groups, NULL};
	const char *title = "";

	if (is_short)
		putchar('\n');
	while (opt_next(&at)) {
		if (!is_short && strcmp(at.group->title, title) != 0) {
			title = at.group->title;
			printf("\n%s:\n", title);
		}
		if (!is_short || c->usual == NULL ||
		    opt_is_listed(c->usual, at.opt->name))
			option_line(at.opt, is_short);
	}
}

void
usage_help(const struct command *c, bool is_short)
{
	struct opt_at at = {c->groups, NULL};
	const char *line = c->examples;
	unsigned kinds = 0; /* of the options: bits by enum opt_kind */
	size_t n;

	while (opt_next(&at))
		kinds |= 1U << at.opt->kind;
	printf("usage: sockt %s%s%s%s%s\n\n%s\n", c->name,
	    c->groups[0].opts != NULL ? " [OPTION]..." : "",
	    c->operands[0] != '\0' ? " " : "", c->operands,
	    c->runs_program ? " [-- PROGRAM [ARG]...]" : "", c->summary);
	if (c->groups[0].opts != NULL)
		option_lines(c, is_short);
	if (!is_short && c->notes != NULL) {
		putchar('\n');
		put_text(c->notes, 0, 0);
		putchar('\n');
	}
	/* The short help has the first example. */
	fputs(is_short ? "\nexample:\n" : "\nexamples:\n", stdout);
	do {
		n = strcspn(line, "\n") + 1;
		printf("  %.*s", (int)n, line);
		line += n;
	} while (!is_short && *line != '\0');
	/* What all commands that use the network have in common. */
	if (!is_short && (kinds & 1U << OPT_DURATION) != 0)
		printf(
		    "\nTIME is a duration such as 5, 0.5, 500ms, 2m or 1h%s\n\n"
		    "exit status: 0 done, 1 failed, 2 usage, 3 name, "
		    "4 refused, 5 timed out,\n6 unreachable, 7 local "
		    "address, 8 peer's error, 9 protocol, 10 lost, "
		    "11 output\n",
		    (kinds & 1U << OPT_SIZE) != 0 ? "; SIZE is 4096, 64k or 1M"
						  : "");
	if (is_short && c->groups[0].opts != NULL)
		printf(
		    "\n'sockt %s --help' shows every option; see sockt-%s(1)\n",
		    c->name, c->name);
	else
		printf("\nsee sockt(1) and sockt-%s(1)\n", c->name);
}
