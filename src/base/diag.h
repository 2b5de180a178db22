/*
 * The only writer to stderr. Each line is written with one write(2), so that
 * the lines of several processes do not mix.
 */
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

/*
 * Sets the prefix, the level and the format; log_time puts the time of day
 * before each line. Until then lines begin with "sockt: " and the level is
 * DIAG_SAY.
 */
void diag_start(const char *command, int level, bool json, bool log_time);

/* How long what was written to stderr or stdout may wait for its reader after
 * the limit of the command, or a signal. */
#define DIAG_GRACE_MS 500

/*
 * A line waits for a reader of stderr, as in any program, but no longer than
 * the limits of the command: until (--max-time), and for ms (an idle limit; -1:
 * none), and DIAG_GRACE_MS more. It is dropped then.
 */
void diag_limit(struct deadline until, int64_t ms);

/* Passes each event to writer instead of stderr: they are results. */
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

/*
 * Reports a usage error: the line, and the hint or, if that is NULL, where to
 * find help. Without a text it is silent, as diag_error() is: the exit status
 * of a program may have the same number.
 */
void diag_usage(const struct err *e, const char *hint);

/*
 * Print plain lines, at DIAG_SAY, at DIAG_NOTE, and at any level: DIAG_ERRORS
 * is for what an option requests. With --json, events replace all but those of
 * DIAG_ALWAYS.
 */
void diag_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void diag_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void diag_line(int level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints text unchanged, without a prefix, unless --json is set: a received
 * header at DIAG_SAY, what an option requests at DIAG_ERRORS. */
void diag_raw(int level, const void *bytes, size_t n);

/*
 * Replaces the live line of a terminal by text, cut to diag_progress_width(),
 * one column less than the terminal has now; "" removes it. Other lines push it
 * down. Does nothing unless diag_progress_start() has returned true.
 */
void diag_progress(const char *text);
size_t diag_progress_width(void);

/* Announces a live line; with -q only one that is requested by an option.
 * Returns whether it is shown. */
bool diag_progress_start(bool is_requested);

/*
 * Reports that data is about to be written to the same terminal: removes the
 * live line, which is not drawn again until a line of data is complete. Has no
 * effect unless a live line was announced.
 */
void diag_progress_yield(const void *bytes, size_t n);

/*
 * Reports an event of --json. diag_event_begin() begins it by its name and
 * returns it, the caller adds its members with json_*(), and diag_event_end()
 * writes it with --json, or otherwise the line if level is shown. One event is
 * built at a time. sockt-json(7) documents every event and member, and the
 * tests compare the two. Without --json members cost almost nothing.
 */
struct json *diag_event_begin(const char *name);
void diag_event_end(int level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Every event carries this number of a connection from now on; 0: none. Returns
 * the previous one.
 */
unsigned diag_connection(unsigned number);

#endif
