/* Parses options and operands by the option tables. */
#include "cli/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/opt.h"
#include "cli/suggest.h"

/* "--timeout: '5x' WHAT". Returns -1. */
static int
refuse_value(
    const struct opt *o, const char *arg, const char *what, struct err *e)
{
	char shown[128];

	return err_set(e, ERR_USAGE, "--%s: '%s' %s", o->name,
	    text_escape_string(shown, sizeof(shown), arg), what);
}

static bool
within(const struct opt *o, int64_t n)
{
	return n >= o->min && (o->max == 0 || n <= o->max);
}

static int
store_number(
    const struct opt *o, const char *arg, int64_t *field, struct err *e)
{
	char what[80];
	int64_t n;

	if (num_parse(arg, 0, INT64_MAX, &n) && within(o, n)) {
		*field = n;
		return 0;
	}
	if (o->max != 0)
		snprintf(what, sizeof(what),
		    "is not a number from %lld to %lld", (long long)o->min,
		    (long long)o->max);
	else
		snprintf(what, sizeof(what), "is not a number of %lld or more",
		    (long long)o->min);
	return refuse_value(o, arg, what, e);
}

static int
store_duration(
    const struct opt *o, const char *arg, int64_t *field, struct err *e)
{
	enum num_result result;
	int64_t ms;

	result = num_duration(arg, &ms);
	if (result == NUM_MALFORMED)
		return refuse_value(o, arg,
		    "is not a duration (like 5, 0.5, 500ms, 2m, 1h)", e);
	if (result == NUM_TOO_LARGE)
		return refuse_value(
		    o, arg, "is too long (at most 70 years)", e);
	if (!within(o, ms))
		return refuse_value(
		    o, arg, ms < o->min ? "is too short" : "is too long", e);
	*field = ms;
	return 0;
}

static int
store_size(const struct opt *o, const char *arg, int64_t *field, struct err *e)
{
	int64_t bytes;

	if (!num_size(arg, &bytes))
		return refuse_value(
		    o, arg, "is not a size (like 4096, 64k, 1M, 1G)", e);
	if (!within(o, bytes))
		return refuse_value(o, arg,
		    bytes < o->min ? "is too small" : "is too large", e);
	*field = bytes;
	return 0;
}

static int
store_choice(const struct opt *o, const char *arg, int *field, struct err *e)
{
	char what[256] = "must be ";
	int i;

	for (i = 0; o->choices[i] != NULL; i++) {
		if (strcmp(o->choices[i], arg) == 0) {
			*field = i;
			return 0;
		}
		text_append(what, sizeof(what), "%s%s",
		    i == 0                      ? ""
		    : o->choices[i + 1] == NULL ? " or "
						: ", ",
		    o->choices[i]);
	}
	return refuse_value(o, arg, what, e);
}

static int
store_call(const struct opt *o, const char *arg, void *field, struct err *e)
{
	if (o->call(field, arg, e) == 0)
		return 0;
	err_prefix(e, "--%s", o->name);
	e->kind = ERR_USAGE;
	return -1;
}

/* '-' is checked again at the end: see check_dashes(). */
static int
store_file(
    const struct opt *o, const char *arg, const char **field, struct err *e)
{
	if (*arg == '\0')
		return refuse_value(o, arg, "is not the name of a file", e);
	if (strcmp(arg, "-") == 0 && o->dash == OPT_DASH_REFUSED)
		return refuse_value(o, arg,
		    "is not a file here (./- is a file of that name)", e);
	*field = arg;
	return 0;
}

static void
list_add(struct opt_list *list, const char *arg, int value)
{
	list->items =
	    mem_resize(list->items, list->count + 1, sizeof(list->items[0]));
	list->values =
	    mem_resize(list->values, list->count + 1, sizeof(list->values[0]));
	list->items[list->count] = arg;
	list->values[list->count++] = value;
}

static void
store_flag(const struct opt *o, int *field)
{
	if (o->kind == OPT_COUNT)
		++*field;
	else
		*field = o->value != 0 ? o->value : 1;
}

/*
 * Stores one use of an option in its field; arg is NULL if it has no argument.
 * Text is kept by pointer. Returns 0, or -1 with a usage error and the field
 * unchanged.
 */
static int
store_value(const struct opt *o, const char *arg, void *field, struct err *e)
{
	if (arg == NULL) {
		store_flag(o, field);
		return 0;
	}
	switch (o->kind) {
	case OPT_NUMBER:
		return store_number(o, arg, field, e);
	case OPT_DURATION:
		return store_duration(o, arg, field, e);
	case OPT_SIZE:
		return store_size(o, arg, field, e);
	case OPT_STRING:
		*(const char **)field = arg;
		return 0;
	case OPT_FILE:
		return store_file(o, arg, field, e);
	case OPT_CHOICE:
		return store_choice(o, arg, field, e);
	case OPT_LIST:
		list_add(field, arg, o->value);
		return 0;
	case OPT_CALL:
		return store_call(o, arg, field, e);
	case OPT_FLAG:
	case OPT_COUNT:
	case OPT_END:
		break;
	}
	return 0;
}

/* A row together with its group. */
struct found {
	const struct opt_group *group;
	const struct opt *opt;
};

/* The state of one parse. */
struct parse {
	const struct opt_group *groups;
	void *options;
	struct parsed *out;
	size_t used_count; /* of out->used */
	struct err *e;
};

static bool
find_letter(const struct parse *p, char letter, struct found *f)
{
	for (f->group = p->groups; f->group->opts != NULL; f->group++)
		for (f->opt = f->group->opts; f->opt->kind != OPT_END; f->opt++)
			if (f->opt->letter == letter)
				return true;
	return false;
}

/* Finds a long name, the first n bytes of name. Returns 0, or -1 with *e, which
 * suggests the nearest. */
static int
find_name(const struct parse *p, const char *name, size_t n, struct found *f)
{
	const char *nearest = NULL;
	char typed[64], shown[64];
	size_t distance = SUGGEST_NONE;

	snprintf(typed, sizeof(typed), "%.*s", (int)n, name);
	for (f->group = p->groups; f->group->opts != NULL; f->group++)
		for (f->opt = f->group->opts; f->opt->kind != OPT_END;
		     f->opt++) {
			if (strcmp(f->opt->name, typed) == 0)
				return 0;
			if (suggest_is_better(typed, f->opt->name, &distance))
				nearest = f->opt->name;
		}
	text_escape(shown, sizeof(shown), name, n);
	if (nearest == NULL)
		return err_set(
		    p->e, ERR_USAGE, "there is no option --%s", shown);
	return err_set(p->e, ERR_USAGE,
	    "there is no option --%s; did you mean --%s?", shown, nearest);
}

static bool
excludes(const struct opt *a, const struct opt *b)
{
	return opt_is_listed(a->excludes, b->name) ||
	       opt_is_listed(b->excludes, a->name);
}

/* Checks that the option does not conflict with one used before it. */
static int
check_conflicts(struct parse *p, const struct found *f)
{
	size_t i;

	for (i = 0; i < p->used_count; i++)
		if (excludes(p->out->used[i], f->opt))
			return err_set(p->e, ERR_USAGE,
			    "--%s and --%s cannot be used together",
			    p->out->used[i]->name, f->opt->name);
	p->out->used[p->used_count++] = f->opt;
	return 0;
}

/* Stores one option; arg is NULL if it has no argument. */
static int
store(struct parse *p, const struct found *f, const char *arg)
{
	void *field = (char *)p->options + f->group->base + f->opt->offset;

	if (check_conflicts(p, f) < 0)
		return -1;
	return store_value(f->opt, arg, field, p->e);
}

/* Parses "--name", "--name=value" or "--name value". Returns how many words of
 * argv it used. */
static int
parse_long(struct parse *p, char **argv)
{
	const char *name = argv[0] + 2, *value = strchr(name, '=');
	size_t n = value == NULL ? strlen(name) : (size_t)(value - name);
	struct found f;

	p->out->letter = 0;
	if (value == NULL && strcmp(name, "help") == 0) {
		p->out->help = PARSE_FULL_HELP;
		return 1;
	}
	if (find_name(p, name, n, &f) < 0)
		return -1;
	if (!opt_has_argument(f.opt)) {
		if (value != NULL)
			return err_set(p->e, ERR_USAGE,
			    "option --%s takes no value", f.opt->name);
		return store(p, &f, NULL) < 0 ? -1 : 1;
	}
	if (value != NULL)
		return store(p, &f, value + 1) < 0 ? -1 : 1;
	if (argv[1] == NULL)
		return err_set(p->e, ERR_USAGE, "option --%s needs a %s (%s)",
		    f.opt->name, opt_argument_kind(f.opt), f.opt->arg);
	return store(p, &f, argv[1]) < 0 ? -1 : 2;
}

/*
 * Parses "-v", "-vv", "-w5", "-w 5" or "-nw5". Returns how many words of argv
 * it used. "-h" alone is the short help if no option has that letter.
 */
static int
parse_letters(struct parse *p, char **argv)
{
	const char *c;
	struct found f;
	char shown[32];

	for (c = argv[0] + 1; *c != '\0'; c++) {
		p->out->letter = *c;
		if (!find_letter(p, *c, &f)) {
			if (strcmp(argv[0], "-h") == 0) {
				p->out->help = PARSE_SHORT_HELP;
				return 1;
			}
			text_escape(shown, sizeof(shown), c, 1);
			return err_set(
			    p->e, ERR_USAGE, "there is no option -%s", shown);
		}
		if (!opt_has_argument(f.opt)) {
			if (store(p, &f, NULL) < 0)
				return -1;
			continue;
		}
		if (c[1] != '\0')
			return store(p, &f, c + 1) < 0 ? -1 : 1;
		if (argv[1] == NULL)
			return err_set(p->e, ERR_USAGE,
			    "option -%c needs a %s (%s)", *c,
			    opt_argument_kind(f.opt), f.opt->arg);
		return store(p, &f, argv[1]) < 0 ? -1 : 2;
	}
	return 1;
}

/* Returns the first used option whose long name is in list, or NULL. */
static const struct opt *
find_used(const struct parse *p, const char *list)
{
	size_t i;

	for (i = 0; i < p->used_count; i++)
		if (opt_is_listed(list, p->out->used[i]->name))
			return p->out->used[i];
	return NULL;
}

/* Lists the options of list that the command has: "--a, --b". */
static void
list_known(const struct parse *p, const char *list, char *buf, size_t size)
{
	const struct opt_group *g;
	const struct opt *o;

	buf[0] = '\0';
	for (g = p->groups; g->opts != NULL; g++)
		for (o = g->opts; o->kind != OPT_END; o++)
			if (opt_is_listed(list, o->name))
				text_append(buf, size, "%s--%s",
				    buf[0] != '\0' ? ", " : "", o->name);
}

/* Fails if stdout has other data than that of the option o with '-'. */
static int
check_dash(const struct parse *p, const struct opt *o)
{
	const struct opt *other = find_used(p, o->dash_without);
	char free_with[160];

	if (other != NULL)
		return err_set(p->e, ERR_USAGE,
		    "--%s: '-' is stdout, which has the data of --%s", o->name,
		    other->name);
	if (o->dash_with == NULL || find_used(p, o->dash_with) != NULL ||
	    p->out->program != NULL || find_used(p, "exec") != NULL)
		return 0;
	list_known(p, o->dash_with, free_with, sizeof(free_with));
	return err_set(p->e, ERR_USAGE,
	    "--%s: '-' is stdout, which has the data that is received "
	    "(/dev/stderr is the terminal; stdout is free with %s)",
	    o->name, free_with);
}

/* Checks the files named '-': each is a stream, and has it for itself. */
static int
check_dashes(const struct parse *p)
{
	const struct opt *users[] = {NULL, NULL, NULL}, *o;
	const struct opt_group *g;
	const char *path;

	for (g = p->groups; g->opts != NULL; g++)
		for (o = g->opts; o->kind != OPT_END; o++) {
			if (o->kind != OPT_FILE)
				continue;
			path = *(const char **)((char *)p->options + g->base +
						o->offset);
			if (path == NULL || strcmp(path, "-") != 0)
				continue;
			if (users[o->dash] != NULL)
				return err_set(p->e, ERR_USAGE,
				    "--%s and --%s cannot both be '-'",
				    users[o->dash]->name, o->name);
			users[o->dash] = o;
			if (check_dash(p, o) < 0)
				return -1;
		}
	return 0;
}

/*
 * Stores everything after "--": operands, or the program. If operands are still
 * missing, it ended only the options, and a second one begins the program.
 */
static void
parse_rest(char **argv, const struct parse_syntax *syntax, struct parsed *out)
{
	bool wants_operands =
	    !syntax->runs_program || out->count < syntax->min_operands;

	for (; wants_operands && *argv != NULL; argv++) {
		if (syntax->runs_program && strcmp(*argv, "--") == 0) {
			argv++;
			break;
		}
		out->operands[out->count++] = *argv;
	}
	if (*argv != NULL)
		out->program = argv;
}

int
parse_args(const struct parse_syntax *syntax, char **argv, struct parsed *out,
    struct err *e)
{
	struct parse p = {.groups = syntax->groups,
	    .options = syntax->options,
	    .out = out,
	    .e = e};
	size_t letters = 0;
	int count, used;

	for (count = 0; argv[count] != NULL; count++)
		letters += strlen(argv[count]);
	memset(out, 0, sizeof(*out));
	out->used = mem_array(letters + 1, sizeof(struct opt *));
	out->operands = mem_array((size_t)count + 1, sizeof(char *));
	for (; *argv != NULL && !out->help; argv += used) {
		used = 1;
		if (strcmp(*argv, "--") == 0) {
			parse_rest(argv + 1, syntax, out);
			break;
		}
		if (strncmp(*argv, "--", 2) == 0)
			used = parse_long(&p, argv);
		else if (argv[0][0] == '-' && argv[0][1] != '\0')
			used = parse_letters(&p, argv);
		else
			out->operands[out->count++] = *argv;
		if (used < 0) {
			out->refused = argv;
			return -1;
		}
	}
	return check_dashes(&p);
}

void
parse_release(const struct parse_syntax *syntax, struct parsed *out)
{
	const struct opt_group *g;
	const struct opt *o;
	struct opt_list *list;

	for (g = syntax->groups; g->opts != NULL; g++)
		for (o = g->opts; o->kind != OPT_END; o++) {
			if (o->kind != OPT_LIST)
				continue;
			list = (void *)((char *)syntax->options + g->base +
					o->offset);
			free(list->items);
			free(list->values);
			list->items = NULL;
			list->values = NULL;
			list->count = 0;
		}
	free(out->operands);
	free(out->used);
	memset(out, 0, sizeof(*out));
}
