/*
 * A scripted conversation: texts to send and patterns to expect, in the order
 * given. Received bytes go in, texts to send come out.
 */
#ifndef RELAY_SCRIPT_H
#define RELAY_SCRIPT_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/deadline.h"

struct err;

/* Steps in one script, and bytes that a pattern can look back on. */
#define SCRIPT_STEPS 128
#define SCRIPT_WINDOW (64 * 1024)

/* One step, as the command line gives it. */
struct script_step {
	bool is_expect;
	const char *text; /* in argv: TEXT with escapes, or REGEX */
};

/* The steps; plain storage, so that it can stand in an options struct. */
struct script_steps {
	struct script_step items[SCRIPT_STEPS];
	size_t count;
};

/*
 * Adds a step after checking it: the escapes of a text (\r \n \t \\ \0 \xHH),
 * or the syntax of a POSIX extended regular expression. 0, or -1 with a usage
 * error. text is kept, not copied.
 */
int script_add_send(struct script_steps *s, const char *text, struct err *e);
int script_add_expect(struct script_steps *s, const char *regex, struct err *e);

/* A script under way. */
struct script {
	const struct script_steps *steps; /* the caller's */
	int64_t expect_ms;                /* for each pattern; -1: no limit */
	size_t at;                        /* the step it is at */
	struct deadline until;            /* of the present pattern */
	regex_t regex;                    /* the present pattern, compiled */
	bool is_compiled;
	struct buf window; /* received, and not matched yet */
	char *text;        /* the present text to send, owned */
};

/* Begins at the first step. Call script_release() afterwards. */
void script_start(
    struct script *s, const struct script_steps *steps, int64_t expect_ms);

bool script_is_done(const struct script *s);

/* The present step is a pattern, still unmatched. */
bool script_is_expecting(const struct script *s);

/*
 * The text that is to be sent now, with its length in *n, or NULL. It lives
 * until script_sent(), which goes on to the next step; a pattern there is
 * looked for until then at most, or until a signal asks to stop: the caller's
 * next wait reports which.
 */
const char *script_text(struct script *s, size_t *n);
void script_sent(struct script *s, struct deadline until);

/*
 * Bytes that came. Patterns match over the stream, each after what the one
 * before has matched; a NUL byte counts as \001 for them. Bytes older than the
 * window are forgotten. until as in script_sent().
 */
void script_see(
    struct script *s, const void *bytes, size_t n, struct deadline until);

/* When the present pattern's time is over. */
struct deadline script_deadline(const struct script *s);

/*
 * The error of an unmatched pattern: what was expected and what came instead.
 * why is "the peer finished", say. Always -1, ERR_PROTOCOL.
 */
int script_error(const struct script *s, const char *why, struct err *e);

/* The same when its time is over. */
int script_late(const struct script *s, struct err *e);

void script_release(struct script *s);

#endif
