/* The congestion window and the rate limit of a scan. */
#include "lib/tap.h"
#include "scan/window.h"

static void
grow(struct window *w, int times)
{
	while (times-- > 0)
		window_grow(w);
}

static void
test_window(void)
{
	struct window w;

	window_init(&w, 1000);
	is_int(w.size, 256, "it begins small");
	grow(&w, 256);
	is_int(w.size, 512, "and doubles a round trip");
	grow(&w, 1000);
	is_int(w.size, 1000, "up to what descriptors allow");
	ok(window_cut(&w, 1000, 500), "a loss cuts it");
	is_int(w.size, 500, "in half");
	ok(!window_cut(&w, 1499, 500), "but once a round trip");
	is_int(w.size, 500, "not twice");
	grow(&w, 500);
	is_int(w.size, 509, "after a loss it grows by a little");
	ok(window_cut(&w, 1500, 500), "the next loss cuts again");
	is_int(w.size, 254, "in half");
	window_starve(&w, 100);
	is_int(w.size, 50, "want of descriptors: half of what went well");
	window_starve(&w, 0);
	is_int(w.size, WINDOW_LEAST, "never to nothing");
	window_cut(&w, 9000, 1);
	is_int(w.size, WINDOW_LEAST, "nor by losses");
	window_init(&w, 2);
	is_int(w.size, 2, "a small limit is kept");
	window_cut(&w, 1, 1);
	is_int(w.size, 2, "by a loss too");
	grow(&w, 10);
	is_int(w.size, 2, "and by growth");
}

static void
test_pace(void)
{
	struct pace p;
	int64_t now = 1000, sent = 0;

	pace_init(&p, 0, now);
	pace_take(&p, now);
	ok(pace_is_ready(&p, now), "no cap: always");
	pace_init(&p, 100, now);
	pace_take(&p, now);
	ok(!pace_is_ready(&p, now + 10 * CLOCK_MS - 1),
	    "100 a second: not yet");
	ok(pace_is_ready(&p, now + 10 * CLOCK_MS), "10 ms later");
	pace_init(&p, 1000, 0);
	for (now = 0; now < CLOCK_SECOND; now += CLOCK_MS * 3)
		for (; pace_is_ready(&p, now); sent++)
			pace_take(&p, now);
	ok(sent > 990 && sent <= 1000, "late wake-ups are caught up with: %d",
	    (int)sent);
	for (sent = 0; pace_is_ready(&p, now + CLOCK_SECOND); sent++)
		pace_take(&p, now + CLOCK_SECOND);
	is_int(sent, 21, "a long pause is not");
}

int
main(void)
{
	test_window();
	test_pace();
	return done_testing();
}
