/* Absolute deadlines, and the error when one has passed. */
#include "base/deadline.h"

#include <limits.h>

#include "base/err.h"
#include "base/num.h"

struct deadline
deadline_none(void)
{
	struct deadline d = {INT64_MAX};

	return d;
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

int
deadline_error(
    struct deadline max_time, int64_t idle_ms, const char *what, struct err *e)
{
	char idle[32];

	if (deadline_passed(max_time))
		return err_set(e, ERR_TIMEOUT,
		    "%s took longer than allowed (--max-time)", what);
	return err_set(e, ERR_TIMEOUT,
	    "nothing was sent or received within %s (--idle-timeout)",
	    num_format_duration(idle, sizeof(idle), clock_ns(idle_ms)));
}
