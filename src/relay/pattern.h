/*
 * Searches a stream for a pattern, piece by piece. The result does not depend
 * on the pieces: a match ends at the first byte that completes it. Each byte is
 * looked at once.
 */
#ifndef RELAY_PATTERN_H
#define RELAY_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/nfa.h"

struct err;

/* What the next byte of the stream is for "^". */
enum pattern_place {
	PATTERN_IN_LINE,
	PATTERN_LINE_START,
	PATTERN_TURN /* a start, unless the line ends here: it follows a text
			that was sent, and a prompt may have no newline */
};

/* Automaton states that are active. */
struct pattern_states {
	int *items;
	size_t count;
};

/*
 * A pattern. If it has ^ or $, it is matched line by line: a line ends before
 * LF or CRLF, or at the end of the stream. CR then belongs to the line only if
 * the pattern itself contains CR.
 */
struct pattern {
	struct nfa nfa;
	enum pattern_place place;
	struct pattern_states now, next;
	unsigned *marks;     /* owned: the generation of each state */
	unsigned generation; /* of now */
	int *stack;          /* owned: states to be followed */
	bool begins[256];    /* a match in a line may begin with this byte */
	bool has_matched;
	bool is_ended; /* the caller sets it: no more bytes follow */
};

/*
 * Compiles a pattern (relay/nfa.h). Returns 0, or -1 with a usage error and
 * nothing to release.
 */
int pattern_compile(struct pattern *p, const char *text, struct err *e);

/* Starts a search at a place. */
void pattern_start(struct pattern *p, enum pattern_place place);

/*
 * Searches the next n bytes of the stream. Returns whether the pattern has
 * matched, and sets *used to the number of bytes that were looked at, up to the
 * end of the match: the others must be passed again. Without a match that is
 * all, except a last CR that may be half of a CRLF.
 */
bool pattern_search(
    struct pattern *p, const unsigned char *bytes, size_t n, size_t *used);

void pattern_release(struct pattern *p);

#endif
