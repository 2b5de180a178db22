/* The option parser: every kind, every form, every misuse. */
#include "base/err.h"
#include "cli/command.h"
#include "lib/tap.h"

struct options {
	int flag, other, count, choice;
	int64_t number, duration, size;
	const char *string, *in, *in_two, *out, *free_out, *file;
	struct opt_list list;
	char called[32];
};

static int
take_called(void *field, const char *arg, struct err *e)
{
	if (strcmp(arg, "bad") == 0)
		return err_set(e, ERR_FAILED, "'bad' is bad");
	snprintf(field, 32, "<%s>", arg);
	return 0;
}

#define AT(member) .offset = offsetof(struct options, member)
static const char *const words[] = {"one", "two", NULL};
static const struct opt table[] = {
    {OPT_FLAG, 'f', "flag", NULL, "h", AT(flag), 7, .excludes = "other x"},
    {OPT_FLAG, 0, "other", NULL, "h", AT(other)},
    {OPT_COUNT, 'v', "verbose", NULL, "h", AT(count)},
    {OPT_NUMBER, 'n', "number", "N", "h", AT(number), .min = 2, .max = 9},
    {OPT_NUMBER, 'N', "most", "N", "h", AT(number), .min = 2},
    {OPT_DURATION, 'w', "wait", "T", "h", AT(duration), .min = 1, .max = 60000},
    {OPT_SIZE, 's', "size", "SIZE", "h", AT(size), .min = 2, .max = 4096},
    {OPT_STRING, 't', "text", "TEXT", "h", AT(string)},
    {OPT_STRING, 0, "text-two", "TEXT", "h", AT(string)},
    {OPT_CHOICE, 'c', "choice", "WORD", "h", AT(choice), .choices = words},
    {OPT_LIST, 'l', "list", "X", "h", AT(list), .value = 5},
    {OPT_FILE, 0, "file", "FILE", "h", AT(file)},
    {OPT_FILE, 0, "in", "FILE", "h", AT(in), .dash = OPT_DASH_STDIN},
    {OPT_FILE, 0, "in-two", "FILE", "h", AT(in_two), .dash = OPT_DASH_STDIN},
    {OPT_FILE, 'o', "out", "FILE", "h", AT(out), .dash = OPT_DASH_STDOUT,
	.dash_without = "count verbose"},
    {OPT_FILE, 'x', "free-out", "FILE", "h", AT(free_out),
	.dash = OPT_DASH_STDOUT, .dash_with = "flag number elsewhere"},
    {OPT_FLAG, 0, "exec", NULL, "h", AT(other)},
    {OPT_CALL, 'C', "call", "X", "h", AT(called), .call = take_called},
    {.kind = OPT_END}};
static const struct opt other_table[] = {
    {OPT_FLAG, 'f', "flag", NULL, "h", AT(flag), 7}, {.kind = OPT_END}};
static const struct opt_group groups[] = {{"g", table, 0}, {NULL, NULL, 0}};

/* The arguments of one parse, its result and what is left. */
static struct options got;
static struct command_args rest;
static struct err error;

/* Parses line, split at blanks; "''" is an empty argument. */
static int
parse(const char *line, int least, bool program)
{
	const struct command c = {.groups = groups,
	    .size = sizeof(got),
	    .min_operands = least,
	    .max_operands = -1,
	    .operands = "X",
	    .runs_program = program};
	static char copy[512], *argv[32];
	char *save, *word;
	int argc = 0, result;

	if (rest.options != NULL)
		command_release(&c, &rest);
	err_clear(&error);
	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok_r(copy, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save)) {
		argv[argc++] = word;
		if (strcmp(word, "''") == 0)
			*word = '\0';
	}
	argv[argc] = NULL;
	result = command_parse(&c, argv, &rest, &error);
	got = *(const struct options *)rest.options;
	return result;
}

static void
refuses(const char *line, const char *why)
{
	int result = parse(line, 0, false);

	ok(result == -1 && error.kind == ERR_USAGE, "refuses '%s'", line);
	is_text(error.text, why, "  and tells why");
}

/* The condition looks at what the parse left behind. */
#define TAKES(line, condition)                                                \
	ok(parse(line, 0, false) == 0 && (condition), "takes '%s'%s%s", line, \
	    error.text[0] != '\0' ? ": " : "", error.text)

static void
test_kinds(void)
{
	TAKES("--other", got.other == 1);
	TAKES("-f", got.flag == 7);
	TAKES("--flag", got.flag == 7);
	TAKES("-vvv --verbose", got.count == 4);
	TAKES("-n5", got.number == 5);
	TAKES("-n 5", got.number == 5);
	TAKES("--number=5", got.number == 5);
	TAKES("--number 5", got.number == 5);
	TAKES("-n 2 -n 9", got.number == 9);
	TAKES("-N 9223372036854775807", got.number == INT64_MAX);
	TAKES("-w500ms", got.duration == 500);
	TAKES("-w 1m", got.duration == 60000);
	TAKES("-s 4k", got.size == 4096);
	TAKES("-t --", strcmp(got.string, "--") == 0);
	TAKES("--text -f", strcmp(got.string, "-f") == 0 && got.flag == 0);
	TAKES("--text=", got.string[0] == '\0');
	TAKES("--text ''", got.string[0] == '\0');
	TAKES("-tx=y", strcmp(got.string, "x=y") == 0);
	TAKES("-c two", got.choice == 1);
	TAKES("-C x", strcmp(got.called, "<x>") == 0);
	TAKES("",
	    rest.used[0] == NULL && opt_find_used(rest.used, table) == NULL);
	TAKES("-vv --number 5", opt_find_used(rest.used, table) == &table[2] &&
				    rest.used[2] == &table[3] &&
				    rest.used[3] == NULL);
	TAKES("-v", opt_find_used(rest.used, other_table) == NULL);
	TAKES("-l a --list=b -lc",
	    got.list.count == 3 && strcmp(got.list.items[0], "a") == 0 &&
		strcmp(got.list.items[2], "c") == 0 && got.list.values[1] == 5);
}

static void
test_forms(void)
{
	TAKES("-fvn3", got.flag == 7 && got.count == 1 && got.number == 3);
	TAKES("-fvt rest", strcmp(got.string, "rest") == 0);
	TAKES("--text x", strcmp(got.string, "x") == 0);
	TAKES("a -f b -- -v --no", rest.count == 4 && got.flag == 7 &&
				       got.count == 0 &&
				       strcmp(rest.operands[2], "-v") == 0 &&
				       rest.operands[4] == NULL);
	TAKES("- ''", rest.count == 2 && strcmp(rest.operands[0], "-") == 0);
	TAKES("", rest.count == 0 && rest.operands[0] == NULL);
	TAKES("--help", rest.help == COMMAND_FULL_HELP);
	TAKES("-h", rest.help == COMMAND_SHORT_HELP);
	TAKES("-f --help --nonsense", rest.help == COMMAND_FULL_HELP);
}

/* '-' is a stream that nothing else uses, or an error. */
static void
test_dash(void)
{
	const char *busy = "--free-out: '-' is stdout, which has the data that "
			   "is received (/dev/stderr is the terminal; stdout "
			   "is free with --flag, --number)";

	TAKES("--file ./-", strcmp(got.file, "./-") == 0);
	TAKES("--in - -o -", strcmp(got.in, "-") == 0 && got.out[0] == '-');
	TAKES("-o x -v", got.out[0] == 'x');
	TAKES("-f -x-", got.free_out[0] == '-');
	TAKES("-x - -n 5", got.free_out[0] == '-');
	TAKES("-x - --exec", got.free_out[0] == '-');
	ok(parse("-x - a -- p", 1, true) == 0 && rest.program != NULL,
	    "takes '-' with a program");
	TAKES("-x - -x f", strcmp(got.free_out, "f") == 0);
	refuses("--file -",
	    "--file: '-' is not a file here (./- is a file of that name)");
	refuses("--file=", "--file: '' is not the name of a file");
	refuses("--in - --in-two -", "--in and --in-two cannot both be '-'");
	refuses("-f -x - -o -", "--out and --free-out cannot both be '-'");
	refuses(
	    "-o - -v", "--out: '-' is stdout, which has the data of --verbose");
	refuses("-x -", busy);
	refuses("--other -x - -- p", busy);
}

/* Where the refused option is: for hints. */
static void
test_refused(void)
{
	ok(parse("-vZ x", 0, false) < 0 && strcmp(*rest.refused, "-vZ") == 0 &&
		rest.letter == 'Z',
	    "a refused letter is known");
	ok(parse("-v --nothing", 0, false) < 0 &&
		strcmp(*rest.refused, "--nothing") == 0 && rest.letter == 0,
	    "a refused name is known");
	ok(parse("-n x", 0, false) < 0 && strcmp(*rest.refused, "-n") == 0 &&
		rest.letter == 'n',
	    "an option whose argument was refused is known");
	TAKES("-v x", rest.refused == NULL);
}

static void
test_misuse(void)
{
	refuses("-vZ", "there is no option -Z");
	refuses("-vh", "there is no option -h");
	refuses("-\x1b", "there is no option -\\x1b");
	refuses("--n\x1b", "there is no option --n\\x1b");
	refuses("-fn", "option -n needs a number (N)");
	refuses("-n 1", "--number: '1' is not a number from 2 to 9");
	refuses("-n 10", "--number: '10' is not a number from 2 to 9");
	refuses("-n 5x", "--number: '5x' is not a number from 2 to 9");
	refuses("-n -5", "--number: '-5' is not a number from 2 to 9");
	refuses("-n ''", "--number: '' is not a number from 2 to 9");
	refuses("-N 1", "--most: '1' is not a number of 2 or more");
	refuses("-N 9223372036854775808",
	    "--most: '9223372036854775808' is not a number of 2 or more");
	refuses("-w 5x",
	    "--wait: '5x' is not a duration (like 5, 0.5, 500ms, 2m, 1h)");
	refuses("-w 2m", "--wait: '2m' is too long");
	refuses("-s 1b", "--size: '1b' is not a size (like 4096, 64k, 1M, 1G)");
	refuses("-s 1", "--size: '1' is too small");
	refuses("-s 5k", "--size: '5k' is too large");
	refuses("-c three", "--choice: 'three' must be one or two");
	refuses("-C bad", "--call: 'bad' is bad");
	refuses("--other -f", "--other and --flag cannot be used together");
	ok(parse("-w 5 -w 0", 0, false) < 0 && got.duration == 5000,
	    "a refused value leaves the field as it was");
}

static void
test_program(void)
{
	ok(parse("host 80 -- ls -l --", 1, true) == 0 && rest.count == 2 &&
		rest.program != NULL && strcmp(rest.program[0], "ls") == 0 &&
		strcmp(rest.program[2], "--") == 0 && rest.program[3] == NULL,
	    "a program behind the operands");
	ok(parse("-- -host -80 -- ls", 1, true) == 0 && rest.count == 2 &&
		strcmp(rest.operands[0], "-host") == 0 &&
		strcmp(rest.program[0], "ls") == 0,
	    "operands behind the first --, a program behind the second");
	ok(parse("host --", 1, true) == 0 && rest.count == 1 &&
		rest.program == NULL,
	    "no program behind --");
	ok(parse("-- ls", 0, true) == 0 && rest.count == 0 &&
		strcmp(rest.program[0], "ls") == 0,
	    "a program where no operand is needed");
}

int
main(void)
{
	test_kinds();
	test_forms();
	test_misuse();
	test_dash();
	test_refused();
	test_program();
	parse("", 0, false);
	command_release(&(struct command){.groups = groups}, &rest);
	return done_testing();
}
