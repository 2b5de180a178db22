/*
 * What a command found out, on stdout: the one writer of results, as text or
 * as JSON Lines. It never blocks past a limit or a signal, and the first error
 * is kept: nothing more is written then, and the run fails with it.
 */
#ifndef CMD_RESULT_H
#define CMD_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/deadline.h"

struct err;

/*
 * To be called before anything is attempted. until is the end of the run. 0,
 * or -1 with ERR_OUTPUT where stdout is closed.
 */
int result_start(struct deadline until, struct err *e);

/* From now on the events of --json are the results. */
void result_print_events(void);

/* Text, kept until there is enough of it or result_flush(). */
void result_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void result_bytes(const void *bytes, size_t n);

/* Bytes of the network as a line: with a newline where they have none, and on
 * a terminal escaped. */
void result_line(const void *bytes, size_t n);

/*
 * Writes what was kept. What a limit or a signal has left gets half a second.
 * 0, or -1 with the first error: ERR_OUTPUT, ERR_TIMEOUT where the end of the
 * run came first, ERR_FAILED with EINTR for a caught signal.
 */
int result_flush(struct err *e);

/* Whether everything could be written so far. As result_flush(), but writes
 * nothing. */
int result_check(struct err *e);

/* The same, and whether anybody still reads: for work that has no results for
 * a long time. */
int result_probe(struct err *e);

#endif
