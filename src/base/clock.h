/* Monotonic time. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_MS INT64_C(1000000)

/* Monotonic nanoseconds since an arbitrary start. Never fails. */
int64_t clock_now(void);

/* Seconds between two readings of clock_now(). */
double clock_seconds(int64_t from_ns, int64_t to_ns);

/* Converts ms, which is not negative, to nanoseconds, at most INT64_MAX. */
int64_t clock_ns(int64_t ms);

#endif
