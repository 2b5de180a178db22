/* Absolute deadlines in monotonic time. The time that is left is computed just
 * before each poll, so that no interruption can extend a limit. */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct err;

/* A point in monotonic time, and the limit that it ends, for the error. */
struct deadline {
	/* A reading of clock_now(); INT64_MAX is never. */
	int64_t at_ns;
	/* The length of the limit. */
	int64_t ms;
	/* The option that has set it, "--timeout"; NULL if no option has. */
	const char *option;
};

/* A limit as an option sets it. */
struct limit {
	/* Its length; -1 is no limit. */
	int64_t ms;
	/* The option, as it was typed; NULL if no option has set it. */
	const char *option;
};

#define LIMIT_NONE       \
	{                \
		-1, NULL \
	}

/* Returns a deadline that never passes. */
struct deadline deadline_none(void);

/* Returns the deadline in ms from now. With 0 it has passed; if ms is negative
 * or too large, it is deadline_none(). */
struct deadline deadline_after(int64_t ms);

/* Returns the deadline ms after a reading of clock_now(), also with 0. */
struct deadline deadline_from(int64_t from_ns, int64_t ms);

/* As these two, with the option of the limit, whose name is not copied. */
struct deadline deadline_limit(int64_t ms, const char *option);
struct deadline deadline_limit_from(
    int64_t from_ns, int64_t ms, const char *option);

/* Returns the limit of the command (--max-time), which begins now; -1 is none.
 */
struct deadline deadline_max_time(int64_t ms);

/* Whether d is the limit of --max-time. */
bool deadline_is_max_time(struct deadline d);

/* Returns the earlier of two. */
struct deadline deadline_first(struct deadline a, struct deadline b);

/* Whether d is not deadline_none(). */
bool deadline_is_set(struct deadline d);

/*
 * Whether d had passed when this process last looked for data. A process that
 * was stopped, or is slow, must not take that for silence: it receives pending
 * data first, which may move d, and decides after its next look.
 */
bool deadline_passed(struct deadline d);

/* Records that this process has looked for data at ns. wait_poll() does that; a
 * loop that does not wait calls this function. */
void deadline_looked(int64_t ns);

/* Returns the timeout for poll(2): milliseconds, rounded up; 0 if d has passed,
 * -1 if it is not set. */
int deadline_poll_ms(struct deadline d);

/*
 * Sets *e to ERR_TIMEOUT, since d has passed: "WHAT within T (OPTION)". For
 * --max-time it is "stopped after T (--max-time); WHAT", without "; " if what
 * is empty. Always returns -1.
 */
int deadline_error(struct deadline d, const char *what, struct err *e);

/* Sets *e to the error of max_time if that has passed, otherwise to the error
 * of the idle limit of a connection, "nothing was sent or received". Always
 * returns -1. */
int deadline_idle_error(
    struct deadline max_time, struct limit idle, struct err *e);

#endif
