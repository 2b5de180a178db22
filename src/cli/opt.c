/* The rows of option tables: their properties, and the values they store. */
#include "cli/opt.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

bool
opt_next(struct opt_at *at)
{
	at->opt = at->opt == NULL ? at->group->opts : at->opt + 1;
	while (at->opt != NULL && at->opt->kind == OPT_END)
		at->opt = (++at->group)->opts;
	return at->opt != NULL;
}

const struct opt_group *
opt_group_of(const struct opt_group *groups, const struct opt *o)
{
	struct opt_at at = {groups, NULL};

	while (opt_next(&at) && at.opt != o)
		;
	return at.group;
}

const struct opt *
opt_find(
    const struct opt_group *groups, char letter, const char *name, size_t n)
{
	struct opt_at at = {groups, NULL};

	while (opt_next(&at))
		if (letter != 0 ? at.opt->letter == letter
				: strlen(at.opt->name) == n &&
				      strncmp(at.opt->name, name, n) == 0)
			return at.opt;
	return NULL;
}

bool
opt_has_argument(const struct opt *o)
{
	return o->kind != OPT_FLAG && o->kind != OPT_COUNT;
}

bool
opt_is_listed(const char *list, const char *name)
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

const struct opt *
opt_find_used(const struct opt *const *used, const struct opt *table)
{
	const struct opt *o;

	for (; *used != NULL; used++)
		for (o = table; o->kind != OPT_END; o++)
			if (o == *used)
				return o;
	return NULL;
}

const struct opt *
opt_find_listed(const struct opt *const *used, const char *list)
{
	while (*used != NULL && !opt_is_listed(list, (*used)->name))
		used++;
	return *used;
}

/* "--timeout: '5x' WHAT". Returns -1. */
static int
refuse_value(
    const struct opt *o, const char *arg, const char *what, struct err *e)
{
	return err_set(
	    e, ERR_USAGE, "--%s: '%s' %s", o->name, text_shown(arg), what);
}

/* Parses a number, a duration or a size. Returns NULL, or why the option does
 * not accept it. */
static const char *
parse_amount(const struct opt *o, const char *arg, int64_t *n)
{
	enum num_result result = NUM_GOOD;

	if (o->kind == OPT_NUMBER) {
		if (num_parse(arg, o->min, o->max != 0 ? o->max : INT64_MAX, n))
			return NULL;
		return o->max == 0
			   ? text_format("is not a number of %lld or more",
				 (long long)o->min)
			   : text_format("is not a number from %lld to %lld",
				 (long long)o->min, (long long)o->max);
	}
	if (o->kind == OPT_SIZE && !num_size(arg, n))
		return "is not a size (like 4096, 64k, 1M, 1G)";
	if (o->kind == OPT_DURATION)
		result = num_duration(arg, n);
	if (result == NUM_MALFORMED)
		return "is not a duration (like 5, 0.5, 500ms, 2m, 1h)";
	if (result == NUM_TOO_LARGE)
		return "is too long (at most 70 years)";
	if (*n == 0 && o->min > 0)
		return "must be more than 0";
	if (*n < o->min)
		return o->kind == OPT_SIZE ? "is too small" : "is too short";
	if (o->max != 0 && *n > o->max)
		return o->kind == OPT_SIZE ? "is too large" : "is too long";
	return NULL;
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

int
opt_store(const struct opt *o, const char *arg, struct err *e)
{
	void *field = o->field;
	const char *why;
	int64_t n;

	switch (o->kind) {
	case OPT_FLAG:
		*(int *)field = o->value != 0 ? o->value : 1;
		return 0;
	case OPT_COUNT:
		if (o->max != 0 && *(int *)field >= o->max)
			return err_set(e, ERR_USAGE,
			    "--%s can be used at most %lld times", o->name,
			    (long long)o->max);
		++*(int *)field;
		return 0;
	case OPT_NUMBER:
	case OPT_DURATION:
	case OPT_SIZE:
		why = parse_amount(o, arg, &n);
		if (why != NULL)
			return refuse_value(o, arg, why, e);
		*(int64_t *)field = n;
		return 0;
	case OPT_FILE:
		if (*arg == '\0')
			return refuse_value(
			    o, arg, "is not the name of a file", e);
		/* Checked again when all options are known: cli/command.c. */
		if (strcmp(arg, "-") == 0 && o->dash == OPT_DASH_REFUSED)
			return refuse_value(o, arg,
			    "is not a file here (./- is a file of that name)",
			    e);
		*(const char **)field = arg;
		return 0;
	case OPT_STRING:
		*(const char **)field = arg;
		return 0;
	case OPT_CHOICE:
		return store_choice(o, arg, field, e);
	case OPT_LIST:
		list_add(field, arg, o->value);
		return 0;
	case OPT_CALL:
		if (o->call(field, arg, e) == 0)
			return 0;
		/* What this machine lacks is not a mistake in the command. */
		if (e->kind != ERR_LOCAL)
			e->kind = ERR_USAGE;
		return err_prefix(e, "--%s", o->name);
	case OPT_END:
		break;
	}
	return 0;
}
