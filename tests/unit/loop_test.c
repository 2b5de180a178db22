/* The default limit of answers per host, and the user's. */
#include "base/clock.h"
#include "lib/tap.h"
#include "net/addr.h"
#include "udp/dgram.h"
#include "udp/loop.h"

/* How many of n messages are answered, each at a time of its own. */
static int
answered(struct loop *l, const char *host, const char *format, int n,
    int64_t now, int64_t gap)
{
	char text[256];
	struct dgram d = {.bytes = (unsigned char *)text};
	struct addr a;
	int i, count = 0;

	if (!addr_parse_ip(&a, host, 1000))
		return -1;
	for (i = 0; i < n; i++) {
		snprintf(text, sizeof(text), format, i);
		d.length = strlen(text);
		count += loop_allows(l, &d, &a, now + i * gap);
	}
	return count;
}

int
main(void)
{
	struct loop l;
	int n;

	loop_start(&l, LOOP_DEFAULT, false);
	is_int(answered(&l, "192.0.2.1", "%d", 200000, 0, 1), 200000,
	    "any number of different messages");
	is_int(answered(&l, "192.0.2.1", "ping", 50000, CLOCK_SECOND, CLOCK_MS),
	    50000, "a message each millisecond");
	n = answered(&l, "192.0.2.2", "same", 100000, 100 * CLOCK_SECOND, 1000);
	ok(n >= LOOP_BURST && n < LOOP_BURST + 200,
	    "%d answers to a loop, then it ends", n);
	is_int(answered(&l, "192.0.2.2", "same", 1000,
		   100 * CLOCK_SECOND + 110 * CLOCK_MS, 100000),
	    0, "its host rests");
	is_int(answered(&l, "192.0.2.3", "same", 10, 100 * CLOCK_SECOND, 1), 10,
	    "another does not");
	is_int(answered(&l, "192.0.2.2", "same", 100, 102 * CLOCK_SECOND, 1),
	    100, "nor does it later");
	is_int(answered(&l, "192.0.2.4", "same", 400000, 200 * CLOCK_SECOND, 0),
	    400000, "what comes together is a turn for each 16");
	n = answered(&l, "192.0.2.5",
	    "Hello, Hello, Hello, Hello, Hello, Hello, %d", 100000,
	    300 * CLOCK_SECOND, 1000);
	ok(n < LOOP_BURST + 200, "the beginning counts: %d", n);
	loop_release(&l);

	loop_start(&l, LOOP_DEFAULT, true);
	n = answered(&l, "192.0.2.1", "%d", 100000, 0, 1000);
	ok(n < LOOP_BURST + 200, "where answers vary all count: %d", n);
	loop_release(&l);

	loop_start(&l, 10, false);
	is_int(answered(&l, "192.0.2.1", "%d", 100, 0, 0), 10,
	    "what the user says");
	loop_release(&l);
	loop_start(&l, LOOP_ANY, false);
	is_int(answered(&l, "192.0.2.1", "same", 100000, 0, 1000), 100000,
	    "or any number");
	loop_release(&l);
	return done_testing();
}
