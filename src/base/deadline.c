/* Absolute deadlines, and the error when one has passed. */
#include "base/deadline.h"

#include <limits.h>
#include <stddef.h>

#include "base/err.h"
#include "base/num.h"

struct deadline
deadline_none(void)
{
	return (struct deadline){.at_ns = INT64_MAX};
}

struct deadline
deadline_from(int64_t from_ns, int64_t ms)
{
	if (ms < 0 || ms > (INT64_MAX - from_ns) / CLOCK_MS)
		return deadline_none();
	return (struct deadline){.at_ns = from_ns + ms * CLOCK_MS, .ms = ms};
}

struct deadline
deadline_after(int64_t ms)
{
	if (ms == 0)
		return (struct deadline){.at_ns = 0};
	return ms < 0 ? deadline_none() : deadline_from(clock_now(), ms);
}

struct deadline
deadline_limit_from(int64_t from_ns, int64_t ms, const char *option)
{
	struct deadline d = deadline_from(from_ns, ms);

	d.option = option;
	return d;
}

struct deadline
deadline_limit(int64_t ms, const char *option)
{
	return deadline_limit_from(ms < 0 ? 0 : clock_now(), ms, option);
}

/* The option whose error has the same words in every command. */
static const char max_time_option[] = "--max-time";

struct deadline
deadline_max_time(int64_t ms)
{
	return deadline_limit(ms, max_time_option);
}

bool
deadline_is_max_time(struct deadline d)
{
	return d.option == max_time_option && deadline_is_set(d);
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

/* When this process last looked at what had arrived. */
static int64_t looked_ns;

bool
deadline_passed(struct deadline d)
{
	return deadline_is_set(d) && looked_ns >= d.at_ns;
}

void
deadline_looked(int64_t ns)
{
	if (ns > looked_ns)
		looked_ns = ns;
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
deadline_error(struct deadline d, const char *what, struct err *e)
{
	if (deadline_is_max_time(d))
		return err_set(e, ERR_TIMEOUT, "stopped after %s (%s)%s%s",
		    num_limit_text(d.ms), d.option, what[0] != '\0' ? "; " : "",
		    what);
	return err_set(e, ERR_TIMEOUT, "%s within %s%s%s%s", what,
	    num_limit_text(d.ms), d.option != NULL ? " (" : "",
	    d.option != NULL ? d.option : "", d.option != NULL ? ")" : "");
}

int
deadline_idle_error(struct deadline max_time, struct limit idle, struct err *e)
{
	if (deadline_passed(max_time))
		return deadline_error(max_time, "", e);
	return deadline_error(deadline_limit(idle.ms, idle.option),
	    "nothing was sent or received", e);
}
