/* Compiles extended regular expressions into automata. */
#include "relay/nfa.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/literal.h"
#include "base/mem.h"
#include "base/text.h"

/* The limits of the depth of parentheses, and of counted repetitions. */
#define MAX_DEPTH 100
#define MAX_REPEAT 255

/* The expression, or a group in it, that is being compiled. */
struct group {
	size_t start;  /* index of its first instruction */
	size_t branch; /* and of that of its last alternative */
	size_t jump; /* the last jump to its end, or 0; its y is the one before
		      */
};

struct parser {
	struct nfa *a;
	const char *at, *end;
	struct group groups[MAX_DEPTH + 1];
	size_t depth;
	struct err *e;
};

static int
fail(struct parser *p, const char *why)
{
	return err_set(p->e, ERR_USAGE, "%s", why);
}

/* Makes space for n instructions at an index. */
static struct nfa_code *
insert(struct parser *p, size_t index, size_t n)
{
	struct nfa *a = p->a;

	if (a->count + n > NFA_MAX_CODE) {
		fail(p, "it is too large");
		return NULL;
	}
	memmove(a->code + index + n, a->code + index,
	    (a->count - index) * sizeof(a->code[0]));
	memset(a->code + index, 0, n * sizeof(a->code[0]));
	a->count += n;
	return a->code + index;
}

static int
append(struct parser *p, enum nfa_op op, int value)
{
	struct nfa_code *code = insert(p, p->a->count, 1);

	if (code == NULL)
		return -1;
	code->op = op;
	code->value = value;
	return 0;
}

/* A jump to the next instruction, so far. */
static int
append_jump(struct parser *p)
{
	if (append(p, NFA_JUMP, 0) < 0)
		return -1;
	p->a->code[p->a->count - 1].x = 1;
	return 0;
}

static int
append_byte(struct parser *p, unsigned char byte)
{
	if (byte == '\r')
		p->a->names_cr = true;
	return append(p, NFA_BYTE, byte);
}

static struct nfa_set *
append_set(struct parser *p)
{
	struct nfa *a = p->a;

	if (a->set_count == NFA_MAX_SETS) {
		fail(p, "it has too many sets");
		return NULL;
	}
	if (append(p, NFA_SET, (int)a->set_count) < 0)
		return NULL;
	return &a->sets[a->set_count++];
}

static void
set_add(struct nfa_set *set, unsigned char byte)
{
	set->bits[byte / 8] |= (unsigned char)(1 << byte % 8);
}

bool
nfa_set_has(const struct nfa_set *set, unsigned char byte)
{
	return ((set->bits[byte / 8] >> byte % 8) & 1) != set->is_negated;
}

static void
set_add_class(struct nfa_set *set, int (*is_member)(int))
{
	int byte;

	/* There is no setlocale(3): these are the classes of ASCII. */
	for (byte = 0; byte < 256; byte++)
		if (is_member(byte))
			set_add(set, (unsigned char)byte);
}

/* \w, \W, \s and \S, after the backslash. */
static int
parse_class_letter(struct parser *p)
{
	struct nfa_set *set = append_set(p);
	char letter = *p->at++;

	if (set == NULL)
		return -1;
	if (letter == 's' || letter == 'S') {
		set_add_class(set, isspace);
	} else {
		set_add_class(set, isalnum);
		set_add(set, '_');
	}
	set->is_negated = letter == 'W' || letter == 'S';
	return 0;
}

/* What follows a backslash, which is at p->at. */
static int
parse_escape(struct parser *p)
{
	unsigned char byte;
	size_t used = literal_escape(p->at, (size_t)(p->end - p->at), &byte);

	if (used > 0) {
		p->at += used;
		return append_byte(p, byte);
	}
	p->at++;
	if (p->at == p->end)
		return fail(p, "a lone backslash at its end");
	if (strchr("wWsS", *p->at) != NULL)
		return parse_class_letter(p);
	if (*p->at >= '1' && *p->at <= '9')
		return fail(p, "there are no back references");
	if (isalnum((unsigned char)*p->at))
		return fail(p,
		    "an unknown escape (there are \\n \\r \\t \\0 \\e \\\\ "
		    "\\xHH, and \\w \\W \\s \\S)");
	return append_byte(p, (unsigned char)*p->at++);
}

/* "[:alpha:]", at p->at. */
static int
parse_class_name(struct parser *p, struct nfa_set *set)
{
	static const struct {
		const char *name;
		int (*is_member)(int);
	} classes[] = {{"[:alnum:]", isalnum}, {"[:alpha:]", isalpha},
	    {"[:blank:]", isblank}, {"[:cntrl:]", iscntrl},
	    {"[:digit:]", isdigit}, {"[:graph:]", isgraph},
	    {"[:lower:]", islower}, {"[:print:]", isprint},
	    {"[:punct:]", ispunct}, {"[:space:]", isspace},
	    {"[:upper:]", isupper}, {"[:xdigit:]", isxdigit}};
	size_t i, n;

	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		n = strlen(classes[i].name);
		if (strncmp(p->at, classes[i].name, n) == 0) {
			set_add_class(set, classes[i].is_member);
			p->at += n;
			return 0;
		}
	}
	return fail(p, "an unknown class in brackets");
}

/* One byte in brackets, perhaps as an escape. */
static unsigned char
parse_member(struct parser *p)
{
	unsigned char byte = (unsigned char)*p->at;
	size_t used = 1;

	if (byte == '\\')
		used = literal_escape(p->at, (size_t)(p->end - p->at), &byte);
	p->at += used == 0 ? 1 : used;
	return byte;
}

/* A byte or a range in brackets. */
static int
parse_range(struct parser *p, struct nfa_set *set)
{
	int first = parse_member(p), last = first;

	if (p->end - p->at >= 2 && p->at[0] == '-' && p->at[1] != ']') {
		p->at++;
		last = parse_member(p);
	}
	if (last < first)
		return fail(p, "a range in brackets ends before it begins");
	if (first <= '\r' && last >= '\r' && !set->is_negated)
		p->a->names_cr = true;
	for (; first <= last; first++)
		set_add(set, (unsigned char)first);
	return 0;
}

/* "[^a-z]", after its first bracket. */
static int
parse_brackets(struct parser *p)
{
	struct nfa_set *set = append_set(p);
	const char *first;
	int result = 0;

	if (set == NULL)
		return -1;
	if (*p->at == '^') {
		set->is_negated = true;
		p->at++;
	}
	for (first = p->at; result == 0;) {
		if (p->at == p->end)
			return fail(p, "brackets are not closed");
		if (*p->at == ']' && p->at > first)
			break;
		if (*p->at == '[' && p->at[1] != '\0' &&
		    strchr(":.=", p->at[1]) != NULL)
			result = parse_class_name(p, set);
		else
			result = parse_range(p, set);
	}
	p->at++;
	return result;
}

static int
parse_atom(struct parser *p)
{
	switch (*p->at) {
	case '\\':
		return parse_escape(p);
	case '[':
		p->at++;
		return parse_brackets(p);
	case '*':
	case '+':
	case '?':
		return fail(p, "there is nothing to repeat");
	case '.':
		p->at++;
		return append(p, NFA_ANY, 0);
	case '^':
	case '$':
		p->a->by_lines = true;
		return append(
		    p, *p->at++ == '^' ? NFA_LINE_START : NFA_LINE_END, 0);
	default:
		return append_byte(p, (unsigned char)*p->at++);
	}
}

/* Makes what begins at an index optional. */
static int
make_optional(struct parser *p, size_t index)
{
	int n = (int)(p->a->count - index);
	struct nfa_code *split = insert(p, index, 1);

	if (split == NULL)
		return -1;
	*split = (struct nfa_code){.op = NFA_SPLIT, .x = 1, .y = n + 1};
	return 0;
}

/* Lets what begins at an index occur again. */
static int
make_repeated(struct parser *p, size_t index)
{
	int n = (int)(p->a->count - index);

	if (append(p, NFA_SPLIT, 0) < 0)
		return -1;
	p->a->code[p->a->count - 1].x = -n;
	p->a->code[p->a->count - 1].y = 1;
	return 0;
}

/* Appends a copy of n instructions from an index. */
static int
append_copy(struct parser *p, size_t index, size_t n)
{
	struct nfa_code *code = insert(p, p->a->count, n);

	if (code == NULL)
		return -1;
	memcpy(code, p->a->code + index, n * sizeof(code[0]));
	return 0;
}

/* Repeats what begins at an index min to max times; max -1: no limit. */
static int
repeat(struct parser *p, size_t index, int min, int max)
{
	size_t n = p->a->count - index, last = index;
	int i, copies = max < 0 ? min : max;

	if (max == 0) {
		p->a->count = index;
		return append_jump(p);
	}
	for (i = 1; i < copies; i++) {
		last = p->a->count;
		if (append_copy(p, index, n) < 0)
			return -1;
	}
	if (max < 0 && make_repeated(p, last) < 0)
		return -1;
	if (max < 0)
		return min == 0 ? make_optional(p, index) : 0;
	/* From the last one on, so that the indexes of the others stay. */
	for (i = copies; i > min; i--)
		if (make_optional(p, index + (size_t)(i - 1) * n) < 0)
			return -1;
	return 0;
}

/* Parses digits, which may be none; a number above MAX_REPEAT is inexact. */
static int
parse_number(const char **at)
{
	int n = 0;

	for (; text_is_digit(**at); ++*at)
		if (n <= MAX_REPEAT)
			n = n * 10 + (**at - '0');
	return n;
}

/* "{2}", "{2,}", "{2,5}" or "{,5}", if it is one; otherwise { is literal. */
static bool
parse_count(struct parser *p, int *min, int *max)
{
	const char *at = p->at + 1;
	bool has_comma, has_digit = text_is_digit(*at);

	*min = parse_number(&at);
	has_comma = *at == ',';
	at += has_comma ? 1 : 0;
	*max = has_comma ? -1 : *min;
	if (has_comma && text_is_digit(*at))
		*max = parse_number(&at);
	if (*at != '}' || (!has_digit && *max < 0))
		return false;
	p->at = at + 1;
	return true;
}

/* What repeats the code from an index on. */
static int
parse_repeats(struct parser *p, size_t index)
{
	int min, max, result = 0;

	while (result == 0 && p->at < p->end) {
		if (*p->at == '{' && parse_count(p, &min, &max)) {
			if (min > MAX_REPEAT || max > MAX_REPEAT ||
			    (max >= 0 && max < min))
				return fail(p, "a bad number of repetitions");
			result = repeat(p, index, min, max);
			continue;
		}
		if (*p->at == '*')
			result = repeat(p, index, 0, -1);
		else if (*p->at == '+')
			result = repeat(p, index, 1, -1);
		else if (*p->at == '?')
			result = repeat(p, index, 0, 1);
		else
			break;
		p->at++;
	}
	return result;
}

/* "(" */
static int
open_group(struct parser *p)
{
	struct group *g;

	if (p->depth == MAX_DEPTH)
		return fail(p, "it has too many parentheses");
	g = &p->groups[++p->depth];
	g->start = g->branch = p->a->count;
	g->jump = 0;
	p->at++;
	/* With this, repetitions of nothing reach the limit too. */
	if (append_jump(p) < 0)
		return -1;
	g->branch++;
	return 0;
}

/* "|": the jump that ends an alternative passes all those after it. */
static int
start_alternative(struct parser *p)
{
	struct group *g = &p->groups[p->depth];

	p->at++;
	if (append_jump(p) < 0 || make_optional(p, g->branch) < 0)
		return -1;
	p->a->code[p->a->count - 1].y = (int)g->jump;
	g->jump = p->a->count - 1;
	g->branch = p->a->count;
	return 0;
}

/* The end of a group: sets the targets of its jumps. */
static void
end_group(struct parser *p)
{
	struct nfa_code *code = p->a->code;
	size_t jump, next;

	for (jump = p->groups[p->depth].jump; jump > 0; jump = next) {
		next = (size_t)code[jump].y;
		code[jump].x = (int)(p->a->count - jump);
		code[jump].y = 0;
	}
}

/* Compiles the next part. An unmatched ")" is literal. */
static int
parse_part(struct parser *p)
{
	size_t index = p->a->count;

	if (*p->at == '(')
		return open_group(p);
	if (*p->at == '|')
		return start_alternative(p);
	if (*p->at == ')' && p->depth > 0) {
		end_group(p);
		index = p->groups[p->depth--].start;
		p->at++;
	} else if (parse_atom(p) < 0) {
		return -1;
	}
	return parse_repeats(p, index);
}

static int
parse(struct parser *p)
{
	while (p->at < p->end)
		if (parse_part(p) < 0)
			return -1;
	if (p->depth > 0)
		return fail(p, "a parenthesis is not closed");
	end_group(p);
	return append(p, NFA_MATCH, 0);
}

/* By lines, [^x] does not match LF. */
static void
exclude_newlines(struct nfa *a)
{
	size_t i;

	for (i = 0; i < a->set_count && a->by_lines; i++)
		if (a->sets[i].is_negated)
			set_add(&a->sets[i], '\n');
}

int
nfa_compile(struct nfa *a, const char *text, struct err *e)
{
	struct parser p = {
	    .a = a, .at = text, .end = text + strlen(text), .e = e};

	memset(a, 0, sizeof(*a));
	a->code = mem_array(NFA_MAX_CODE, sizeof(a->code[0]));
	a->sets = mem_array(NFA_MAX_SETS, sizeof(a->sets[0]));
	if (parse(&p) < 0) {
		nfa_release(a);
		return -1;
	}
	exclude_newlines(a);
	return 0;
}

void
nfa_release(struct nfa *a)
{
	free(a->code);
	free(a->sets);
	memset(a, 0, sizeof(*a));
}
