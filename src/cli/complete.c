/* What the completion scripts of the shells have in common. */
#include "cli/complete.h"

#include <string.h>

#include "cli/command.h"
#include "cli/equivalents.h"
#include "cli/opt.h"

/* The kinds of arguments, by their names in the tables. */
static const struct argument {
	const char *arg;
	enum complete_kind kind;
	const char *words;
} arguments[] = {
    {"HOST:PORT", COMPLETE_ENDPOINT, NULL},
    {"HOSTS", COMPLETE_ENDPOINT, NULL},
    {"NAME", COMPLETE_USER, NULL},
    {"USER[:GROUP]", COMPLETE_USER, NULL},
    {"IF", COMPLETE_INTERFACE, NULL},
    {"GROUP[%IF]", COMPLETE_ENDPOINT, NULL},
    {"CMD", COMPLETE_COMMAND, NULL},
    {"N|systemd", COMPLETE_WORDS, "systemd"},
    {"URL", COMPLETE_WORDS, "socks5:// socks4:// http://"},
};

static const struct argument *
find_argument(const struct opt *o)
{
	static const struct argument none = {NULL, COMPLETE_NOTHING, NULL};
	size_t i;

	for (i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++)
		if (o->arg != NULL && strcmp(arguments[i].arg, o->arg) == 0)
			return &arguments[i];
	return &none;
}

enum complete_kind
complete_kind_of(const struct opt *o)
{
	if (o->kind == OPT_FILE)
		return COMPLETE_FILE;
	return o->kind == OPT_CHOICE ? COMPLETE_WORDS : find_argument(o)->kind;
}

enum complete_kind
complete_kind_of_operands(const struct command *c)
{
	if (strncmp(c->operands, "URL", 3) == 0)
		return COMPLETE_URL;
	return strncmp(c->operands, "HOST", 4) == 0 ||
		       strncmp(c->operands, "[ADDR]", 6) == 0
		   ? COMPLETE_ENDPOINT
		   : COMPLETE_WORDS;
}

void
complete_walk(FILE *out, const struct command *c,
    void (*each)(FILE *out, const struct command *c, const struct opt *o))
{
	struct opt_at at = {c->groups, NULL};

	while (opt_next(&at))
		each(out, c, at.opt);
}

void
complete_put_words(FILE *out, const struct opt *o, const char *special)
{
	const char *const *word;

	if (o->kind != OPT_CHOICE) {
		complete_put_escaped(out, find_argument(o)->words, special);
		return;
	}
	for (word = o->choices; *word != NULL; word++)
		fprintf(out, "%s%s", word == o->choices ? "" : " ", *word);
}

void
complete_put_escaped(FILE *out, const char *text, const char *special)
{
	for (; *text != '\0'; text++)
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fprintf(out, "%s%c",
			    strchr(special, *text) != NULL ? "\\" : "", *text);
}

void
complete_put_commands(FILE *out, const struct command *const *table)
{
	const struct command *const *c;

	for (c = table; *c != NULL; c++)
		fprintf(out, "%s%s", c == table ? "" : " ", (*c)->name);
}

void
complete_put_operands(
    FILE *out, const struct command *c, const struct command *const *table)
{
	const char *word;

	if (strcmp(c->name, "help") == 0) {
		complete_put_commands(out, table);
		equivalents_programs(out);
		return;
	}
	for (word = c->operands; *word != '\0'; word++)
		fputc(*word == '|' ? ' ' : *word, out);
}
