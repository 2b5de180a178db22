/* A scripted conversation: texts to send and patterns to expect, in the order
 * given. */
#ifndef RELAY_SCRIPT_H
#define RELAY_SCRIPT_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/deadline.h"

struct err;
struct flow;

/*
 * The maximum number of steps, the received bytes that are kept until a pattern
 * is searched for, and how much of a long line a match may span.
 */
#define SCRIPT_STEPS 128
#define SCRIPT_WINDOW (256 * 1024)
#define SCRIPT_MATCH (2 * 1024)

struct script_step {
	bool is_expect;
	const char *text; /* A text with escapes, or a pattern, in argv. */

	/* A pattern. */
	regex_t regex;
	/* It names CR, which is then not dropped at the end of a line. */
	bool names_cr;

	/* A text without its escapes, owned. */
	char *bytes;
	size_t length;
};

struct script {
	/* Set by options. */
	struct script_step items[SCRIPT_STEPS];
	size_t count;
	/* Each pattern must match within this time; -1: no limit. */
	int64_t expect_ms;

	/* While it runs. */
	size_t at; /* The current step has this index. */
	/* A pattern that is the current step must match by until, and
	 * script_report() is called at notice; otherwise both are none. */
	struct deadline until, notice;
	struct buf window;  /* The bytes received and not yet matched. */
	bool starts_line;   /* The window begins a line. */
	bool follows_send;  /* A text was sent after the previous match. */
	size_t from;        /* A match may begin at this byte of the window. */
	bool is_unsearched; /* There is something to search. */
	bool is_ended;      /* The peer has finished. */
	size_t sent;        /* This many bytes of the current text were sent. */
};

/*
 * Checks a step and adds it: the escapes of a text (base/literal.h), or the
 * syntax of a pattern, an extended regular expression (regex(7)) in the C
 * locale. A pattern may contain these escapes and \w, \W, \s and \S, but no
 * others, and no back references. text is kept, not copied. Returns 0, or -1
 * with a usage error.
 */
int script_add(
    struct script *s, bool is_expect, const char *text, struct err *e);

/* Starts at the first step, once per process. */
void script_start(struct script *s);

static inline bool
script_is_done(const struct script *s)
{
	return s->at == s->count;
}

/* Whether the current step is a pattern that has not matched yet. */
static inline bool
script_is_expecting(const struct script *s)
{
	return !script_is_done(s) && s->items[s->at].is_expect;
}

/* Keeps received bytes until a pattern is searched for, and drops the oldest if
 * the window is full. */
void script_receive(struct script *s, const void *bytes, size_t n);

/*
 * Searches a piece of the window for the current pattern, line by line, and
 * adds the texts that follow a match to the flow up; patterns match one after
 * the other. Returns true if there is more to search at once. Before the next
 * call, the caller checks its limits, since a hostile line makes each piece
 * take 30 ms; it receives nothing, so that nothing is dropped. has_ended is
 * true if the peer has finished, which ends its last line.
 */
bool script_advance(struct script *s, struct flow *up, bool has_ended);

/* The report that the current pattern has not matched yet, once per pattern. */
const char *script_report(struct script *s);

/* Sets the error of a pattern that did not match before its deadline (is_late)
 * or the peer's end, with the data received. Returns -1 with ERR_TIMEOUT or
 * ERR_PROTOCOL. */
int script_error(const struct script *s, bool is_late, struct err *e);

/* Releases the steps and the window. Call it once, whether it ran or not. */
void script_release(struct script *s);

#endif
