/* The byte queue: filling, draining, and contiguous space. */
#include "base/buf.h"
#include "lib/tap.h"

static void
shows(const struct buf *b, const char *want, const char *name)
{
	ok(buf_length(b) == strlen(want) &&
		memcmp(buf_bytes(b), want, strlen(want)) == 0,
	    "%s: '%s'", name, want);
}

/* Bytes go in and out by uneven steps; what comes out is what went in. */
static void
test_long_run(void)
{
	unsigned char storage[61], *space, in = 0, out = 0;
	size_t room, n, i, round, wrong = 0;
	struct buf b;

	buf_init(&b, storage, sizeof(storage));
	for (round = 0; round < 5000; round++) {
		space = buf_space(&b, &room);
		if (room != 0 || buf_length(&b) != sizeof(storage)) {
			n = round % 37 < room ? round % 37 : room;
			for (i = 0; i < n; i++)
				space[i] = in++;
			buf_added(&b, n);
		}
		n = round % 23 < buf_length(&b) ? round % 23 : buf_length(&b);
		for (i = 0; i < n; i++)
			wrong += buf_bytes(&b)[i] != out++;
		buf_eat(&b, n);
	}
	is_int((long long)wrong, 0, "every byte in its place after 5000 turns");
}

int
main(void)
{
	char storage[8];
	struct buf b;
	size_t room;

	buf_init(&b, storage, sizeof(storage));
	ok(buf_is_empty(&b) && buf_length(&b) == 0, "a new one is empty");
	ok(buf_put(&b, "abcdef", 6), "six of eight fit");
	ok(!buf_put(&b, "ghi", 3), "three more do not");
	shows(&b, "abcdef", "and nothing of them is there");
	buf_eat(&b, 4);
	shows(&b, "ef", "eaten from the front");
	ok(buf_put(&b, "ghijkl", 6), "the room in front is used");
	shows(&b, "efghijkl", "in one piece");
	buf_space(&b, &room);
	is_int((long long)room, 0, "full is full");
	buf_eat(&b, 1);
	ok(buf_space(&b, &room) == (unsigned char *)storage + 7 && room == 1,
	    "at the end, room comes from the front");
	buf_eat(&b, 7);
	ok(buf_is_empty(&b), "empty again");
	buf_space(&b, &room);
	is_int((long long)room, 8, "with all of its room");
	ok(buf_put(&b, "", 0) && buf_is_empty(&b), "nothing is put");
	test_long_run();
	return done_testing();
}
