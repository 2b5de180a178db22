/*
 * Small pieces that follow closely may wait for each other, as long as nobody
 * waits for them, and never for long.
 */
#include "lib/pair.h"
#include "lib/tap.h"
#include "relay/coalesce.h"
#include "net/sock.h"

#define MS CLOCK_MS

static int ends[2];
static int64_t now = 1000 * MS;

/* So many pieces, each gap after the one before. */
static void
note(struct coalesce *g, size_t n, int64_t gap, int times)
{
	while (times-- > 0)
		coalesce_note(g, n, now += gap);
}

static void
test_stream(void)
{
	struct coalesce g;
	struct deadline d;

	coalesce_init(&g, ends[0]);
	ok(sock_is_nodelay(ends[0]), "each piece goes at once");
	note(&g, 64, MS / 10, 20);
	ok(sock_is_nodelay(ends[0]), "so do a few in a row");
	ok(!deadline_is_set(coalesce_deadline(&g)), "without a limit");
	note(&g, 64, MS / 10, 100);
	ok(!sock_is_nodelay(ends[0]), "many in a row may wait");
	d = coalesce_deadline(&g);
	ok(d.at_ns > now && d.at_ns <= now + COALESCE_MS * MS, "not for long");
	note(&g, 64, MS / 10, 50);
	ok(d.at_ns < now && coalesce_deadline(&g).at_ns > now,
	    "some have been sent meanwhile, and more may wait");
	coalesce_end(&g);
	ok(sock_is_nodelay(ends[0]), "until there is an end of that");
	ok(!deadline_is_set(coalesce_deadline(&g)), "which has no limit");
	note(&g, 64, MS / 10, 20);
	ok(sock_is_nodelay(ends[0]), "and it begins anew");
}

/* The pieces that do not wait. */
static void
test_others(void)
{
	struct coalesce g;

	coalesce_init(&g, ends[1]);
	note(&g, 64, 2 * MS, 200);
	ok(sock_is_nodelay(ends[1]), "now and then: at once");
	note(&g, 1024 * 1024, MS / 10, 200);
	ok(sock_is_nodelay(ends[1]), "large ones: at once");
	note(&g, 64, MS / 10, 100);
	ok(!sock_is_nodelay(ends[1]), "small ones may wait");
	note(&g, 64, 2 * MS, 1);
	ok(sock_is_nodelay(ends[1]), "up to a pause");
	note(&g, 64, MS / 10, 100);
	note(&g, 1024 * 1024, MS / 10, 1);
	ok(sock_is_nodelay(ends[1]), "and up to a large one");
	coalesce_end(&g);
	coalesce_init(&g, ends[1]);
	note(&g, 64, MS / 10, 200);
	ok(sock_is_nodelay(ends[1]), "who asks for it gets it always");
	coalesce_init(&g, -1);
	note(&g, 64, MS / 10, 200);
	ok(!g.is_on, "without a socket of ours nothing waits");
	coalesce_end(&g);
}

int
main(void)
{
	connect_pair(ends);
	test_stream();
	test_others();
	close(ends[0]);
	close(ends[1]);
	return done_testing();
}
