/*
 * completion: prints the completion script of a shell, which asks sockt for the
 * words that may stand at a place. They come from the option tables.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/hint.h"
#include "cmd/table.h"

/*
 * What completes an argument, by how its name in the tables begins: these
 * words, and names of a kind, which the shell completes:
 *
 *	word       only the words
 *	file       paths of files
 *	command    programs
 *	program    a program and its arguments; START is the number of words
 *	           before it
 *	user host interface service
 *	url        hosts, with a slash after them
 */
static const struct argument {
	const char *name, *kind, *words;
} arguments[] = {
    {"HOST", "endpoint", "unix:"},
    {"[ADDRESS]", "endpoint", "unix:"},
    {"GROUP", "endpoint", ""},
    {"NAME", "user", ""},
    {"INTERFACE", "interface", ""},
    {"COMMAND", "command", ""},
    {"FILE", "file", ""},
    {"DATE|FILE", "file", ""},
    {"N|systemd", "word", "systemd"},
    {"URL...", "url", "http:// https://"},
    {"URL", "word", "socks5:// socks4:// http://"},
    {"bash|", "word", "bash zsh fish"},
    {"", "word", ""},
};

/* The word being typed. What is before start is not completed. */
struct typed {
	const char *word;
	size_t start;
};

/* Prints the first line, "KIND START". */
static void
put_kind(const struct typed *t, const char *kind, size_t start)
{
	printf("%s %.*s\n", kind, (int)start, t->word);
}

/* Prints the words of a list, in which they are separated by spaces. */
static void
put_words(const struct typed *t, const char *words)
{
	size_t n;

	for (; *words != '\0'; words += n + strspn(words + n, " ")) {
		n = strcspn(words, " ");
		printf("%.*s%.*s\t\n", (int)t->start, t->word, (int)n, words);
	}
}

/* Completes "unix:PATH", "ADDRESS%SCOPE", "HOST:PORT", or in place of the nth
 * operand HOST or PORT. */
static void
put_endpoint(const struct typed *t, const char *words, int n)
{
	const char *text = t->word + t->start, *end = strchr(text, ']');
	const char *scope = strrchr(text, '%'), *colon = strrchr(text, ':');

	if (strncmp(text, "unix:", 5) == 0) {
		put_kind(t, "file", t->start + 5);
	} else if (scope != NULL && end == NULL) {
		put_kind(t, "interface", (size_t)(scope + 1 - t->word));
	} else if (colon != NULL) {
		put_kind(t,
		    end != NULL || strchr(text, ':') == colon ? "service"
							      : "word",
		    (size_t)(colon + 1 - t->word));
	} else if (n == 2) {
		put_kind(t, "service", t->start);
	} else {
		put_kind(t, "host", t->start);
		put_words(t, words);
	}
}

/* Completes an argument of that name, which may be the nth operand. */
static void
put_argument(const struct typed *t, const char *name, int n)
{
	const struct argument *a = arguments;
	const char *host = strstr(t->word, "://");

	while (strncmp(a->name, name, strlen(a->name)) != 0)
		a++;
	if (strcmp(a->kind, "endpoint") == 0) {
		put_endpoint(t, a->words, n);
	} else if (strcmp(a->kind, "url") == 0 && host != NULL) {
		put_kind(t, a->kind, (size_t)(host + 3 - t->word));
	} else {
		put_kind(t, a->kind, t->start);
		put_words(t, a->words);
	}
}

static void
put_options(const struct typed *t, const struct command *c)
{
	struct opt_at at = {c->groups, NULL};

	put_kind(t, "word", 0);
	while (command_next_option(&at)) {
		printf("--%s\t%s\n", at.opt->name, at.opt->help);
		if (at.opt->letter != 0)
			printf("-%c\t%s\n", at.opt->letter, at.opt->help);
	}
	puts("--help\tshow every option");
}

/* Prints the programs that help knows. The rows of each are adjacent. */
static void
put_programs(void)
{
	const char *row = NULL, *last = "";
	size_t n;

	while ((row = hint_next_equivalent(NULL, row)) != NULL) {
		n = strcspn(row, " ") + 1;
		if (strncmp(row, last, n) != 0)
			printf("%.*s\t\n", (int)n - 1, row);
		last = row;
	}
}

/* Completes the name of a command, or the operand of help. */
static void
put_commands(const struct typed *t, bool for_help)
{
	const struct command *const *c;

	put_kind(t, "word", 0);
	for (c = command_table; *c != NULL; c++)
		printf("%s\t%s\n", (*c)->name, (*c)->summary);
	if (for_help)
		put_programs();
	else
		puts("--help\tlist the commands\n--version\t");
}

/*
 * Finds the option of a word whose argument begins at *start of it or, if that
 * is 0, is the next word. Returns NULL if it has no such option.
 */
static const struct opt *
find_option(const struct command *c, const char *word, size_t *start)
{
	const struct opt *o;
	size_t n = strcspn(word, "="), i;

	if (word[1] == '-') {
		*start = word[n] == '=' ? n + 1 : 0;
		o = command_option(c, 0, word + 2, n - 2);
		return o != NULL && o->arg != NULL ? o : NULL;
	}
	*start = 0;
	for (i = 1; word[i] != '\0'; i++) {
		*start = word[i + 1] != '\0' ? i + 1 : 0;
		o = command_option(c, word[i], NULL, 0);
		if (o != NULL && o->arg != NULL)
			return o;
	}
	return NULL;
}

/* Completes an argument of o, or if that is NULL the nth operand of c. */
static void
put_value(
    const struct typed *t, const struct command *c, const struct opt *o, int n)
{
	const char *const *word;

	if (o != NULL && o->kind == OPT_CHOICE) {
		put_kind(t, "word", t->start);
		for (word = o->choices; *word != NULL; word++)
			put_words(t, *word);
	} else if (o != NULL) {
		put_argument(t, o->arg, 0);
	} else if (strcmp(c->name, "help") == 0) {
		put_commands(t, true);
	} else {
		put_argument(t, c->operands, n);
	}
}

/*
 * Prints what may stand in place of the last of words, which are those of a
 * command line after "sockt" and end with NULL. The first line is "KIND START":
 * the shell completes what follows START, the beginning of the word, with names
 * of that kind. The others are whole words, with a tab and a description.
 */
static void
complete(char *const *words)
{
	struct typed t = {words[0], 0};
	const struct command *c;
	const struct opt *o = NULL; /* the next word is its argument */
	struct err e = ERR_INIT;
	bool is_ended = false; /* the options are, by "--" */
	int i, operands = 0;

	if (words[1] == NULL) {
		put_commands(&t, false);
		return;
	}
	c = command_find(command_table, words[0], &e);
	for (i = 1; c != NULL && words[i + 1] != NULL; i++) {
		if (o != NULL) {
			o = NULL;
		} else if (strcmp(words[i], "--") == 0 && c->runs_program &&
			   (is_ended || operands >= c->min_operands)) {
			printf("program %d\n", i + 2);
			return;
		} else if (!is_ended && strcmp(words[i], "--") == 0) {
			is_ended = true;
		} else if (is_ended || words[i][0] != '-' ||
			   words[i][1] == '\0') {
			operands++;
		} else {
			o = find_option(c, words[i], &t.start);
			if (t.start > 0)
				o = NULL;
		}
	}
	if (c == NULL)
		return;
	t = (struct typed){words[i], 0};
	if (o == NULL && !is_ended && t.word[0] == '-') {
		o = find_option(c, t.word, &t.start);
		if (t.start == 0)
			put_options(&t, c);
		else if (o != NULL)
			put_value(&t, c, o, 0);
	} else {
		put_value(&t, c, o, operands + 1);
	}
}

/* completion.bash, .zsh and .fish in this folder; the Makefile makes strings of
 * them. */
extern const char completion_bash[], completion_zsh[], completion_fish[];

static struct {
	int words; /* the operands are a command line to be completed */
} completion_options;

static const struct opt completion_opts[] = {
    FLAG(0, "words", completion_options, words,
	"for the scripts: print what may stand in place of the last operand; "
	"the operands are the words of a command line"),
    {.kind = OPT_END},
};

static const struct opt_group completion_groups[] = {
    GROUP("options", completion_opts), {.opts = NULL}};

static int
completion_run(const struct command_args *args, struct err *e)
{
	const char *shell = args->operands[0];

	if (completion_options.words)
		complete(args->operands);
	else if (args->count > 1)
		return err_set(e, ERR_USAGE, "unexpected operand '%s'",
		    text_shown(args->operands[1]));
	else if (strcmp(shell, "bash") == 0)
		fputs(completion_bash, stdout);
	else if (strcmp(shell, "zsh") == 0)
		fputs(completion_zsh, stdout);
	else if (strcmp(shell, "fish") == 0)
		fputs(completion_fish, stdout);
	else
		return err_set(e, ERR_USAGE,
		    "no completion for %s; there is bash, zsh and fish",
		    text_shown(shell));
	return 0;
}

const struct command completion_command = {
    .name = "completion",
    .summary = "print a completion script for a shell",
    .operands = "bash|zsh|fish",
    .min_operands = 1,
    .max_operands = -1,
    .groups = completion_groups,
    .examples = "source <(sockt completion bash)\n"
		"sockt completion zsh > ~/.zfunc/_sockt\n"
		"sockt completion fish > "
		"~/.config/fish/completions/sockt.fish\n",
    .run = completion_run,
};
