/* Converts an option's argument and stores it in the options struct. */
#include "cli/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/opt.h"

/* "--timeout: '5x' WHAT". Returns -1. */
static int
refuse(const struct opt *o, const char *arg, const char *what, struct err *e)
{
	char name[64], shown[128];

	return err_set(e, ERR_USAGE, "%s: '%s' %s",
	    opt_display_name(o, name, sizeof(name)),
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
	return refuse(o, arg, what, e);
}

static int
store_duration(
    const struct opt *o, const char *arg, int64_t *field, struct err *e)
{
	enum num_result result;
	int64_t ms;

	result = num_duration(arg, &ms);
	if (result == NUM_MALFORMED)
		return refuse(o, arg,
		    "is not a duration (like 5, 0.5, 500ms, 2m, 1h)", e);
	if (result == NUM_TOO_LARGE)
		return refuse(o, arg, "is too long (at most 70 years)", e);
	if (!within(o, ms))
		return refuse(
		    o, arg, ms < o->min ? "is too short" : "is too long", e);
	*field = ms;
	return 0;
}

static int
store_size(const struct opt *o, const char *arg, int64_t *field, struct err *e)
{
	int64_t bytes;

	if (!num_size(arg, &bytes))
		return refuse(
		    o, arg, "is not a size (like 4096, 64k, 1M, 1G)", e);
	if (!within(o, bytes))
		return refuse(o, arg,
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
	return refuse(o, arg, what, e);
}

static int
store_call(const struct opt *o, const char *arg, void *field, struct err *e)
{
	char name[64];

	if (o->call(field, arg, e) == 0)
		return 0;
	err_prefix(e, "%s", opt_display_name(o, name, sizeof(name)));
	e->kind = ERR_USAGE;
	return -1;
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
value_store(const struct opt *o, const char *arg, void *field, struct err *e)
{
	switch (o->kind) {
	case OPT_FLAG:
		*(int *)field = o->value != 0 ? o->value : 1;
		return 0;
	case OPT_COUNT:
		++*(int *)field;
		return 0;
	case OPT_NUMBER:
		return store_number(o, arg, field, e);
	case OPT_DURATION:
		return store_duration(o, arg, field, e);
	case OPT_SIZE:
		return store_size(o, arg, field, e);
	case OPT_STRING:
		*(const char **)field = arg;
		return 0;
	case OPT_CHOICE:
		return store_choice(o, arg, field, e);
	case OPT_LIST:
		list_add(field, arg, o->value);
		return 0;
	case OPT_CALL:
		return store_call(o, arg, field, e);
	case OPT_END:
		break;
	}
	return 0;
}
