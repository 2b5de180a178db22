/* Every command's option tables and other fields are consistent. */
#include "base/err.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "cmd/table.h"
#include "lib/tap.h"

/* Lower case, one line, no full stop. */
static bool
is_phrase(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && text[n - 1] != '.' && strchr(text, '\n') == NULL &&
	       strchr(text, '\t') == NULL;
}

static bool
has_name(const struct command *c, const char *word, size_t n)
{
	const struct opt_group *g;
	const struct opt *o;

	for (g = c->groups; g->opts != NULL; g++)
		for (o = g->opts; o->kind != OPT_END; o++)
			if (o->name != NULL && strlen(o->name) == n &&
			    strncmp(o->name, word, n) == 0)
				return true;
	return false;
}

/* Every row fits into the struct and has a phrase for its help. */
static void
check_rows(const struct command *c)
{
	const struct opt_group *g;
	const struct opt *o;

	for (g = c->groups; g->opts != NULL; g++)
		for (o = g->opts; o->kind != OPT_END; o++) {
			const char *name = o->name != NULL ? o->name : "-";

			if (!is_phrase(o->help) || strlen(o->help) > 160)
				ok(false, "%s --%s: help", c->name, name);
			if (g->base + o->offset + sizeof(int) > c->size)
				ok(false, "%s --%s: offset", c->name, name);
		}
}

/* Shared groups exclude options that only some commands have; a word that no
 * command has is a slip of the pen. */
static bool
is_known_somewhere(const char *word, size_t n)
{
	const struct command *const *c;

	for (c = command_table; *c != NULL; c++)
		if (has_name(*c, word, n))
			return true;
	return false;
}

static void
check_excludes(const struct command *c)
{
	const struct opt_group *g;
	const struct opt *o;
	const char *word;
	size_t n;

	for (g = c->groups; g->opts != NULL; g++)
		for (o = g->opts; o->kind != OPT_END; o++) {
			word = o->excludes != NULL ? o->excludes : "";
			for (; *word != '\0'; word += n + (word[n] == ' ')) {
				n = strcspn(word, " ");
				if (!is_known_somewhere(word, n))
					ok(false, "%s: excludes '%s'", c->name,
					    word);
			}
		}
}

int
main(void)
{
	const struct command *const *c;
	struct err e = ERR_INIT;

	for (c = command_table; *c != NULL; c++) {
		ok(opt_check((*c)->groups, &e) == 0, "%s: tables%s%s",
		    (*c)->name, e.text[0] != '\0' ? ": " : "", e.text);
		ok(is_phrase((*c)->summary) && strlen((*c)->summary) < 64,
		    "%s: a summary of one line", (*c)->name);
		ok((*c)->size >= sizeof(struct report_options) &&
			(*c)->run != NULL,
		    "%s: the rest", (*c)->name);
		ok((*c)->most < 0 || (*c)->most >= (*c)->least, "%s: operands",
		    (*c)->name);
		check_rows(*c);
		check_excludes(*c);
	}
	return done_testing();
}
