/* The monotonic clock. */
#include "base/clock.h"

#include <time.h>

int64_t
clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * CLOCK_SECOND + ts.tv_nsec;
}

double
clock_seconds(int64_t from_ns, int64_t to_ns)
{
	return (double)(to_ns - from_ns) / (double)CLOCK_SECOND;
}

int64_t
clock_ns(int64_t ms)
{
	return ms > INT64_MAX / CLOCK_MS ? INT64_MAX : ms * CLOCK_MS;
}
