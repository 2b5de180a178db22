/*
 * The results of a command: the only writer to stdout, as text or as JSON
 * Lines. A write never blocks past a limit or a signal. After the first error
 * nothing more is written, and the command fails with that error.
 */
#ifndef CMD_RESULT_H
#define CMD_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/deadline.h"

struct err;

/* Call this before any other function. until is the deadline of the command;
 * has_events: the events of --json are results. Returns 0, or -1 with
 * ERR_OUTPUT if stdout is closed. */
int result_start(struct deadline until, bool has_events, struct err *e);

/* Prints text; it is buffered until the buffer is full or result_flush(). */
void result_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void result_bytes(const void *bytes, size_t n);

/* Prints received bytes as a line: adds a newline if there is none, and escapes
 * them on a terminal. */
void result_line(const void *bytes, size_t n);

/* Prints received bytes as they are; on a terminal as a line. */
void result_payload(const void *bytes, size_t n);

/* Prints received bytes as a line in hexadecimal, as literal_parse_hex() reads
 * it (base/literal.h). */
void result_hex(const void *bytes, size_t n);

/*
 * Writes the buffer. After a limit or a signal, half a second remains for that.
 * Returns 0, or -1 with the first error: ERR_OUTPUT, ERR_TIMEOUT if the
 * command's deadline came first, ERR_FAILED with EINTR for a caught signal.
 */
int result_flush(struct err *e);

/* Reports the first error so far. Returns as result_flush(), but writes
 * nothing. */
int result_check(struct err *e);

/* As result_check(), and also checks whether a reader still exists: for work
 * that has no results for a long time. */
int result_probe(struct err *e);

#endif
