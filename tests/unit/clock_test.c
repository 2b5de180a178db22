/* The monotonic clock and deadlines. */
#include <limits.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/num.h"
#include "lib/tap.h"

int
main(void)
{
	struct deadline none = deadline_none(), soon, past, far;
	int64_t a = clock_now(), b = clock_now();

	ok(b >= a, "time does not run backwards");
	ok(clock_seconds(0, 1500 * CLOCK_MS) == 1.5, "seconds of readings");

	ok(!deadline_is_set(none) && !deadline_passed(none),
	    "none never comes");
	is_int(deadline_poll_ms(none), -1, "and polls for ever");
	ok(!deadline_is_set(deadline_after(-1)), "a negative limit is none");

	past = deadline_from(clock_now(), 0);
	ok(deadline_is_set(past) && !deadline_passed(past),
	    "what has passed is judged after a look");
	deadline_looked(clock_now());
	ok(deadline_passed(past), "and then it has");
	past = deadline_after(0);
	ok(deadline_is_set(past) && deadline_passed(past), "zero is now");
	is_int(deadline_poll_ms(past), 0, "and polls not at all");
	past.at_ns = 1;
	is_int(deadline_poll_ms(past), 0, "long past is zero, never negative");

	soon = deadline_after(1000);
	ok(!deadline_passed(soon), "a second has not passed");
	ok(deadline_poll_ms(soon) > 900 && deadline_poll_ms(soon) <= 1000,
	    "and is about a thousand milliseconds");
	soon.at_ns = clock_now() + CLOCK_MS / 2;
	ok(deadline_poll_ms(soon) <= 1, "half a millisecond is rounded up");

	far = deadline_after(INT64_MAX);
	ok(!deadline_is_set(far), "what overflows never comes");
	far = deadline_from(INT64_MAX - 1, 1);
	ok(!deadline_is_set(far), "nor what ends after all time");
	far = deadline_from(INT64_MAX / 2, NUM_MAX_DURATION);
	is_int(far.at_ns, INT64_MAX / 2 + NUM_MAX_DURATION * CLOCK_MS,
	    "the longest duration from far away");
	ok(!deadline_is_set(deadline_from(5, -1)), "no limit from any time");
	is_int(clock_ns(INT64_MAX), INT64_MAX, "nanoseconds do not overflow");
	is_int(clock_ns(2), 2000000, "nanoseconds");
	far = deadline_after(INT64_C(1000) * 60 * 60 * 24 * 365);
	is_int(
	    deadline_poll_ms(far), INT_MAX, "a year is cut to what poll takes");

	ok(deadline_first(soon, none).at_ns == soon.at_ns &&
		deadline_first(none, soon).at_ns == soon.at_ns,
	    "the earlier of two");
	return done_testing();
}
