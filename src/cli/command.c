/* Commands: their option tables, command lines and help. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

/* Greater than every distance; a search for the nearest starts with it. */
#define DISTANCE_NONE 100
/* The columns of help, and the one where the help of an option begins. */
#define WIDTH 80
#define HELP_COLUMN 28

bool
command_next_option(struct opt_at *at)
{
	at->opt = at->opt == NULL ? at->group->opts : at->opt + 1;
	while (at->opt != NULL && at->opt->kind == OPT_END)
		at->opt = (++at->group)->opts;
	return at->opt != NULL;
}

/* The group of an option, which is one of them. */
static const struct opt_group *
group_of(const struct opt_group *groups, const struct opt *o)
{
	struct opt_at at = {groups, NULL};

	while (command_next_option(&at) && at.opt != o)
		;
	return at.group;
}

const struct opt *
command_option(const struct command *c, char letter, const char *name, size_t n)
{
	struct opt_at at = {c->groups, NULL};

	while (command_next_option(&at))
		if (letter != 0 ? at.opt->letter == letter
				: strlen(at.opt->name) == n &&
				      strncmp(at.opt->name, name, n) == 0)
			return at.opt;
	return NULL;
}

bool
command_is_listed(const char *list, const char *name)
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
command_find_listed(const struct command_args *args, const char *list)
{
	const struct opt **used = args->used;

	while (*used != NULL && !command_is_listed(list, (*used)->name))
		used++;
	return *used;
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
	if (*n < o->min)
		return "must be more than 0";
	if (o->max != 0 && *n > o->max)
		return "is too large";
	return NULL;
}

/* Finds the index of a word. Returns NULL, or why it is not one of them. */
static const char *
parse_choice(const struct opt *o, const char *arg, int *index)
{
	char *why = text_slot();
	int i;

	snprintf(why, TEXT_SLOT, "must be ");
	for (i = 0; o->choices[i] != NULL; i++) {
		if (strcmp(o->choices[i], arg) == 0) {
			*index = i;
			return NULL;
		}
		text_append(why, TEXT_SLOT, "%s%s",
		    i == 0                      ? ""
		    : o->choices[i + 1] == NULL ? " or "
						: ", ",
		    o->choices[i]);
	}
	return why;
}

/*
 * Stores one use of an option in its field; arg is ignored if it has no
 * argument. Text is kept by pointer; check_dashes() checks the rest of the file
 * '-'. Returns 0, or -1 with a usage error and the field unchanged.
 */
static int
store_value(const struct opt *o, const char *arg, struct err *e)
{
	void *field = o->field;
	struct opt_list *list = field;
	const char *why = NULL;
	int64_t n;

	switch (o->kind) {
	case OPT_FLAG:
		*(int *)field = o->value != 0 ? o->value : 1;
		break;
	case OPT_COUNT:
		if (o->max != 0 && *(int *)field >= o->max)
			return err_set(e, ERR_USAGE,
			    "--%s can be used at most %lld times", o->name,
			    (long long)o->max);
		++*(int *)field;
		break;
	case OPT_NUMBER:
	case OPT_DURATION:
	case OPT_SIZE:
		why = parse_amount(o, arg, &n);
		if (why == NULL)
			*(int64_t *)field = n;
		break;
	case OPT_FILE:
		if (*arg == '\0')
			why = "is not the name of a file";
		else if (strcmp(arg, "-") == 0 && o->dash == OPT_DASH_REFUSED)
			why = "is not a file here (./- is a file of that name)";
		else
			*(const char **)field = arg;
		break;
	case OPT_STRING:
		*(const char **)field = arg;
		break;
	case OPT_CHOICE:
		why = parse_choice(o, arg, field);
		break;
	case OPT_LIST:
		list->items = mem_resize(
		    list->items, list->count + 1, sizeof(list->items[0]));
		list->items[list->count++] =
		    (struct opt_argument){arg, o->value};
		break;
	case OPT_CALL:
		if (o->call(field, arg, e) == 0)
			break;
		/* What this machine lacks is not a mistake in the command. */
		if (e->kind != ERR_LOCAL)
			e->kind = ERR_USAGE;
		return err_prefix(e, "--%s", o->name);
	case OPT_END:
		break;
	}
	if (why != NULL)
		return err_set(e, ERR_USAGE, "--%s: '%s' %s", o->name,
		    text_shown(arg), why);
	return 0;
}

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

/* Finds the option whose long name is the first n bytes of name. Returns NULL
 * with *e, which suggests the nearest. */
static const struct opt *
find_name(
    const struct command_args *args, const char *name, size_t n, struct err *e)
{
	struct opt_at at = {args->command->groups, NULL};
	const struct opt *o = command_option(args->command, 0, name, n);
	const char *nearest = NULL;
	char typed[64];
	size_t distance = DISTANCE_NONE;

	if (o != NULL)
		return o;
	snprintf(typed, sizeof(typed), "%.*s", (int)n, name);
	while (command_next_option(&at))
		if (is_nearer(typed, at.opt->name, &distance))
			nearest = at.opt->name;
	err_set(
	    e, ERR_USAGE, "there is no option --%s", text_shown_bytes(name, n));
	if (nearest != NULL)
		err_append(e, "did you mean --%s?", nearest);
	return NULL;
}

/* Whether list names an option used, or a program that was given. */
static bool
is_given(const struct command_args *args, const char *list)
{
	return command_find_listed(args, list) != NULL ||
	       (args->program != NULL && command_is_listed(list, "program"));
}

/* The words of list that this command knows, without those of except: "--exec
 * or a program". */
static const char *
list_text(const struct command_args *args, const char *list, const char *except)
{
	struct opt_at at = {args->command->groups, NULL};
	char *text = text_slot();

	text[0] = '\0';
	while (command_next_option(&at))
		if (command_is_listed(list, at.opt->name) &&
		    !command_is_listed(except, at.opt->name))
			text_append(text, TEXT_SLOT, "%s--%s",
			    text[0] != '\0' ? " or " : "", at.opt->name);
	if (command_is_listed(list, "program") &&
	    !command_is_listed(except, "program"))
		text_append(text, TEXT_SLOT, "%sa program",
		    text[0] != '\0' ? " or " : "");
	return text;
}

/* Fails if o or its group excludes other, the name of an option, or "program".
 * is_first: o was typed first. */
static int
check_excluded(const struct command_args *args, const struct opt *o,
    const char *other, bool is_first, struct err *e)
{
	const struct opt_group *group = group_of(args->command->groups, o);
	bool is_own = command_is_listed(o->excludes, other);
	const char *name = text_format("--%s", o->name),
		   *shown = list_text(args, other, NULL),
		   *why = is_own ? o->why : group->why;

	if (!is_own && !command_is_listed(group->excludes, other))
		return 0;
	if (why != NULL)
		return err_set(e, ERR_USAGE, "%s does not apply with %s: %s",
		    name, shown, why);
	if (!is_own)
		return err_set(e, ERR_USAGE,
		    "%s is about %s: it does not apply with %s", name,
		    group->title, shown);
	return err_set(e, ERR_USAGE, "%s and %s cannot be used together",
	    is_first ? name : shown, is_first ? shown : name);
}

/* Checks what the options used and their groups need, and whether they exclude
 * a program. */
static int
check_needs(const struct command_args *args, struct err *e)
{
	const struct opt_group *group;
	const char *needs, *why;
	const struct opt **o;

	for (o = args->used; *o != NULL; o++) {
		group = group_of(args->command->groups, *o);
		needs = group->needs;
		why = group->why;
		if (needs == NULL || is_given(args, needs)) {
			needs = (*o)->needs;
			why = (*o)->why;
		}
		if (needs != NULL && !is_given(args, needs))
			return err_set(e, ERR_USAGE, "--%s goes with %s%s%s",
			    (*o)->name, list_text(args, needs, NULL),
			    why != NULL ? ": " : "", why != NULL ? why : "");
		if (args->program != NULL &&
		    check_excluded(args, *o, "program", true, e) < 0)
			return -1;
	}
	return 0;
}

int
command_check(const struct command_args *args, const char *fact,
    const char *what, struct err *e)
{
	const struct opt **o;

	for (o = args->used; *o != NULL; o++)
		if (command_is_listed((*o)->excludes, fact))
			return err_set(
			    e, ERR_USAGE, "--%s %s", (*o)->name, what);
	return 0;
}

/*
 * Stores one option, unless it conflicts with one used before it. Its argument,
 * if it has one, is attached to its name, or if that is NULL the next word.
 * Returns how many words of argv it used, or -1 with *e.
 */
static int
store(struct command_args *args, const struct opt *o, const char *attached,
    const char *next, struct err *e)
{
	static const char *const kinds[OPT_CALL + 1] = {[OPT_NUMBER] = "number",
	    [OPT_DURATION] = "duration",
	    [OPT_SIZE] = "size"};
	const char *value = attached != NULL ? attached : next;
	const struct opt **used;

	if (o->arg == NULL)
		value = "";
	else if (value == NULL)
		return err_set(e, ERR_USAGE, "option %s needs a %s (%s)",
		    args->letter != 0 ? text_format("-%c", args->letter)
				      : text_format("--%s", o->name),
		    kinds[o->kind] != NULL ? kinds[o->kind] : "value", o->arg);
	for (used = args->used; *used != NULL; used++)
		if (check_excluded(args, *used, o->name, true, e) < 0 ||
		    check_excluded(args, o, (*used)->name, false, e) < 0)
			return -1;
	*used = o;
	if (store_value(o, value, e) < 0)
		return -1;
	return o->arg != NULL && attached == NULL ? 2 : 1;
}

/* Parses "--name", "--name=value" or "--name value". Returns as store(). */
static int
parse_long(struct command_args *args, char **argv, struct err *e)
{
	const char *name = argv[0] + 2, *value = strchr(name, '=');
	size_t n = value == NULL ? strlen(name) : (size_t)(value - name);
	const struct opt *o;

	args->letter = 0;
	if (strcmp(name, "help") == 0) {
		args->help = COMMAND_FULL_HELP;
		return 1;
	}
	if (strncmp(name, "help=", 5) == 0)
		return err_set(e, ERR_USAGE, "option --help takes no value");
	o = find_name(args, name, n, e);
	if (o == NULL)
		return -1;
	if (o->arg == NULL && value != NULL)
		return err_set(
		    e, ERR_USAGE, "option --%s takes no value", o->name);
	return store(args, o, value != NULL ? value + 1 : NULL, argv[1], e);
}

/*
 * Parses "-v", "-vv", "-w5", "-w 5" or "-nw5". Returns as store(). "-h" alone
 * is the short help if no option has that letter.
 */
static int
parse_letters(struct command_args *args, char **argv, struct err *e)
{
	const struct opt *o;
	const char *c;

	for (c = argv[0] + 1; *c != '\0'; c++) {
		args->letter = *c;
		o = command_option(args->command, *c, "", 0);
		if (o == NULL && strcmp(argv[0], "-h") == 0) {
			args->help = COMMAND_SHORT_HELP;
			return 1;
		}
		if (o == NULL)
			return err_set(e, ERR_USAGE, "there is no option -%s",
			    text_shown_bytes(c, 1));
		if (o->arg != NULL)
			return store(
			    args, o, c[1] != '\0' ? c + 1 : NULL, argv[1], e);
		if (store(args, o, NULL, NULL, e) < 0)
			return -1;
	}
	return 1;
}

/* Checks the files named '-': each is a stream, which no other option uses, and
 * whose data on stdout is alone. */
static int
check_dashes(const struct command_args *args, struct err *e)
{
	const struct opt *users[] = {NULL, NULL, NULL}, *o, *other;
	struct opt_at at = {args->command->groups, NULL};
	const char *path;

	while (command_next_option(&at)) {
		o = at.opt;
		if (o->kind != OPT_FILE)
			continue;
		path = *(const char **)o->field;
		if (path == NULL || strcmp(path, "-") != 0)
			continue;
		if (users[o->dash] != NULL)
			return err_set(e, ERR_USAGE,
			    "--%s and --%s cannot both be '-'",
			    users[o->dash]->name, o->name);
		users[o->dash] = o;
		other = command_find_listed(args, o->dash_without);
		if (other != NULL)
			return err_set(e, ERR_USAGE,
			    "--%s: '-' is stdout, which has the data of --%s",
			    o->name, other->name);
		if (o->dash_with == NULL || is_given(args, o->dash_with))
			continue;
		return err_set(e, ERR_USAGE,
		    "--%s: '-' is stdout, which has the data that is received "
		    "(/dev/stderr is the terminal; stdout is free with %s)",
		    o->name, list_text(args, o->dash_with, at.group->excludes));
	}
	return 0;
}

/*
 * Stores everything after "--": operands, or the program. If operands are still
 * missing, it ended only the options, and a second one begins the program.
 */
static void
parse_rest(struct command_args *args, char **argv)
{
	const struct command *c = args->command;
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
check_operands(const struct command_args *args, struct err *e)
{
	const struct command *c = args->command;

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
	size_t letters = 0;
	int count, used;

	for (count = 0; argv[count] != NULL; count++)
		letters += strlen(argv[count]);
	memset(args, 0, sizeof(*args));
	args->command = c;
	args->used = mem_array(letters + 1, sizeof(struct opt *));
	args->operands = mem_array((size_t)count + 1, sizeof(char *));
	for (; *argv != NULL; argv += used) {
		used = 1;
		if (strcmp(*argv, "--") == 0) {
			parse_rest(args, argv + 1);
			break;
		}
		if (strncmp(*argv, "--", 2) == 0)
			used = parse_long(args, argv, e);
		else if (argv[0][0] == '-' && argv[0][1] != '\0')
			used = parse_letters(args, argv, e);
		else
			args->operands[args->count++] = *argv;
		if (args->help != COMMAND_NO_HELP)
			return 0;
		if (used < 0) {
			args->refused = argv;
			return -1;
		}
	}
	if (check_dashes(args, e) < 0 || check_needs(args, e) < 0)
		return -1;
	return check_operands(args, e);
}

void
command_release(struct command_args *args)
{
	struct opt_at at = {args->command->groups, NULL};
	struct opt_list *list;

	while (command_next_option(&at)) {
		if (at.opt->kind != OPT_LIST)
			continue;
		list = at.opt->field;
		free(list->items);
		/* Another option may share the list. */
		memset(list, 0, sizeof(*list));
	}
	free(args->operands);
	free(args->used);
	memset(args, 0, sizeof(*args));
}

/* Prints text wrapped at WIDTH, from column indent on, where its other lines
 * begin, too. */
static void
put_text(const char *text, size_t indent)
{
	size_t n;

	for (;; text += n + 1) {
		n = text_fit(text, strlen(text), WIDTH - indent);
		if (text[n] == '\0')
			break;
		printf("%.*s\n%*s", (int)n, text, (int)indent, "");
	}
	puts(text);
}

/* The default, or "" if it is unset or means no limit. */
static const char *
value_text(const struct opt *o)
{
	const void *field = o->field;
	long long n = 0;

	if (o->kind == OPT_CHOICE && *(const int *)field >= 0)
		return o->choices[*(const int *)field];
	if ((o->kind == OPT_STRING || o->kind == OPT_FILE) &&
	    *(const char *const *)field != NULL)
		return text_format("'%s'", *(const char *const *)field);
	if (o->kind == OPT_NUMBER || o->kind == OPT_DURATION)
		n = *(const int64_t *)field;
	if (n <= 0)
		return "";
	if (o->kind == OPT_NUMBER)
		return text_format("%lld", n);
	return n % 1000 == 0 ? text_format("%lld s", n / 1000)
			     : text_format("%lld ms", n);
}

/* Prints as many clauses of a help text as fit in the line; what stands in
 * parentheses is one, and is not divided. */
static void
put_clauses(const char *help)
{
	const char *marks = ",:; "; /* a semicolon parts more */
	bool is_inside = false;     /* parentheses */
	size_t n, end = 0;

	for (n = 1; n <= WIDTH - HELP_COLUMN; n++) {
		if (help[n] == '\0' ||
		    (!is_inside && strchr(marks, help[n]) != NULL &&
			help[n + 1] == (help[n] == ' ' ? '(' : ' ')))
			end = n;
		if (help[n] == '\0')
			break;
		if (help[n] == ';')
			marks = ";";
		if (help[n] == '(' || help[n] == ')')
			is_inside = help[n] == '(';
	}
	printf("%.*s\n", (int)end, help);
}

/* "  -w, --timeout TIME          the help text (default: 2 s)"; in the short
 * help it is one line. */
static void
option_line(const struct opt *o, bool is_short)
{
	const char *value = value_text(o);
	char left[128] = "     ";
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
		printf("%s\n%*s", left, HELP_COLUMN, "");
	else
		printf("%-*s", HELP_COLUMN, left);
	if (is_short) {
		put_clauses(o->help);
		return;
	}
	put_text(value[0] == '\0'
		     ? o->help
		     : text_format("%s (default: %s)", o->help, value),
	    HELP_COLUMN);
}

/* Prints the options by group, of which adjacent ones can share a title, or for
 * the short help the usual ones alone. */
static void
option_lines(const struct command *c, bool is_short)
{
	struct opt_at at = {c->groups, NULL};
	const char *title = "";

	if (is_short)
		putchar('\n');
	while (command_next_option(&at)) {
		if (!is_short && strcmp(at.group->title, title) != 0) {
			title = at.group->title;
			printf("\n%s:\n", title);
		}
		if (!is_short || c->usual == NULL ||
		    command_is_listed(c->usual, at.opt->name))
			option_line(at.opt, is_short);
	}
}

void
command_help(const struct command *c, bool is_short)
{
	struct opt_at at = {c->groups, NULL};
	const char *line = c->examples;
	unsigned kinds = 0; /* of the options: bits by enum opt_kind */
	size_t n;

	while (command_next_option(&at))
		kinds |= 1U << at.opt->kind;
	printf("usage: sockt %s%s%s%s%s\n\n%s\n", c->name,
	    c->groups[0].opts != NULL ? " [OPTION]..." : "",
	    c->operands[0] != '\0' ? " " : "", c->operands,
	    c->runs_program ? " [-- PROGRAM [ARG]...]" : "", c->summary);
	if (c->groups[0].opts != NULL)
		option_lines(c, is_short);
	if (!is_short && c->notes != NULL) {
		putchar('\n');
		put_text(c->notes, 0);
	}
	/* The short help has the first example. */
	fputs(is_short ? "\nexample:\n" : "\nexamples:\n", stdout);
	do {
		n = strcspn(line, "\n") + 1;
		printf("  %.*s", (int)n, line);
		line += n;
	} while (!is_short && *line != '\0');
	/* What all commands that use the network have in common. */
	if (!is_short && (kinds & 1U << OPT_DURATION) != 0)
		printf(
		    "\nTIME is a duration such as 5, 0.5, 500ms, 2m or 1h%s\n\n"
		    "exit status: 0 done, 1 failed, 2 usage, 3 name, "
		    "4 refused, 5 timed out,\n6 unreachable, 7 local "
		    "address, 8 peer's error, 9 protocol, 10 lost, "
		    "11 output\n",
		    (kinds & 1U << OPT_SIZE) != 0 ? "; SIZE is 4096, 64k or 1M"
						  : "");
	if (is_short && c->groups[0].opts != NULL)
		printf(
		    "\n'sockt %s --help' shows every option; see sockt-%s(1)\n",
		    c->name, c->name);
	else
		printf("\nsee sockt(1) and sockt-%s(1)\n", c->name);
}
