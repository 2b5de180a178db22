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
	is_int(w.size, 500, "it begins small");
	grow(&w, 400);
	is_int(w.size, 900, "and doubles a round trip");
	grow(&w, 1000);
	is_int(w.size, 1000, "up to what descriptors allow");
	window_halve(&w, 1000, 500);
	is_int(w.size, 500, "a loss halves it");
	window_halve(&w, 1499, 500);
	is_int(w.size, 500, "but once a round trip");
	grow(&w, 500);
	is_int(w.size, 509, "after a loss it grows by a little");
	window_halve(&w, 1500, 500);
	is_int(w.size, 254, "the next loss halves it again");
	window_starve(&w, 100);
	is_int(w.size, 50, "want of descriptors: half of what went well");
	window_starve(&w, 0);
	is_int(w.size, WINDOW_MIN, "never to nothing");
	window_halve(&w, 9000, 1);
	is_int(w.size, WINDOW_MIN, "nor by losses");
	window_init(&w, 2);
	is_int(w.size, 2, "a small limit is kept");
	window_halve(&w, 1, 1);
	is_int(w.size, 2, "by a loss too");
	grow(&w, 10);
	is_int(w.size, 2, "and by growth");
	window_starve(&w, 100);
	is_int(w.size, 2, "and by want of descriptors");
	is_int(w.threshold, 2, "as is its threshold");
}

static void
test_growth(void)
{
	struct window w;

	window_init(&w, 1000);
	window_starve(&w, 40);
	is_int(w.threshold, 20, "half of what went well");
	grow(&w, 1);
	is_int(w.size, 20, "from there two");
	grow(&w, 1);
	is_int(w.size, 21, "for one");
	grow(&w, 2);
	is_int(w.size, 21, "then three");
	grow(&w, 1);
	is_int(w.size, 22, "for another");
	w.credit = 9;
	window_halve(&w, 10, 5);
	is_int(w.credit, 0, "a loss begins anew");
	is_int(w.threshold, 11, "below the half");
	window_halve(&w, 14, 5);
	is_int(w.size, 11, "no second one");
	window_halve(&w, 15, 5);
	is_int(w.size, 5, "until its time");
	w.credit = 9;
	window_starve(&w, 2 * WINDOW_MIN + 2);
	is_int(w.size, WINDOW_MIN + 1, "just over the least");
	is_int(w.credit, 0, "begins anew, too");
}

int
main(void)
{
	test_window();
	test_growth();
	return done_testing();
}
