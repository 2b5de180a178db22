/* Every command's option tables and other fields are consistent. */
#include "base/err.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "cmd/table.h"
#include "lib/tap.h"

/* One row's own sense. */
static int
check_row(const struct opt *o, struct err *e)
{
	const char *name = o->name;

	if (name == NULL)
		return err_set(e, ERR_FAILED, "a row has no name");
	if (o->help == NULL || o->help[0] == '\0')
		return err_set(e, ERR_FAILED, "%s has no help", name);
	if (opt_has_argument(o) != (o->arg != NULL))
		return err_set(e, ERR_FAILED, "%s: argument's name", name);
	if ((o->kind == OPT_CHOICE) != (o->choices != NULL))
		return err_set(e, ERR_FAILED, "%s: choices", name);
	if (o->arg != NULL &&
	    (o->kind == OPT_FILE) != (strstr(o->arg, "FILE") != NULL))
		return err_set(e, ERR_FAILED, "%s: FILE", name);
	if (o->dash_with != NULL && o->dash != OPT_DASH_STDOUT)
		return err_set(e, ERR_FAILED, "%s: stdout", name);
	if ((o->kind == OPT_CALL) != (o->call != NULL))
		return err_set(e, ERR_FAILED, "%s: call", name);
	return 0;
}

static bool
is_same_name(const struct opt *a, const struct opt *b)
{
	if (a->letter != 0 && a->letter == b->letter)
		return true;
	return a->name != NULL && b->name != NULL &&
	       strcmp(a->name, b->name) == 0;
}

static int
check_tables(const struct opt_group *groups, struct err *e)
{
	const struct opt_group *g, *h;
	const struct opt *o, *q;

	for (g = groups; g->opts != NULL; g++)
		for (o = g->opts; o->kind != OPT_END; o++) {
			if (check_row(o, e) < 0)
				return -1;
			for (h = groups; h->opts != NULL; h++)
				for (q = h->opts; q->kind != OPT_END; q++)
					if (q != o && is_same_name(o, q))
						return err_set(e, ERR_FAILED,
						    "%s is there twice",
						    o->name);
		}
	return 0;
}

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

/* -h shows ten options at most, which exist, and three examples. */
static void
check_short_help(const struct command *c)
{
	const char *word = c->usual != NULL ? c->usual : "";
	const char *line;
	size_t n;
	int words = 0, lines = 0;

	for (; *word != '\0'; word += n + (word[n] == ' ')) {
		n = strcspn(word, " ");
		words++;
		if (!has_name(c, word, n))
			ok(false, "%s: -h shows '%.*s'", c->name, (int)n, word);
	}
	ok(words <= 10, "%s: -h shows ten options at most", c->name);
	for (line = c->examples; line != NULL && *line != '\0';
	     line += strcspn(line, "\n") + 1)
		lines++;
	ok(lines == 3, "%s: three examples", c->name);
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
check_words(const struct command *c, const char *word, const char *what)
{
	size_t n;

	for (; word != NULL && *word != '\0'; word += n + (word[n] == ' ')) {
		n = strcspn(word, " ");
		if (!is_known_somewhere(word, n))
			ok(false, "%s: %s '%s'", c->name, what, word);
	}
}

static void
check_lists(const struct command *c)
{
	const struct opt_group *g;
	const struct opt *o;

	for (g = c->groups; g->opts != NULL; g++)
		for (o = g->opts; o->kind != OPT_END; o++) {
			check_words(c, o->excludes, "excludes");
			check_words(c, o->dash_with, "'-' with");
			check_words(c, o->dash_without, "'-' without");
		}
}

static bool
is_bad(const struct opt *one)
{
	struct err e;
	struct opt two[3];
	struct opt_group g[] = {{"g", two, 0}, {NULL, NULL, 0}};

	memset(two, 0, sizeof(two));
	two[0] = *one;
	return check_tables(g, &e) < 0;
}

static void
test_check(void)
{
	struct err e;
	static const struct opt good = {
	    .kind = OPT_FLAG, .letter = 'f', .name = "f", .help = "h"};
	struct opt twice[] = {good,
	    {.kind = OPT_FLAG, .letter = 'g', .name = "f", .help = "h"},
	    {.kind = OPT_END}};
	struct opt_group g[] = {{"g", twice, 0}, {NULL, NULL, 0}};
	struct opt o;

	ok(!is_bad(&good), "a good row");
	ok(check_tables(g, &e) < 0, "a name that is there twice");
	twice[1].name = "g";
	twice[1].letter = 'f';
	ok(check_tables(g, &e) < 0, "a letter that is there twice");
	o = good, o.help = NULL;
	ok(is_bad(&o), "no help");
	o = good, o.arg = "X";
	ok(is_bad(&o), "a flag with an argument");
	o = good, o.name = NULL, o.letter = 0;
	ok(is_bad(&o), "no name at all");
	o = good, o.kind = OPT_CHOICE, o.arg = "X";
	ok(is_bad(&o), "a choice without choices");
	o = good, o.kind = OPT_CALL, o.arg = "X";
	ok(is_bad(&o), "a call without a function");
	o = good, o.kind = OPT_STRING;
	ok(is_bad(&o), "an argument without a name");
	o = good, o.kind = OPT_STRING, o.arg = "DATE|FILE";
	ok(is_bad(&o), "a file that is a string");
	o = good, o.kind = OPT_FILE, o.arg = "FILE", o.dash_with = "f";
	ok(is_bad(&o), "'-' with an option, but not stdout");
}

int
main(void)
{
	const struct command *const *c;
	struct err e = ERR_INIT;

	for (c = command_table; *c != NULL; c++) {
		ok(check_tables((*c)->groups, &e) == 0, "%s: tables%s%s",
		    (*c)->name, e.text[0] != '\0' ? ": " : "", e.text);
		ok(is_phrase((*c)->summary) && strlen((*c)->summary) < 64,
		    "%s: a summary of one line", (*c)->name);
		ok((*c)->size >= sizeof(struct report_options) &&
			(*c)->run != NULL,
		    "%s: the rest", (*c)->name);
		ok((*c)->max_operands < 0 ||
			(*c)->max_operands >= (*c)->min_operands,
		    "%s: operands", (*c)->name);
		check_rows(*c);
		check_short_help(*c);
		check_lists(*c);
	}
	test_check();
	return done_testing();
}
