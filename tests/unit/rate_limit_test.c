/* The limits of a server's answers: by default against loops, or so many a
 * second for each host. */
#include "base/clock.h"
#include "lib/tap.h"
#include "net/addr.h"
#include "udp/dgram.h"
#include "udp/rate_limit.h"

/* How many of n messages are answered, each at a time of its own. */
static int
answered(struct rate_limit *r, const char *host, const char *format, int n,
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
		count += rate_limit_allows(r, &d, &a, now + i * gap);
	}
	return count;
}

static void
test_default(void)
{
	struct rate_limit r;
	int n;

	rate_limit_start(&r, RATE_LIMIT_DEFAULT, false);
	is_int(answered(&r, "192.0.2.1", "%d", 200000, 0, 1), 200000,
	    "any number of different messages");
	is_int(answered(&r, "192.0.2.1", "ping", 50000, CLOCK_SECOND, CLOCK_MS),
	    50000, "a message each millisecond");
	n = answered(&r, "192.0.2.2", "same", 100000, 100 * CLOCK_SECOND, 1000);
	ok(n >= RATE_LIMIT_BURST && n < RATE_LIMIT_BURST + 200,
	    "%d answers to a loop, then it ends", n);
	is_int(answered(&r, "192.0.2.2", "same", 1000,
		   100 * CLOCK_SECOND + 110 * CLOCK_MS, 100000),
	    0, "its host rests");
	is_int(answered(&r, "192.0.2.3", "same", 10, 100 * CLOCK_SECOND, 1), 10,
	    "another does not");
	is_int(answered(&r, "192.0.2.2", "same", 100, 102 * CLOCK_SECOND, 1),
	    100, "nor does it later");
	is_int(answered(&r, "192.0.2.4", "same", 400000, 200 * CLOCK_SECOND, 0),
	    400000, "what comes together is a turn for each 16");
	n = answered(&r, "192.0.2.5",
	    "Hello, Hello, Hello, Hello, Hello, Hello, %d", 100000,
	    300 * CLOCK_SECOND, 1000);
	ok(n < RATE_LIMIT_BURST + 200, "the beginning counts: %d", n);
	rate_limit_release(&r);

	rate_limit_start(&r, RATE_LIMIT_DEFAULT, true);
	n = answered(&r, "192.0.2.1", "%d", 100000, 0, 1000);
	ok(n < RATE_LIMIT_BURST + 200, "where answers vary all count: %d", n);
	is_int(answered(&r, "192.0.2.2", "%d", 100000, 400 * CLOCK_SECOND, 1),
	    RATE_LIMIT_BURST, "no more at nearly the same time");
	is_int(answered(&r, "192.0.2.3", "%d", 100000, 0, 1), RATE_LIMIT_BURST,
	    "nor when the clock begins");
	rate_limit_release(&r);

	rate_limit_start(&r, 10, false);
	is_int(answered(&r, "192.0.2.1", "%d", 100, 0, 0), 10,
	    "what the user says");
	rate_limit_release(&r);
	rate_limit_start(&r, RATE_LIMIT_NONE, false);
	is_int(answered(&r, "192.0.2.1", "same", 100000, 0, 1000), 100000,
	    "or any number");
	rate_limit_release(&r);
}

/* How many of n answers to host are allowed at a time. */
static int
allowed(struct rate_limit *r, const char *host, int n, int64_t now)
{
	return answered(r, host, "%d", n, now, 0);
}

static void
test_rate(void)
{
	struct rate_limit r;

	rate_limit_start(&r, 10, false);
	is_int(allowed(&r, "192.0.2.1", 100, 0), 10, "a second's worth");
	is_int(allowed(&r, "192.0.2.1", 1, CLOCK_SECOND / 20), 0, "no more");
	is_int(allowed(&r, "192.0.2.2", 100, 0), 10, "another host");
	is_int(allowed(&r, "::1", 100, 0), 10, "another family");
	is_int(allowed(&r, "192.0.2.1", 100, CLOCK_SECOND / 10), 1,
	    "one more after a tenth");
	is_int(allowed(&r, "192.0.2.1", 100, 100 * CLOCK_SECOND), 10,
	    "nothing is saved up beyond a second");
	rate_limit_release(&r);
	rate_limit_start(&r, 1, false);
	is_int(allowed(&r, "192.0.2.1", 9, 0), 1, "one a second");
	is_int(allowed(&r, "192.0.2.1", 9, CLOCK_SECOND), 1, "is one");
	rate_limit_release(&r);
}

static void
test_none(void)
{
	struct rate_limit r;

	rate_limit_start(&r, RATE_LIMIT_NONE, false);
	is_int(allowed(&r, "192.0.2.1", 1000, 0), 1000, "no limit");
	rate_limit_release(&r);
}

/* More hosts than the table holds: old ones give way, nothing breaks. */
static void
test_many(void)
{
	struct rate_limit r;
	struct dgram d = {.length = 0};
	struct addr a;
	int i, count = 0;

	rate_limit_start(&r, 2, false);
	for (i = 0; i < 100000; i++) {
		addr_any(&a, AF_INET, 1);
		a.u.in4.sin_addr.s_addr = htonl(0x0a000000U + (unsigned)i);
		count += rate_limit_allows(&r, &d, &a, i * 1000);
		count += rate_limit_allows(&r, &d, &a, i * 1000);
		count += rate_limit_allows(&r, &d, &a, i * 1000);
	}
	is_int(count, 200000, "each of many hosts has its rate");
	rate_limit_release(&r);
}

int
main(void)
{
	test_default();
	test_rate();
	test_none();
	test_many();
	return done_testing();
}
