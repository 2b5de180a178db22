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
	int64_t at_ns;      /* INT64_MAX: never */
	int64_t ms;         /* the limit's length */
	const char *option; /* "--timeout"; NULL: not the user's limit */
};

/* The length of a limit, and the option that gives it, as it was typed. */
struct limit {
	int64_t ms; /* -1: no limit */
	const char *option;
};

#define LIMIT_NONE       \
	{                \
		-1, NULL \
	}

struct deadline deadline_none(void);

/* ms from now; 0: it has passed; deadline_none() if negative, or too large. */
struct deadline deadline_after(int64_t ms);

/* As deadline_after(), but counted from a reading of clock_now(). */
struct deadline deadline_from(int64_t from_ns, int64_t ms);

/* The deadline of an option's limit; the option's name is not copied. */
struct deadline deadline_limit(int64_t ms, const char *option);
struct deadline deadline_limit_from(
    int64_t from_ns, int64_t ms, const char *option);

/* The limit of the command (--max-time); -1 means none. */
struct deadline deadline_max_time(int64_t ms);

/* Whether d is the limit of --max-time. */
bool deadline_is_max_time(struct deadline d);

/* The earlier of two. */
struct deadline deadline_first(struct deadline a, struct deadline b);

bool deadline_is_set(struct deadline d);

/*
 * Whether d had passed when this process last looked at what had arrived. A
 * process that was stopped, or is slow, has not seen silence: it first receives
 * what has arrived, which may move d, and decides after its next look.
 */
bool deadline_passed(struct deadline d);

/* Records that what had arrived by ns was seen. wait_poll() does that; a loop
 * that does not wait calls it itself. */
void deadline_looked(int64_t ns);

/* The timeout for poll(2): ms, rounded up; 0 if d has passed, -1 if there is
 * none. */
int deadline_poll_ms(struct deadline d);

/*
 * Sets *e to ERR_TIMEOUT, as d has passed: "WHAT within T (OPTION)"; for
 * --max-time "stopped after T (--max-time)", and "; WHAT" unless what is empty.
 * Always returns -1.
 */
int deadline_error(struct deadline d, const char *what, struct err *e);

/* deadline_error() of max_time or else of the idle limit of a connection, with
 * "nothing was sent or received". Always returns -1. */
int deadline_idle_error(
    struct deadline max_time, struct limit idle, struct err *e);

#endif
