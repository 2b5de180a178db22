/* Searches a stream for a pattern, line by line or as a whole. */
#include "relay/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* What is known about the place between two bytes. */
struct boundary {
	bool is_start, is_end; /* of a line */
};

/* Adds a state to a list unless the current generation has it. */
static void
add_state(struct pattern *p, struct pattern_states *list, int state)
{
	list->items[list->count++] = state;
	if (p->nfa.code[state].op == NFA_MATCH)
		p->has_matched = true;
}

/* Follows splits and jumps from a state to those that consume a byte, wait for
 * a boundary or match. */
static void
follow(struct pattern *p, struct pattern_states *list, int state)
{
	const struct nfa_code *code;
	size_t depth = 0;

	p->stack[depth++] = state;
	while (depth > 0) {
		state = p->stack[--depth];
		if (p->marks[state] == p->generation)
			continue;
		p->marks[state] = p->generation;
		code = &p->nfa.code[state];
		if (code->op != NFA_SPLIT && code->op != NFA_JUMP) {
			add_state(p, list, state);
			continue;
		}
		p->stack[depth++] = state + code->x;
		if (code->op == NFA_SPLIT)
			p->stack[depth++] = state + code->y;
	}
}

/* Lets the states that wait for this boundary continue. */
static void
pass_boundary(struct pattern *p, struct boundary b)
{
	size_t i;
	enum nfa_op op;

	/* The search may begin here. */
	follow(p, &p->now, 0);
	for (i = 0; i < p->now.count; i++) {
		op = p->nfa.code[p->now.items[i]].op;
		if ((op == NFA_LINE_START && b.is_start) ||
		    (op == NFA_LINE_END && b.is_end))
			follow(p, &p->now, p->now.items[i] + 1);
	}
}

static bool
accepts(
    const struct pattern *p, const struct nfa_code *code, unsigned char byte)
{
	switch (code->op) {
	case NFA_BYTE:
		return code->value == byte;
	case NFA_ANY:
		return !p->nfa.by_lines || byte != '\n';
	case NFA_SET:
		return nfa_set_has(&p->nfa.sets[code->value], byte);
	default:
		return false;
	}
}

/* The next generation of marks; at the last one all are cleared. */
static void
advance_generation(struct pattern *p)
{
	if (++p->generation != 0)
		return;
	memset(p->marks, 0, p->nfa.count * sizeof(p->marks[0]));
	p->generation = 1;
}

/* Lets all states consume a byte. */
static void
consume(struct pattern *p, unsigned char byte)
{
	struct pattern_states old = p->now;
	size_t i;

	advance_generation(p);
	p->next.count = 0;
	for (i = 0; i < old.count; i++)
		if (accepts(p, &p->nfa.code[old.items[i]], byte))
			follow(p, &p->next, old.items[i] + 1);
	p->now = p->next;
	p->next = old;
	p->place = byte == '\n' ? PATTERN_LINE_START : PATTERN_IN_LINE;
}

/* The bytes that may begin a match in a line. Those that end a line always
 * count. */
static void
find_begins(struct pattern *p)
{
	size_t i;
	int byte;

	pass_boundary(p, (struct boundary){false, false});
	for (byte = 0; byte < 256; byte++) {
		p->begins[byte] = byte == '\n' || byte == '\r';
		for (i = 0; i < p->now.count && !p->begins[byte]; i++)
			p->begins[byte] = accepts(p,
			    &p->nfa.code[p->now.items[i]], (unsigned char)byte);
	}
}

int
pattern_compile(struct pattern *p, const char *text, struct err *e)
{
	size_t n;

	memset(p, 0, sizeof(*p));
	if (nfa_compile(&p->nfa, text, e) < 0)
		return -1;
	n = p->nfa.count;
	p->marks = mem_array(n, sizeof(p->marks[0]));
	p->now.items = mem_array(n, sizeof(int));
	p->next.items = mem_array(n, sizeof(int));
	/* Each state is followed once, and puts at most two there. */
	p->stack = mem_array(2 * n + 1, sizeof(int));
	p->generation = 1;
	find_begins(p);
	return 0;
}

void
pattern_start(struct pattern *p, enum pattern_place place)
{
	advance_generation(p);
	p->now.count = 0;
	p->has_matched = false;
	p->place = place;
	follow(p, &p->now, 0);
}

/* How many of n bytes cannot change anything: no match has begun, and none can
 * begin with them. */
static size_t
skip(const struct pattern *p, const unsigned char *bytes, size_t n)
{
	size_t i = 0;

	if (p->now.count == 0 && p->place == PATTERN_IN_LINE)
		while (i < n && !p->begins[bytes[i]])
			i++;
	return i;
}

/* The boundary before the first of n bytes, or at the end. */
static struct boundary
boundary_at(
    const struct pattern *p, const unsigned char *bytes, size_t n, bool has_cr)
{
	struct boundary b;

	if (n == 0)
		b.is_end = p->place == PATTERN_IN_LINE;
	else
		b.is_end = bytes[0] == '\n' ||
			   (has_cr && (n == 1 || bytes[1] == '\n'));
	b.is_start = p->place == PATTERN_LINE_START ||
		     (p->place == PATTERN_TURN && !b.is_end);
	return b;
}

bool
pattern_search(
    struct pattern *p, const unsigned char *bytes, size_t n, size_t *used)
{
	bool drops_cr = p->nfa.by_lines && !p->nfa.names_cr, has_cr;
	size_t at = 0;

	while (!p->has_matched) {
		at += skip(p, bytes + at, n - at);
		has_cr = drops_cr && at < n && bytes[at] == '\r';
		if (!p->is_ended && (at == n || (has_cr && at + 1 == n)))
			break;
		pass_boundary(p, boundary_at(p, bytes + at, n - at, has_cr));
		if (p->has_matched || at == n)
			break;
		if (has_cr && (at + 1 == n || bytes[at + 1] == '\n'))
			at++;
		if (at < n)
			consume(p, bytes[at++]);
	}
	*used = at;
	return p->has_matched;
}

void
pattern_release(struct pattern *p)
{
	nfa_release(&p->nfa);
	free(p->marks);
	free(p->now.items);
	free(p->next.items);
	free(p->stack);
	memset(p, 0, sizeof(*p));
}
