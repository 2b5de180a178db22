/* Prints synopsis, help and the option list from the option tables. */
#include "cli/usage.h"

#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/opt.h"

#define WIDTH 80
#define HELP_COLUMN 28

/* Text that is wrapped at WIDTH. */
struct wrapped {
	FILE *out;
	size_t indent; /* where continuation lines begin */
	size_t at;     /* the current column */
};

static void
put_word(struct wrapped *w, const char *word, size_t n)
{
	if (w->at > w->indent && w->at + 1 + n > WIDTH) {
		fprintf(w->out, "\n%*s", (int)w->indent, "");
		w->at = w->indent;
	} else if (w->at > w->indent) {
		fputc(' ', w->out);
		w->at++;
	}
	fwrite(word, 1, n, w->out);
	w->at += n;
}

static void
put_words(struct wrapped *w, const char *text)
{
	size_t n;

	for (; *text != '\0'; text += n + strspn(text + n, " ")) {
		n = strcspn(text, " ");
		put_word(w, text, n);
	}
}

/* The default, or "" if it is unset or means no limit. */
static const char *
value_text(const struct opt *o)
{
	const void *field = o->field;
	const char *text;
	char *buf = text_slot();
	int64_t n;

	buf[0] = '\0';
	if (o->kind == OPT_STRING || o->kind == OPT_FILE) {
		memcpy(&text, field, sizeof(text));
		if (text != NULL)
			text_append(buf, TEXT_SLOT, "'%s'", text);
	} else if (o->kind == OPT_CHOICE && *(const int *)field >= 0) {
		return o->choices[*(const int *)field];
	} else if (o->kind == OPT_NUMBER || o->kind == OPT_DURATION) {
		memcpy(&n, field, sizeof(n));
		if (n > 0 && o->kind == OPT_NUMBER)
			text_append(buf, TEXT_SLOT, "%lld", (long long)n);
		else if (n > 0 && n % 1000 == 0)
			text_append(
			    buf, TEXT_SLOT, "%lld s", (long long)(n / 1000));
		else if (n > 0)
			text_append(buf, TEXT_SLOT, "%lld ms", (long long)n);
	}
	return buf;
}

/* Prints as many clauses of a help text as fit in the line. */
static void
put_clauses(FILE *out, const char *help)
{
	const char *marks = ",:;"; /* a semicolon parts more */
	size_t n, end = 0;

	for (n = 1; n <= WIDTH - HELP_COLUMN; n++) {
		if (help[n] == '\0' ||
		    (strchr(marks, help[n]) != NULL && help[n + 1] == ' '))
			end = n;
		if (help[n] == '\0')
			break;
		if (help[n] == ';')
			marks = ";";
	}
	fprintf(out, "%.*s\n", (int)end, help);
}

/* "  -w, --timeout T             the help text (default: 2 s)"; in the short
 * help it is one line. */
static void
option_line(FILE *out, const struct opt *o, bool is_short)
{
	struct wrapped w = {out, HELP_COLUMN, HELP_COLUMN};
	const char *value = value_text(o);
	char shown[TEXT_SLOT], left[128] = "     ";
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
		fprintf(out, "%s\n%*s", left, HELP_COLUMN, "");
	else
		fprintf(out, "%-*s", HELP_COLUMN, left);
	if (is_short) {
		put_clauses(out, o->help);
		return;
	}
	put_words(&w, o->help);
	if (value[0] != '\0') {
		/* As one word. */
		snprintf(shown, sizeof(shown), "(default: %s)", value);
		put_word(&w, shown, strlen(shown));
	}
	fputc('\n', out);
}

/* Prints the options by group, of which adjacent ones can share a title, or for
 * the short help the usual ones alone. */
static void
option_lines(FILE *out, const struct command *c, bool is_short)
{
	struct opt_at at = {c->groups, NULL};
	const char *title = "";

	if (is_short)
		fputc('\n', out);
	while (opt_next(&at)) {
		if (!is_short && strcmp(at.group->title, title) != 0) {
			title = at.group->title;
			fprintf(out, "\n%s:\n", title);
		}
		if (!is_short || c->usual == NULL ||
		    opt_is_listed(c->usual, at.opt->name))
			option_line(out, at.opt, is_short);
	}
}

/* The short help has the first one. */
static void
example_lines(FILE *out, const struct command *c, bool is_short)
{
	const char *line;
	size_t n;

	if (c->examples == NULL)
		return;
	fputs(is_short ? "\nexample:\n" : "\nexamples:\n", out);
	for (line = c->examples; *line != '\0'; line += n + 1) {
		n = strcspn(line, "\n");
		fprintf(out, "  %.*s\n", (int)n, line);
		if (is_short)
			break;
	}
}

static bool
has_kind(const struct command *c, enum opt_kind kind)
{
	struct opt_at at = {c->groups, NULL};

	while (opt_next(&at))
		if (at.opt->kind == kind)
			return true;
	return false;
}

/* Prints what all commands that use the network have in common. */
static void
network_lines(FILE *out, const struct command *c)
{
	fprintf(out, "\nT is a duration such as 5, 0.5, 500ms, 2m or 1h%s\n",
	    has_kind(c, OPT_SIZE) ? "; SIZE is 4096, 64k or 1M" : "");
	fputs("\nexit status: 0 done, 1 failed, 2 usage, 3 name, "
	      "4 refused, 5 timed out,\n6 unreachable, 7 local address, "
	      "8 peer's error, 9 protocol, 10 lost, 11 output\n",
	    out);
}

void
usage_help(FILE *out, const struct command *c, bool is_short)
{
	struct wrapped w = {out, 0, 0};

	fprintf(out, "usage: sockt %s%s%s%s%s\n\n%s\n", c->name,
	    c->groups[0].opts != NULL ? " [OPTION]..." : "",
	    c->operands[0] != '\0' ? " " : "", c->operands,
	    c->runs_program ? " [-- PROGRAM [ARG]...]" : "", c->summary);
	option_lines(out, c, is_short);
	if (!is_short && c->notes != NULL) {
		fputc('\n', out);
		put_words(&w, c->notes);
		fputc('\n', out);
	}
	example_lines(out, c, is_short);
	if (!is_short && has_kind(c, OPT_DURATION))
		network_lines(out, c);
	if (is_short)
		fprintf(out,
		    "\n'sockt %s --help' shows every option; see sockt-%s(1)\n",
		    c->name, c->name);
	else
		fprintf(out, "\nsee sockt(1) and sockt-%s(1)\n", c->name);
}

void
usage_start(FILE *out)
{
	fputs(
	    "usage: sockt COMMAND [OPTION]... [OPERAND]...\n\n"
	    "examples:\n"
	    "    sockt serve-hello -v             start a server; in another "
	    "terminal,\n"
	    "    sockt connect localhost 9999     connect to it and type a "
	    "name\n"
	    "    sockt portscan localhost         find the open ports of this "
	    "machine\n\n"
	    "'sockt help' lists the commands, 'sockt help connect' explains "
	    "one. The tutorial\nis sockt-tutorial(7), the manual "
	    "sockt(1).\n\n",
	    out);
}

void
usage_overview(FILE *out, const struct command *const *table)
{
	fputs("usage: sockt COMMAND [OPTION]... [OPERAND]...\n"
	      "       sockt help [COMMAND|PROGRAM] | --version\n\n"
	      "seven network commands that report what happened on the wire\n\n"
	      "commands:\n",
	    out);
	for (; *table != NULL; table++)
		fprintf(out, "  %-12s %s\n", (*table)->name, (*table)->summary);
	fputs(
	    "\nexamples:\n"
	    "    sockt connect -z -w 2 localhost 22 && echo open\n"
	    "    sockt listen 8080 > received\n"
	    "    sockt http-get -O http://localhost/file\n\n"
	    "'sockt COMMAND -h' shows the usual options of a command, "
	    "'sockt COMMAND --help'\nshows all of them; -v and -vv report "
	    "what happens. 'sockt help nc' shows what\nreplaces nc, and curl, "
	    "nmap, socat and others likewise. Read on in\n"
	    "sockt-tutorial(7), sockt-cookbook(7) and sockt(1).\n",
	    out);
}
