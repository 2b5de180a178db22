/* Parses options and operands by the option tables. */
#include "cli/opt.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/suggest.h"
#include "cli/value.h"

/* A row together with its group; given counts how often it was used. */
struct found {
	const struct opt_group *group;
	const struct opt *opt;
};

/* The state of one parse. */
struct parse {
	const struct opt_group *groups;
	void *options;
	const struct opt **given; /* what was used, in order */
	size_t given_count;
	struct err *e;
};

bool
opt_takes_argument(const struct opt *o)
{
	return o->kind != OPT_FLAG && o->kind != OPT_COUNT;
}

const char *
opt_kind_name(enum opt_kind kind)
{
	static const char *const names[] = {"end", "flag", "count", "number",
	    "duration", "size", "string", "choice", "list", "call"};

	return names[kind];
}

const char *
opt_display_name(const struct opt *o, char *buf, size_t size)
{
	if (o->name != NULL)
		snprintf(buf, size, "--%s", o->name);
	else
		snprintf(buf, size, "-%c", o->letter);
	return buf;
}

static bool
find_letter(const struct parse *p, char letter, struct found *f)
{
	for (f->group = p->groups; f->group->opts != NULL; f->group++)
		for (f->opt = f->group->opts; f->opt->kind != OPT_END; f->opt++)
			if (f->opt->letter == letter)
				return true;
	return false;
}

/* Lists the names that begin with name: "--a, --ab". */
static void
list_candidates(
    const struct parse *p, const char *name, size_t n, char *buf, size_t size)
{
	const struct opt_group *g;
	const struct opt *o;

	buf[0] = '\0';
	for (g = p->groups; g->opts != NULL; g++)
		for (o = g->opts; o->kind != OPT_END; o++) {
			if (o->name == NULL || strncmp(o->name, name, n) != 0)
				continue;
			text_append(buf, size, "%s--%s",
			    buf[0] != '\0' ? ", " : "", o->name);
		}
}

/* Nothing has that name: says so, with the one that may have been meant. */
static int
refuse_name(const struct parse *p, const char *name, size_t n)
{
	const struct opt_group *g;
	const struct opt *o;
	const char *best = NULL;
	char typed[64], shown[64];
	size_t least = SUGGEST_NONE;

	snprintf(typed, sizeof(typed), "%.*s", (int)n, name);
	text_escape(shown, sizeof(shown), name, n);
	for (g = p->groups; g->opts != NULL; g++)
		for (o = g->opts; o->kind != OPT_END; o++)
			if (o->name != NULL &&
			    suggest_is_better(typed, o->name, &least))
				best = o->name;
	if (best == NULL)
		return err_set(
		    p->e, ERR_USAGE, "there is no option --%s", shown);
	return err_set(p->e, ERR_USAGE,
	    "there is no option --%s; did you mean --%s?", shown, best);
}

/* A long name, or a prefix of just one. 0, or -1 with e filled. */
static int
find_name(const struct parse *p, const char *name, size_t n, struct found *f)
{
	const struct opt_group *g;
	const struct opt *o;
	char list[256], shown[64];
	int matches = 0;

	for (g = p->groups; g->opts != NULL; g++)
		for (o = g->opts; o->kind != OPT_END; o++) {
			if (o->name == NULL || strncmp(o->name, name, n) != 0)
				continue;
			f->group = g;
			f->opt = o;
			if (o->name[n] == '\0')
				return 0;
			matches++;
		}
	if (matches == 1)
		return 0;
	if (matches == 0) {
		refuse_name(p, name, n);
		return -1;
	}
	text_escape(shown, sizeof(shown), name, n);
	list_candidates(p, name, n, list, sizeof(list));
	err_set(p->e, ERR_USAGE, "option --%s is ambiguous: %s", shown, list);
	return -1;
}

/* True when name is one of the words in list. */
static bool
has_word(const char *list, const char *name)
{
	size_t n;

	for (; list != NULL && *list != '\0';
	     list += strspn(list + n, " ") + n) {
		n = strcspn(list, " ");
		if (strlen(name) == n && strncmp(list, name, n) == 0)
			return true;
	}
	return false;
}

static bool
excludes(const struct opt *a, const struct opt *b)
{
	return (b->name != NULL && has_word(a->excludes, b->name)) ||
	       (a->name != NULL && has_word(b->excludes, a->name));
}

/* Two options that contradict one another, whichever came first. */
static int
check_conflicts(struct parse *p, const struct found *f)
{
	char a[64], b[64];
	size_t i;

	for (i = 0; i < p->given_count; i++)
		if (excludes(p->given[i], f->opt))
			return err_set(p->e, ERR_USAGE,
			    "%s and %s cannot be used together",
			    opt_display_name(p->given[i], a, sizeof(a)),
			    opt_display_name(f->opt, b, sizeof(b)));
	p->given[p->given_count++] = f->opt;
	return 0;
}

/* Stores one option; arg is NULL for those that take none. */
static int
store(struct parse *p, const struct found *f, const char *arg)
{
	void *field = (char *)p->options + f->group->base + f->opt->offset;

	if (check_conflicts(p, f) < 0)
		return -1;
	return value_store(f->opt, arg, field, p->e);
}

/* "--name", "--name=value", "--name value". Returns what it took of argv. */
static int
parse_long(struct parse *p, char **argv, int argc, bool *help)
{
	const char *name = argv[0] + 2, *value = strchr(name, '=');
	size_t n = value == NULL ? strlen(name) : (size_t)(value - name);
	struct found f;

	if (value == NULL && strcmp(name, "help") == 0) {
		*help = true;
		return 1;
	}
	if (find_name(p, name, n, &f) < 0)
		return -1;
	if (!opt_takes_argument(f.opt)) {
		if (value != NULL)
			return err_set(p->e, ERR_USAGE,
			    "option --%s takes no value", f.opt->name);
		return store(p, &f, NULL) < 0 ? -1 : 1;
	}
	if (value != NULL)
		return store(p, &f, value + 1) < 0 ? -1 : 1;
	if (argc < 2)
		return err_set(p->e, ERR_USAGE, "option --%s needs %s",
		    f.opt->name, f.opt->arg);
	return store(p, &f, argv[1]) < 0 ? -1 : 2;
}

/*
 * "-v", "-vv", "-w5", "-w 5", "-nw5". Returns what it took of argv. "-h" alone
 * is help where no option has that letter.
 */
static int
parse_letters(struct parse *p, char **argv, int argc, bool *help)
{
	const char *c;
	struct found f;
	char shown[32];

	for (c = argv[0] + 1; *c != '\0'; c++) {
		if (!find_letter(p, *c, &f)) {
			if (strcmp(argv[0], "-h") == 0) {
				*help = true;
				return 1;
			}
			text_escape(shown, sizeof(shown), c, 1);
			return err_set(
			    p->e, ERR_USAGE, "there is no option -%s", shown);
		}
		if (!opt_takes_argument(f.opt)) {
			if (store(p, &f, NULL) < 0)
				return -1;
			continue;
		}
		if (c[1] != '\0')
			return store(p, &f, c + 1) < 0 ? -1 : 1;
		if (argc < 2)
			return err_set(p->e, ERR_USAGE, "option -%c needs %s",
			    *c, f.opt->arg);
		return store(p, &f, argv[1]) < 0 ? -1 : 2;
	}
	return 1;
}

/*
 * Everything behind "--": operands, or the program. Where operands are still
 * missing it ended the options only, and a second one begins the program.
 */
static void
take_rest(
    char **argv, int argc, int least, bool takes_program, struct opt_rest *rest)
{
	bool wants_operands = !takes_program || rest->count < least;
	int i = 0;

	for (; wants_operands && i < argc; i++) {
		if (takes_program && strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		rest->operands[rest->count++] = argv[i];
	}
	if (i < argc)
		rest->program = argv + i;
}

int
opt_parse(const struct opt_group *groups, char **argv, int argc, int least,
    bool takes_program, void *options, struct opt_rest *rest, struct err *e)
{
	struct parse p = {.groups = groups, .options = options, .e = e};
	size_t letters = 0;
	int i, used = 1, result = 0;

	for (i = 0; i < argc; i++)
		letters += strlen(argv[i]);
	memset(rest, 0, sizeof(*rest));
	rest->given = p.given = mem_array(letters + 1, sizeof(struct opt *));
	rest->operands = mem_array((size_t)argc + 1, sizeof(char *));
	for (i = 0; i < argc && !rest->help; i += used) {
		used = 1;
		if (strcmp(argv[i], "--") == 0) {
			take_rest(argv + i + 1, argc - i - 1, least,
			    takes_program, rest);
			break;
		}
		if (strncmp(argv[i], "--", 2) == 0)
			used = parse_long(&p, argv + i, argc - i, &rest->help);
		else if (argv[i][0] == '-' && argv[i][1] != '\0')
			used =
			    parse_letters(&p, argv + i, argc - i, &rest->help);
		else
			rest->operands[rest->count++] = argv[i];
		if (used < 0) {
			result = -1;
			break;
		}
	}
	return result;
}

const struct opt *
opt_find_given(const struct opt *const *given, const struct opt *table)
{
	const struct opt *o;

	for (; *given != NULL; given++)
		for (o = table; o->kind != OPT_END; o++)
			if (o == *given)
				return o;
	return NULL;
}

void
opt_release(
    const struct opt_group *groups, void *options, struct opt_rest *rest)
{
	const struct opt_group *g;
	const struct opt *o;
	struct opt_list *list;

	for (g = groups; g->opts != NULL; g++)
		for (o = g->opts; o->kind != OPT_END; o++) {
			if (o->kind != OPT_LIST)
				continue;
			list = (void *)((char *)options + g->base + o->offset);
			free(list->items);
			free(list->values);
			list->items = NULL;
			list->values = NULL;
			list->count = 0;
		}
	free(rest->operands);
	free(rest->given);
	memset(rest, 0, sizeof(*rest));
}

/* One row's own sense. */
static int
check_row(const struct opt *o, struct err *e)
{
	char name[64];

	opt_display_name(o, name, sizeof(name));
	if (o->name == NULL && o->letter == 0)
		return err_set(e, ERR_FAILED, "a row has no name");
	if (o->help == NULL || o->help[0] == '\0')
		return err_set(e, ERR_FAILED, "%s has no help", name);
	if (opt_takes_argument(o) != (o->arg != NULL))
		return err_set(e, ERR_FAILED, "%s: argument's name", name);
	if ((o->kind == OPT_CHOICE) != (o->choices != NULL))
		return err_set(e, ERR_FAILED, "%s: choices", name);
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

int
opt_check(const struct opt_group *groups, struct err *e)
{
	const struct opt_group *g, *h;
	const struct opt *o, *q;
	char name[64];

	for (g = groups; g->opts != NULL; g++)
		for (o = g->opts; o->kind != OPT_END; o++) {
			if (check_row(o, e) < 0)
				return -1;
			for (h = groups; h->opts != NULL; h++)
				for (q = h->opts; q->kind != OPT_END; q++)
					if (q != o && is_same_name(o, q))
						return err_set(e, ERR_FAILED,
						    "%s is there twice",
						    opt_display_name(
							o, name, sizeof(name)));
		}
	return 0;
}
