/* Monotonic time. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_MS INT64_C(1000000)

/* Monotonic nanoseconds since an arbitrary start. Never fails. */
static inline int64_t
clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * CLOCK_SECOND + ts.tv_nsec;
}

/* Seconds between two readings of clock_now(). */
static inline double
clock_seconds(int64_t from_ns, int64_t to_ns)
{
	return (double)(to_ns - from_ns) / (double)CLOCK_SECOND;
}

/* Converts ms, which is not negative, to nanoseconds, at most INT64_MAX. */
static inline int64_t
clock_ns(int64_t ms)
{
	return ms > INT64_MAX / CLOCK_MS ? INT64_MAX : ms * CLOCK_MS;
}

#endif
