/*
 * Large pieces raise the mark, so that poll(2) waits for more; nothing is kept
 * back for long, and the end is told at once.
 */
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/pair.h"
#include "lib/tap.h"
#include "relay/low_water.h"

static int
mark_of(int fd)
{
	int mark = -1;
	socklen_t len = sizeof(mark);

	getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &mark, &len);
	return mark;
}

static bool
is_readable(int fd, int ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, ms) > 0;
}

static void
note(struct low_water *w, size_t n, int times)
{
	while (times-- > 0)
		low_water_note(w, n, clock_now());
}

static void
test_mark(void)
{
	struct low_water w;
	int ends[2];

	connect_pair(ends);
	low_water_init(&w, ends[0]);
	is_int(mark_of(ends[0]), 1, "every byte counts at first");
	note(&w, 100 * 1000, 3);
	note(&w, 10, 1);
	note(&w, 100 * 1000, 3);
	ok(!w.is_raised, "a few large pieces do not raise it");
	ok(!deadline_is_set(low_water_deadline(&w)), "nor is there a limit");
	note(&w, 100 * 1000, 1);
	ok(w.is_raised && mark_of(ends[0]) > 1000, "but many in a row do");
	ok(write(ends[1], "tail", 4) == 4 && !is_readable(ends[0], 50),
	    "then little does not wake us");
	ok(deadline_passed(low_water_deadline(&w)), "until the limit");
	low_water_lower(&w);
	ok(is_readable(ends[0], 5000), "which has it told");
	is_int(mark_of(ends[0]), 1, "every byte counts again");
	ok(!deadline_is_set(low_water_deadline(&w)), "without a limit");
	note(&w, 100 * 1000, 4);
	ok(w.is_raised, "it is raised again");
	close(ends[1]);
	ok(is_readable(ends[0], 5000), "the end is told at once");
	close(ends[0]);
}

static void
test_none(void)
{
	struct low_water w;
	int ends[2];

	connect_pair(ends);
	low_water_init(&w, -1);
	note(&w, 100 * 1000, 9);
	ok(!w.is_raised, "without a socket of ours there is no mark");
	low_water_lower(&w);
	low_water_init(&w, STDIN_FILENO + 500);
	note(&w, 100 * 1000, 9);
	ok(!w.is_raised, "nor where it cannot be set");
	close(ends[0]);
	close(ends[1]);
}

int
main(void)
{
	test_mark();
	test_none();
	return done_testing();
}
