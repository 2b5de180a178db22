/*
 * Absolute deadlines in monotonic time. A limit is turned into a deadline
 * once, when it starts to run; what remains of it is computed just before
 * each poll, so that no interruption can stretch it.
 */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct err;

/* A point in monotonic time; INT64_MAX never comes. */
struct deadline {
	int64_t at_ns;
};

struct deadline deadline_none(void);

/* ms from now; deadline_none() when ms is negative, which means no limit, or
 * too large. */
struct deadline deadline_after(int64_t ms);

/* The same, counted from a reading of clock_now(). */
struct deadline deadline_from(int64_t from_ns, int64_t ms);

/* The earlier of two. */
struct deadline deadline_first(struct deadline a, struct deadline b);

bool deadline_is_set(struct deadline d);
bool deadline_passed(struct deadline d);

/*
 * The timeout for poll(2) now: milliseconds rounded up, 0 when the deadline has
 * passed, -1 when there is none.
 */
int deadline_poll_ms(struct deadline d);

/*
 * The error when one of the two limits of an operation has passed: "WHAT took
 * longer than allowed (--max-time)" if it was max_time, else "nothing was sent
 * or received within T (--idle-timeout)", T being idle_ms. Always returns -1,
 * with ERR_TIMEOUT.
 */
int deadline_error(
    struct deadline max_time, int64_t idle_ms, const char *what, struct err *e);

#endif
