/* Finds a command by its name, and parses its command line. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

/* Greater than every distance; a search for the nearest starts with it. */
#define DISTANCE_NONE 100

/* Edit distance (Levenshtein) of the first 32 bytes of two words. */
static size_t
edit_distance(const char *a, const char *b)
{
	size_t row[33], n = strnlen(b, 32), i, j, above, corner;

	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 0; i < 32 && a[i] != '\0'; i++) {
		corner = row[0];
		row[0] = i + 1;
		for (j = 1; j <= n; j++) {
			above = row[j];
			if (a[i] != b[j - 1])
				corner++;
			if (above + 1 < corner)
				corner = above + 1;
			if (row[j - 1] + 1 < corner)
				corner = row[j - 1] + 1;
			row[j] = corner;
			corner = above;
		}
	}
	return row[n];
}

/*
 * Returns true if candidate is similar enough to typed to be suggested, and
 * nearer than *nearest, which is then set to its distance. Three kinds of words
 * are similar: a word that begins with typed, which is the nearest; a word that
 * contains it; and a word with the same first letter that differs in at most a
 * third of its letters.
 */
static bool
is_nearer(const char *typed, const char *candidate, size_t *nearest)
{
	size_t n = strlen(typed), longer = strlen(candidate), d;

	if (n > 0 && strncmp(candidate, typed, n) == 0)
		d = 0;
	else if (n >= 3 && strstr(candidate, typed) != NULL)
		d = 1;
	else if (candidate[0] == typed[0])
		d = edit_distance(typed, candidate);
	else
		return false;
	if (longer < n)
		longer = n;
	if (d * 3 > longer || d >= *nearest)
		return false;
	*nearest = d;
	return true;
}

const struct command *
command_find(
    const struct command *const *table, const char *name, struct err *e)
{
	const struct command *const *c;
	const char *nearest = NULL;
	size_t distance = DISTANCE_NONE;

	for (c = table; *c != NULL; c++) {
		if (strcmp((*c)->name, name) == 0)
			return *c;
		if (is_nearer(name, (*c)->name, &distance))
			nearest = (*c)->name;
	}
	if (name[0] == '-') {
		err_set(e, ERR_USAGE,
		    "'%s' is not a command (options go after the command)",
		    text_shown(name));
		return NULL;
	}
	err_set(e, ERR_USAGE, "there is no command '%s'", text_shown(name));
	if (nearest != NULL)
		err_append(e, "did you mean '%s'?", nearest);
	return NULL;
}

/* The state of one parse. */
struct parse {
	const struct command *command;
	struct command_args *args;
	const struct opt **used; /* args->used */
	size_t used_count;
	struct err *e;
};

/* Finds the option whose long name is the first n bytes of name. Returns NULL
 * with *e, which suggests the nearest. */
static const struct opt *
find_name(const struct parse *p, const char *name, size_t n)
{
	struct opt_at at = {p->command->groups, NULL};
	const struct opt *o = opt_find(at.group, 0, name, n);
	const char *nearest = NULL;
	char typed[64];
	size_t distance = DISTANCE_NONE;

	if (o != NULL)
		return o;
	snprintf(typed, sizeof(typed), "%.*s", (int)n, name);
	while (opt_next(&at))
		if (is_nearer(typed, at.opt->name, &distance))
			nearest = at.opt->name;
	err_set(p->e, ERR_USAGE, "there is no option --%s",
	    text_shown_bytes(name, n));
	if (nearest != NULL)
		err_append(p->e, "did you mean --%s?", nearest);
	return NULL;
}

/* Whether list names an option used, or a program that was given. */
static bool
is_given(const struct parse *p, const char *list)
{
	return opt_find_listed(p->used, list) != NULL ||
	       (p->args->program != NULL && opt_is_listed(list, "program"));
}

/* The words of list that this command knows, without those of except: "--exec
 * or a program". */
static const char *
list_text(const struct parse *p, const char *list, const char *except)
{
	struct opt_at at = {p->command->groups, NULL};
	char *text = text_slot();

	text[0] = '\0';
	while (opt_next(&at))
		if (opt_is_listed(list, at.opt->name) &&
		    !opt_is_listed(except, at.opt->name))
			text_append(text, TEXT_SLOT, "%s--%s",
			    text[0] != '\0' ? " or " : "", at.opt->name);
	if (opt_is_listed(list, "program") && !opt_is_listed(except, "program"))
		text_append(text, TEXT_SLOT, "%sa program",
		    text[0] != '\0' ? " or " : "");
	return text;
}

/* Fails if o or its group excludes other, the name of an option, or "program".
 * is_first: o was typed first. */
static int
check_excluded(const struct parse *p, const struct opt *o, const char *other,
    bool is_first)
{
	const struct opt_group *group = opt_group_of(p->command->groups, o);
	bool is_own = opt_is_listed(o->excludes, other);
	const char *name = text_format("--%s", o->name),
		   *shown = list_text(p, other, NULL),
		   *why = is_own ? o->why : group->why;

	if (!is_own && !opt_is_listed(group->excludes, other))
		return 0;
	if (why != NULL)
		return err_set(p->e, ERR_USAGE, "%s does not apply with %s: %s",
		    name, shown, why);
	if (!is_own)
		return err_set(p->e, ERR_USAGE,
		    "%s is about %s: it does not apply with %s", name,
		    group->title, shown);
	return err_set(p->e, ERR_USAGE, "%s and %s cannot be used together",
	    is_first ? name : shown, is_first ? shown : name);
}

/* Checks what the options used and their groups need, and whether they exclude
 * a program. */
static int
check_needs(const struct parse *p)
{
	const struct opt_group *group;
	const char *needs, *why;
	const struct opt *const *o;

	for (o = p->used; *o != NULL; o++) {
		group = opt_group_of(p->command->groups, *o);
		needs = group->needs;
		why = group->why;
		if (needs == NULL || is_given(p, needs)) {
			needs = (*o)->needs;
			why = (*o)->why;
		}
		if (needs != NULL && !is_given(p, needs))
			return err_set(p->e, ERR_USAGE, "--%s goes with %s%s%s",
			    (*o)->name, list_text(p, needs, NULL),
			    why != NULL ? ": " : "", why != NULL ? why : "");
		if (p->args->program != NULL &&
		    check_excluded(p, *o, "program", true) < 0)
			return -1;
	}
	return 0;
}

int
command_check(const struct command_args *args, const char *fact,
    const char *what, struct err *e)
{
	const struct opt *const *o;

	for (o = args->used; *o != NULL; o++)
		if (opt_is_listed((*o)->excludes, fact))
			return err_set(
			    e, ERR_USAGE, "--%s %s", (*o)->name, what);
	return 0;
}

/* Stores one option, unless it conflicts with one used before it. arg is NULL
 * if it has no argument. */
static int
store(struct parse *p, const struct opt *o, const char *arg)
{
	size_t i;

	for (i = 0; i < p->used_count; i++)
		if (check_excluded(p, p->used[i], o->name, true) < 0 ||
		    check_excluded(p, o, p->used[i]->name, false) < 0)
			return -1;
	p->used[p->used_count++] = o;
	return opt_store(o, arg, p->e);
}

/*
 * Stores an option with its argument: attached to its name, or if that is NULL
 * the next word. Returns how many words of argv it used, or -1 with *e.
 */
static int
store_with_argument(struct parse *p, const struct opt *o, const char *attached,
    const char *next)
{
	static const char *const kinds[OPT_CALL + 1] = {[OPT_NUMBER] = "number",
	    [OPT_DURATION] = "duration",
	    [OPT_SIZE] = "size"};
	char letter[] = {p->args->letter, '\0'};

	if (attached == NULL && next == NULL)
		return err_set(p->e, ERR_USAGE, "option %s%s needs a %s (%s)",
		    letter[0] != '\0' ? "-" : "--",
		    letter[0] != '\0' ? letter : o->name,
		    kinds[o->kind] != NULL ? kinds[o->kind] : "value", o->arg);
	if (store(p, o, attached != NULL ? attached : next) < 0)
		return -1;
	return attached != NULL ? 1 : 2;
}

/* Parses "--name", "--name=value" or "--name value". Returns as
 * store_with_argument(). */
static int
parse_long(struct parse *p, char **argv)
{
	const char *name = argv[0] + 2, *value = strchr(name, '=');
	size_t n = value == NULL ? strlen(name) : (size_t)(value - name);
	const struct opt *o;

	p->args->letter = 0;
	if (strcmp(name, "help") == 0) {
		p->args->help = COMMAND_FULL_HELP;
		return 1;
	}
	if (strncmp(name, "help=", 5) == 0)
		return err_set(p->e, ERR_USAGE,
		    "option --help takes no value: it shows all, -h the "
		    "usual options");
	o = find_name(p, name, n);
	if (o == NULL)
		return -1;
	if (opt_has_argument(o))
		return store_with_argument(
		    p, o, value != NULL ? value + 1 : NULL, argv[1]);
	if (value != NULL)
		return err_set(
		    p->e, ERR_USAGE, "option --%s takes no value", o->name);
	return store(p, o, NULL) < 0 ? -1 : 1;
}

/*
 * Parses "-v", "-vv", "-w5", "-w 5" or "-nw5". Returns as
 * store_with_argument(). "-h" alone is the short help if no option has that
 * letter.
 */
static int
parse_letters(struct parse *p, char **argv)
{
	const struct opt *o;
	const char *c;

	for (c = argv[0] + 1; *c != '\0'; c++) {
		p->args->letter = *c;
		o = opt_find(p->command->groups, *c, NULL, 0);
		if (o == NULL && strcmp(argv[0], "-h") == 0) {
			p->args->help = COMMAND_SHORT_HELP;
			return 1;
		}
		if (o == NULL)
			return err_set(p->e, ERR_USAGE,
			    "there is no option -%s", text_shown_bytes(c, 1));
		if (opt_has_argument(o))
			return store_with_argument(
			    p, o, c[1] != '\0' ? c + 1 : NULL, argv[1]);
		if (store(p, o, NULL) < 0)
			return -1;
	}
	return 1;
}

/* Checks the files named '-': each is a stream, which no other option uses, and
 * whose data on stdout is alone. */
static int
check_dashes(const struct parse *p)
{
	const struct opt *users[] = {NULL, NULL, NULL}, *o, *other;
	struct opt_at at = {p->command->groups, NULL};
	const char *path;

	while (opt_next(&at)) {
		o = at.opt;
		if (o->kind != OPT_FILE)
			continue;
		path = *(const char **)o->field;
		if (path == NULL || strcmp(path, "-") != 0)
			continue;
		if (users[o->dash] != NULL)
			return err_set(p->e, ERR_USAGE,
			    "--%s and --%s cannot both be '-'",
			    users[o->dash]->name, o->name);
		users[o->dash] = o;
		other = opt_find_listed(p->used, o->dash_without);
		if (other != NULL)
			return err_set(p->e, ERR_USAGE,
			    "--%s: '-' is stdout, which has the data of --%s",
			    o->name, other->name);
		if (o->dash_with == NULL || is_given(p, o->dash_with))
			continue;
		return err_set(p->e, ERR_USAGE,
		    "--%s: '-' is stdout, which has the data that is received "
		    "(/dev/stderr is the terminal; stdout is free with %s)",
		    o->name, list_text(p, o->dash_with, at.group->excludes));
	}
	return 0;
}

/*
 * Stores everything after "--": operands, or the program. If operands are still
 * missing, it ended only the options, and a second one begins the program.
 */
static void
parse_rest(char **argv, const struct command *c, struct command_args *args)
{
	bool wants_operands = !c->runs_program || args->count < c->min_operands;

	for (; wants_operands && *argv != NULL; argv++) {
		if (c->runs_program && strcmp(*argv, "--") == 0) {
			argv++;
			break;
		}
		args->operands[args->count++] = *argv;
	}
	if (*argv != NULL)
		args->program = argv;
}

static int
check_operands(
    const struct command *c, const struct command_args *args, struct err *e)
{
	if (args->count < c->min_operands)
		return err_set(
		    e, ERR_USAGE, "missing operand: expected %s", c->operands);
	if (c->max_operands < 0 || args->count <= c->max_operands)
		return 0;
	/* sockt listen * 8080 */
	if (c->max_operands == 2 && access(args->operands[0], F_OK) == 0 &&
	    access(args->operands[1], F_OK) == 0)
		return err_set(
		    e, ERR_USAGE, ERR_GLOB_HINT, text_shown(args->operands[0]));
	return err_set(e, ERR_USAGE, "unexpected operand '%s'",
	    text_shown(args->operands[c->max_operands]));
}

int
command_parse(const struct command *c, char **argv, struct command_args *args,
    struct err *e)
{
	struct parse p = {c, args, NULL, 0, e};
	size_t letters = 0;
	int count, used;

	for (count = 0; argv[count] != NULL; count++)
		letters += strlen(argv[count]);
	memset(args, 0, sizeof(*args));
	args->used = p.used = mem_array(letters + 1, sizeof(struct opt *));
	args->operands = mem_array((size_t)count + 1, sizeof(char *));
	for (; *argv != NULL; argv += used) {
		used = 1;
		if (strcmp(*argv, "--") == 0) {
			parse_rest(argv + 1, c, args);
			break;
		}
		if (strncmp(*argv, "--", 2) == 0)
			used = parse_long(&p, argv);
		else if (argv[0][0] == '-' && argv[0][1] != '\0')
			used = parse_letters(&p, argv);
		else
			args->operands[args->count++] = *argv;
		if (args->help != COMMAND_NO_HELP)
			return 0;
		if (used < 0) {
			args->refused = argv;
			return -1;
		}
	}
	if (check_dashes(&p) < 0 || check_needs(&p) < 0)
		return -1;
	return check_operands(c, args, e);
}

void
command_release(const struct command *c, struct command_args *args)
{
	struct opt_at at = {c->groups, NULL};
	struct opt_list *list;

	while (opt_next(&at)) {
		if (at.opt->kind != OPT_LIST)
			continue;
		list = at.opt->field;
		free(list->items);
		free(list->values);
		/* Another option may share the list. */
		memset(list, 0, sizeof(*list));
	}
	free(args->operands);
	free((void *)args->used);
	memset(args, 0, sizeof(*args));
}
