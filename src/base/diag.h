/* The only writer to stderr: one write(2) for each line, so that those of
 * several processes do not mix. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/json.h"

struct err;

enum diag_level {
	DIAG_ALWAYS = -2, /* also with --json */
	DIAG_ERRORS = -1, /* -q */
	DIAG_SAY = 0,     /* what the user must know */
	DIAG_NOTE = 1,    /* -v: milestones */
	DIAG_STEP = 2     /* -vv: every socket step */
};

/* Sets the prefix, level and format; log_time puts the time of day before each
 * line. Before this, the prefix is "sockt: " and the level DIAG_SAY. */
void diag_start(const char *command, int level, bool json, bool log_time);

/* How long what was written to stderr or stdout may wait for its reader after
 * the limit of the command, or a signal. */
#define DIAG_GRACE_MS 500

/* A line waits for a reader of stderr until (--max-time), and for ms (an idle
 * limit; -1: none), and DIAG_GRACE_MS more. Then it is dropped. */
void diag_limit(struct deadline until, int64_t ms);

/* Passes each event to writer instead of stderr: they are results. While it
 * writes, no other event may begin. */
typedef void diag_writer(const char *line, size_t n);
void diag_events_to(diag_writer *writer);

/* Whether the current level shows lines of level, and whether --json is set. */
bool diag_shows(int level);
bool diag_is_json(void);

/* Whether an event at level would be reported: ask before costly work. */
bool diag_emits(int level);

/*
 * Reports an error: one line, and with --json an "error" event. An error
 * without a text is silent: only its kind is used. A broken pipe (ERR_OUTPUT
 * with EPIPE) is reported from DIAG_NOTE on.
 */
void diag_error(const struct err *e);

/* Reports a usage error, unless it has no text (a program may exit with that
 * status), and the hint or, if that is NULL, where to find help. */
void diag_usage(const struct err *e, const char *hint);

/*
 * Print plain lines, at DIAG_SAY, at DIAG_NOTE, and at any level: DIAG_ERRORS
 * is for what an option requests. --json replaces all but those of DIAG_ALWAYS.
 */
void diag_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void diag_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void diag_line(int level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints text unchanged, without a prefix, unless --json is set: a received
 * header at DIAG_SAY, what an option requests at DIAG_ERRORS. */
void diag_raw(int level, const void *bytes, size_t n);

/*
 * The live line: the last line of a terminal, which base/progress.h draws again
 * and again. Whatever else is written there removes it first.
 */

/* Whether a live line is shown from now on: only on a terminal, not with
 * --json, and with -q only if an option requests it. */
bool diag_live_start(bool is_requested);

/* How many columns a live line may have now. */
size_t diag_live_width(void);

/* Replaces the live line by text, cut to that width; "" removes it. */
void diag_live_draw(const char *text);

/* Call this before data is written to the same terminal: removes the live line,
 * which is drawn again once a line of data is complete. */
void diag_live_yield(const void *bytes, size_t n);

/*
 * Reports an event: diag_event_begin() begins it by its name, the caller adds
 * its members with json_*(), and diag_event_end() writes it with --json, or
 * otherwise the line if level is shown. One event is built at a time. Tests
 * compare all events and members with sockt-json(7).
 */
struct json *diag_event_begin(const char *name);
void diag_event_end(int level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* All further events carry this number of a connection; 0: none. Returns the
 * previous one. */
unsigned diag_connection(unsigned number);

#endif
