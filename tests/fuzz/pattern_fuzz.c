/*
 * Patterns of --expect: the first byte chooses, then come a pattern and a NUL,
 * then the text that is searched. A match must not depend on how the text
 * arrives. With an even first byte the pattern is not text but builds one, on a
 * stack, together with the relation between the places in the text where a
 * match of it begins and ends; the search must agree with that.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "relay/pattern.h"

/* Places are bits of a word. */
#define MAX_TEXT 31
#define MAX_REGEX 512
#define MAX_DEPTH 8

/* How tightly the text of a part holds together. */
enum { ATOM, SEQUENCE, CHOICE };

/* A part of a pattern: its ends for each beginning. */
struct part {
	char regex[MAX_REGEX];
	int level;
	uint64_t ends[MAX_TEXT + 1];
};

/* What is searched, without the CRs that end lines. */
struct subject {
	unsigned char bytes[MAX_TEXT];
	size_t place[MAX_TEXT + 1]; /* in the text, after each byte */
	size_t n;
	bool is_start[MAX_TEXT + 1], is_end[MAX_TEXT + 1];
};

struct builder {
	struct part parts[MAX_DEPTH];
	size_t depth;
	struct subject subject;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The place where a match ends, or -1; the text arrives in pieces. */
static long
search(struct pattern *p, enum pattern_place place, const uint8_t *text,
    size_t size, size_t piece)
{
	size_t at = 0, end = 0, used;

	pattern_start(p, place);
	p->is_ended = false;
	do {
		end = size - end < piece ? size : end + piece;
		p->is_ended = end == size;
		if (pattern_search(p, text + at, end - at, &used))
			return (long)(at + used);
		if (used > end - at || end - at - used > 1)
			abort();
		at += used;
	} while (end < size);
	return -1;
}

/* Compiles and searches; -2 if the pattern is refused. */
static long
find(const char *regex, enum pattern_place place, const uint8_t *text,
    size_t size, size_t piece)
{
	struct err e = ERR_INIT;
	struct pattern p;
	long end;

	if (pattern_compile(&p, regex, &e) < 0) {
		if (e.kind != ERR_USAGE || e.text[0] == '\0')
			abort();
		return -2;
	}
	end = search(&p, place, text, size, size + 1);
	if (search(&p, place, text, size, 1) != end ||
	    search(&p, place, text, size, piece) != end)
		abort();
	pattern_release(&p);
	return end;
}

static void
make_subject(struct subject *s, const uint8_t *text, size_t size, bool drops_cr,
    enum pattern_place place)
{
	bool is_cr = false;
	size_t i;

	s->n = 0;
	memset(s->is_end, 0, sizeof(s->is_end));
	s->place[0] = 0;
	for (i = 0; i < size; i++) {
		is_cr = drops_cr && text[i] == '\r' &&
			(i + 1 == size || text[i + 1] == '\n');
		s->is_end[s->n] = s->is_end[s->n] || is_cr || text[i] == '\n';
		if (is_cr)
			continue;
		s->bytes[s->n++] = text[i];
		s->place[s->n] = i + 1;
	}
	if (s->n == 0 ? place == PATTERN_IN_LINE : s->bytes[s->n - 1] != '\n')
		s->is_end[s->n] = true;
	s->is_start[0] = place == PATTERN_LINE_START ||
			 (place == PATTERN_TURN && !s->is_end[0]);
	for (i = 1; i <= s->n; i++)
		s->is_start[i] = s->bytes[i - 1] == '\n';
}

/* The atoms of patterns. */
enum { A, B, C, LF, CR, ANY, A_OR_B, NOT_A, SPACE, WORD, NO_WORD, START, END };
static const char *const atoms[] = {"a", "b", "c", "\\n", "\\r", ".", "[ab]",
    "[^a]", "\\s", "\\w", "\\W", "^", "$"};

static bool
accepts(int atom, unsigned char c, bool by_lines)
{
	bool is_word = c == '_' || (c >= '0' && c <= '9') ||
		       ((c | 32) >= 'a' && (c | 32) <= 'z');

	if (by_lines && c == '\n' &&
	    (atom == ANY || atom == NOT_A || atom == NO_WORD))
		return false;
	switch (atom) {
	case ANY:
		return true;
	case A_OR_B:
		return c == 'a' || c == 'b';
	case NOT_A:
		return c != 'a';
	case SPACE:
		return c == ' ' || (c >= '\t' && c <= '\r');
	case WORD:
		return is_word;
	case NO_WORD:
		return !is_word;
	default:
		return c == (unsigned char)"abc\n\r"[atom];
	}
}

/* Pushes an atom, or with one that does not exist the empty pattern. */
static void
push(struct builder *b, int atom, bool by_lines)
{
	const struct subject *s = &b->subject;
	struct part *p = &b->parts[b->depth++];
	size_t i;

	memset(p->ends, 0, sizeof(p->ends));
	p->level = atom > END ? SEQUENCE : ATOM;
	snprintf(
	    p->regex, sizeof(p->regex), "%s", atom > END ? "" : atoms[atom]);
	for (i = 0; i <= s->n; i++)
		if (atom >= START) {
			if (atom > END ||
			    (atom == START ? s->is_start : s->is_end)[i])
				p->ends[i] = (uint64_t)1 << i;
		} else if (i < s->n && accepts(atom, s->bytes[i], by_lines)) {
			p->ends[i] = (uint64_t)1 << (i + 1);
		}
}

/* What first and then second match, in *first. */
static void
compose(uint64_t *first, const uint64_t *second)
{
	uint64_t ends;
	size_t i, k;

	for (i = 0; i <= MAX_TEXT; i++) {
		ends = 0;
		for (k = 0; first[i] >> k != 0; k++)
			if ((first[i] >> k & 1) != 0)
				ends |= second[k];
		first[i] = ends;
	}
}

static void
unite(uint64_t *ends, const uint64_t *others)
{
	size_t i;

	for (i = 0; i <= MAX_TEXT; i++)
		ends[i] |= others[i];
}

/* Puts a group around the text if it does not hold together that tightly. */
static void
hold(struct part *p, int level)
{
	char text[MAX_REGEX];

	if (p->level <= level)
		return;
	memcpy(text, p->regex, sizeof(text));
	snprintf(p->regex, sizeof(p->regex), "(%.*s)", MAX_REGEX - 3, text);
	p->level = ATOM;
}

/* Joins the last two parts as a sequence or as a choice. */
static void
join(struct builder *b, int level)
{
	struct part *second = &b->parts[--b->depth], *first = second - 1;
	char text[2 * MAX_REGEX];

	hold(first, level);
	hold(second, level);
	snprintf(text, sizeof(text), "%s%s%s", first->regex,
	    level == CHOICE ? "|" : "", second->regex);
	memcpy(first->regex, text, sizeof(first->regex) - 1);
	first->level = level;
	if (level == CHOICE)
		unite(first->ends, second->ends);
	else
		compose(first->ends, second->ends);
}

/* Repeats the last part min to max times; max 4: without a limit. */
static void
repeat(struct builder *b, int min, int max)
{
	static uint64_t once[MAX_TEXT + 1], all[MAX_TEXT + 1];
	static const char *const short_forms[] = {"*", "?", "+"};
	struct part *p = &b->parts[b->depth - 1];
	int i, limit = max == 4 ? MAX_TEXT + 4 : max;
	size_t n;

	hold(p, ATOM);
	n = strlen(p->regex);
	if (max == 4 && min < 2)
		snprintf(p->regex + n, MAX_REGEX - n, "%s",
		    short_forms[min == 0 ? 0 : 2]);
	else if (max == 4)
		snprintf(p->regex + n, MAX_REGEX - n, "{%d,}", min);
	else if (min == 0 && max == 1)
		snprintf(p->regex + n, MAX_REGEX - n, "?");
	else
		snprintf(p->regex + n, MAX_REGEX - n, "{%d,%d}", min, max);
	memcpy(once, p->ends, sizeof(once));
	for (i = 0; i <= MAX_TEXT; i++)
		p->ends[i] = (uint64_t)1 << i;
	memset(all, 0, sizeof(all));
	for (i = 0; i <= limit; i++) {
		if (i >= min)
			unite(all, p->ends);
		compose(p->ends, once);
	}
	memcpy(p->ends, all, sizeof(all));
}

/* One step of building: the atoms, then what is done to the last parts. */
static void
build(struct builder *b, uint8_t step, bool by_lines)
{
	int min, max;

	if (step < 128) {
		push(b, step % 14, by_lines);
	} else if (step < 192 && b->depth > 0) {
		min = step % 4;
		max = step / 4 % 5;
		repeat(b, min, max < min ? 4 : max);
	} else if (step >= 192 && b->depth > 1) {
		join(b, step % 2 == 0 ? SEQUENCE : CHOICE);
	}
	if (b->depth == MAX_DEPTH)
		join(b, SEQUENCE);
}

/* The first end of a match, as the relation says. */
static long
expected(const struct builder *b)
{
	uint64_t ends = 0;
	size_t i;

	for (i = 0; i <= b->subject.n; i++)
		ends |= b->parts[0].ends[i];
	for (i = 0; i <= b->subject.n; i++)
		if ((ends >> i & 1) != 0)
			return (long)b->subject.place[i];
	return -1;
}

static void
check_built(uint8_t choice, const char *steps, const uint8_t *text, size_t size)
{
	static struct builder b;
	enum pattern_place place = (enum pattern_place)(choice / 2 % 3);
	bool by_lines = false, names_cr = false;
	const char *at;
	long end;

	if (size > MAX_TEXT || strlen(steps) > 24)
		return;
	for (at = steps; *at != '\0'; at++)
		if ((uint8_t)*at < 128) {
			by_lines |= *at % 14 == START || *at % 14 == END;
			names_cr |= *at % 14 == CR;
		}
	/* A CR alone after a turn is no line. */
	if (place == PATTERN_TURN && size == 1 && text[0] == '\r')
		return;
	make_subject(&b.subject, text, size, by_lines && !names_cr, place);
	b.depth = 0;
	push(&b, END + 1, by_lines);
	for (at = steps; *at != '\0'; at++)
		build(&b, (uint8_t)*at, by_lines);
	while (b.depth > 1)
		join(&b, SEQUENCE);
	/* Cut short, it is something else. */
	if (strlen(b.parts[0].regex) > MAX_REGEX / 4)
		return;
	end = find(b.parts[0].regex, place, text, size, choice / 6 + 1);
	if (end != -2 && end != expected(&b)) {
		fprintf(stderr, "'%s': %ld, not %ld\n", b.parts[0].regex, end,
		    expected(&b));
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char pattern[MAX_REGEX];
	size_t n = 0;

	if (size < 2)
		return 0;
	while (n + 1 < size && data[n + 1] != '\0')
		n++;
	if (n + 1 == size || n >= sizeof(pattern))
		return 0;
	memcpy(pattern, data + 1, n + 1);
	data += n + 2;
	size -= n + 2;
	if (size > 1000)
		size = 1000;
	if (data[-(long)n - 2] % 2 == 0)
		check_built(data[-(long)n - 2], pattern, data, size);
	else
		(void)find(pattern,
		    (enum pattern_place)(data[-(long)n - 2] / 2 % 3), data,
		    size, data[-(long)n - 2] / 6 + 1);
	return 0;
}
