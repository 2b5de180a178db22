/*
 * The only writer to stderr. Every line is written by one write(2), so that
 * the lines of several processes do not mix.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/event.h"

struct err;

enum diag_level {
	DIAG_ERRORS = -1, /* -q */
	DIAG_SAY = 0,     /* what the user has to know */
	DIAG_NOTE = 1,    /* -v: milestones */
	DIAG_STEP = 2     /* -vv: every socket step */
};

/* Before diag_start(), lines begin with "sockt: " and level is DIAG_SAY. */
void diag_start(const char *command, int level, bool json);

/* Where events are the command's result, its writer takes each line. */
typedef void diag_writer(const char *line, size_t n);
void diag_events_to(diag_writer *writer);

/* The present level, and whether it shows that much. */
bool diag_shows(int level);
bool diag_is_json(void);

/* Whether an event at level would be reported at all; for callers that would
 * first have to put it together. */
bool diag_emits(int level);

/*
 * Reports an error: one line, and with --json an "error" event. An error
 * without a text is silent: its kind alone was wanted. A pipe that lost its
 * reader (ERR_OUTPUT with EPIPE) is reported from DIAG_NOTE on.
 */
void diag_error(const struct err *e);

/*
 * A usage error: the line, and the hint or, if that is NULL, where help is.
 * Without a text it is silent, as diag_error(): a program's exit status may
 * have the same number.
 */
void diag_usage(const struct err *e, const char *hint);

/* Plain lines at DIAG_SAY and DIAG_NOTE. With --json events say it. */
void diag_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void diag_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Text as it is, at DIAG_SAY, without a prefix: a received header, say. */
void diag_raw(const void *bytes, unsigned long n);

/* The same for what an option asks for by itself, at every level. */
void diag_report(const void *bytes, unsigned long n);

/*
 * The live line of a terminal: shows text in place of the one before, cut to
 * the terminal's width; "" takes it away. Other lines push it down. Nothing
 * happens where diag_progress_is_shown() is false: stderr is not a terminal, or
 * --json or -q.
 */
void diag_progress(const char *text);
bool diag_progress_is_shown(void);

/*
 * An event (base/event.h). diag_event_begin() begins it, the caller adds its
 * members, diag_event_end() writes it with --json, and otherwise the line when
 * level is shown. Without --json members cost next to nothing.
 */
void diag_event_begin(struct event *ev, enum event_id id);
void diag_event_end(struct event *ev, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* before is called before each line and each event: it may write lines. */
void diag_before_lines(void (*before)(void));

#endif
