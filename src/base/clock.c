/* The monotonic clock, and absolute deadlines on it. */
#include "base/clock.h"

#include <limits.h>
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

struct deadline
deadline_none(void)
{
	struct deadline d = {INT64_MAX};

	return d;
}

int64_t
clock_ns(int64_t ms)
{
	return ms > INT64_MAX / CLOCK_MS ? INT64_MAX : ms * CLOCK_MS;
}

struct deadline
deadline_from(int64_t from_ns, int64_t ms)
{
	struct deadline d;

	if (ms < 0 || ms > (INT64_MAX - from_ns) / CLOCK_MS)
		return deadline_none();
	d.at_ns = from_ns + ms * CLOCK_MS;
	return d;
}

struct deadline
deadline_after(int64_t ms)
{
	return ms < 0 ? deadline_none() : deadline_from(clock_now(), ms);
}

struct deadline
deadline_first(struct deadline a, struct deadline b)
{
	return a.at_ns <= b.at_ns ? a : b;
}

bool
deadline_is_set(struct deadline d)
{
	return d.at_ns != INT64_MAX;
}

bool
deadline_passed(struct deadline d)
{
	return deadline_is_set(d) && clock_now() >= d.at_ns;
}

int
deadline_poll_ms(struct deadline d)
{
	int64_t left;

	if (!deadline_is_set(d))
		return -1;
	left = d.at_ns - clock_now();
	if (left <= 0)
		return 0;
	left = (left + CLOCK_MS - 1) / CLOCK_MS;
	return left > INT_MAX ? INT_MAX : (int)left;
}
