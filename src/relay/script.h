/* A scripted conversation: texts to send and patterns to expect, in the order
 * given. */
#ifndef RELAY_SCRIPT_H
#define RELAY_SCRIPT_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/deadline.h"

struct err;

/*
 * The maximum number of steps, and the received bytes that a pattern can match.
 */
#define SCRIPT_STEPS 128
#define SCRIPT_WINDOW (64 * 1024)

/* One step, as given on the command line. */
struct script_step {
	bool is_expect;
	const char *text; /* in argv: TEXT with escapes, or REGEX */
};

/* The steps of a script, without allocations: part of an options struct. */
struct script_steps {
	struct script_step items[SCRIPT_STEPS];
	size_t count;
};

/*
 * Checks a step and adds it: the escapes of a text (\r \n \t \\ \0 \xHH), or
 * the syntax of a POSIX extended regular expression. text is kept, not copied.
 * Returns 0, or -1 with a usage error.
 */
int script_add_send(struct script_steps *s, const char *text, struct err *e);
int script_add_expect(struct script_steps *s, const char *regex, struct err *e);

/* A running script. */
struct script {
	const struct script_steps *steps; /* the caller's */
	int64_t expect_ms;                /* for each pattern; -1: no limit */
	size_t at;                        /* index of the current step */
	struct deadline until;            /* of the current pattern */
	regex_t regex;                    /* the current pattern, compiled */
	bool is_compiled;
	struct buf window; /* bytes received but not yet matched */
	char *text;        /* the current text to send, owned */
};

/* Starts at the first step. Call script_release() afterwards. */
void script_start(
    struct script *s, const struct script_steps *steps, int64_t expect_ms);

bool script_is_done(const struct script *s);

/* Whether the current step is a pattern that has not matched yet. */
bool script_is_expecting(const struct script *s);

/*
 * script_text() returns the text to send now, with its length in *n, or NULL.
 * It is valid until script_sent(), which starts the next step. If that is a
 * pattern, the search lasts until the deadline, or until a signal asks to stop:
 * the caller's next wait reports which.
 */
const char *script_text(struct script *s, size_t *n);
void script_sent(struct script *s, struct deadline until);

/*
 * Passes received bytes to the script. Patterns match the stream, each after
 * the match of the previous one; they see a NUL byte as \001. Bytes older than
 * the window are dropped. until is as in script_sent().
 */
void script_receive(
    struct script *s, const void *bytes, size_t n, struct deadline until);

/* The deadline of the current pattern, or deadline_none(). */
struct deadline script_deadline(const struct script *s);

/* The error of an unmatched pattern: what was expected and what was received.
 * why is, for example, "the peer finished". Returns -1 with ERR_PROTOCOL. */
int script_error(const struct script *s, const char *why, struct err *e);

/* The same when the pattern's deadline has passed. */
int script_timeout_error(const struct script *s, struct err *e);

void script_release(struct script *s);

#endif
