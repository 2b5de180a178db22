/* Properties of the rows of an option table. */
#include "cli/opt.h"

#include <string.h>

bool
opt_has_argument(const struct opt *o)
{
	return o->kind != OPT_FLAG && o->kind != OPT_COUNT;
}

const char *
opt_kind_name(enum opt_kind kind)
{
	static const char *const names[] = {"end", "flag", "count", "number",
	    "duration", "size", "string", "file", "choice", "list", "call"};

	return names[kind];
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

const char *
opt_argument_kind(const struct opt *o)
{
	switch (o->kind) {
	case OPT_NUMBER:
	case OPT_DURATION:
	case OPT_SIZE:
		return opt_kind_name(o->kind);
	default:
		return "value";
	}
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
