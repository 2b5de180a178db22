/*
 * Monotonic time and absolute deadlines. A limit is turned into a deadline
 * once, when it starts to run; what remains of it is computed just before
 * each poll, so that no interruption can stretch it.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_MS INT64_C(1000000)

/* A point in monotonic time; INT64_MAX never comes. */
struct deadline {
	int64_t at_ns;
};

/* Monotonic nanoseconds since an arbitrary start. Never fails. */
int64_t clock_now(void);

/* Seconds between two readings of clock_now(). */
double clock_seconds(int64_t from_ns, int64_t to_ns);

struct deadline deadline_none(void);

/* Nanoseconds of ms, which is not negative: at most INT64_MAX. */
int64_t clock_ns(int64_t ms);

/* ms from now; a negative ms means no limit, and gives deadline_none(). So
 * does one that is too long to be told from it. */
struct deadline deadline_after(int64_t ms);

/* The same from a reading of clock_now() on. */
struct deadline deadline_from(int64_t from_ns, int64_t ms);

/* The earlier of two. */
struct deadline deadline_first(struct deadline a, struct deadline b);

bool deadline_is_set(struct deadline d);
bool deadline_passed(struct deadline d);

/*
 * What poll(2) should be given now: milliseconds rounded up, 0 when passed,
 * -1 when there is no limit.
 */
int deadline_poll_ms(struct deadline d);

#endif
