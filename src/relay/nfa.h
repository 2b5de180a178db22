/*
 * Extended regular expressions as automata whose states are followed byte by
 * byte (Thompson, CACM 11, 1968). regexec(3) cannot resume a search when more
 * data arrives, and its time can be quadratic in the length of the data.
 */
#ifndef RELAY_NFA_H
#define RELAY_NFA_H

#include <stdbool.h>
#include <stddef.h>

struct err;

/* The maximum number of instructions, and of sets. */
#define NFA_MAX_CODE 8192
#define NFA_MAX_SETS 256

enum nfa_op {
	NFA_BYTE,       /* consumes one byte, which is value */
	NFA_ANY,        /* consumes any byte; by lines, none that is LF */
	NFA_SET,        /* consumes a byte of the set with the index value */
	NFA_SPLIT,      /* continues at both x and y */
	NFA_JUMP,       /* continues at x */
	NFA_LINE_START, /* continues at the next one at the start of a line */
	NFA_LINE_END,   /* and this at the end of one */
	NFA_MATCH
};

/* One instruction. Targets are relative, so that code can be copied. */
struct nfa_code {
	enum nfa_op op;
	int value;
	int x, y;
};

struct nfa_set {
	bool is_negated;
	unsigned char bits[32];
};

struct nfa {
	struct nfa_code *code; /* owned */
	size_t count;
	struct nfa_set *sets; /* owned */
	size_t set_count;
	bool by_lines; /* it has ^ or $: '.' and [^x] do not match LF */
	bool names_cr; /* it contains CR */
};

/*
 * Compiles a POSIX extended regular expression in the C locale. It may contain
 * the escapes of literal_unescape() (base/literal.h), in brackets too; \w, \W,
 * \s and \S are classes; a backslash before another letter or digit is an
 * error, and before anything else makes that literal. Returns 0, or -1 with a
 * usage error and nothing to release.
 */
int nfa_compile(struct nfa *a, const char *text, struct err *e);

/* Whether a set contains a byte. */
bool nfa_set_has(const struct nfa_set *set, unsigned char byte);

void nfa_release(struct nfa *a);

#endif
