/* Answers per second and host: bursts, refills, separate hosts. */
#include "base/clock.h"
#include "lib/tap.h"
#include "net/addr.h"
#include "udp/rate_limit.h"

/* How many of n answers to host are allowed at a time. */
static int
allowed(struct rate_limit *r, const char *host, int n, int64_t now)
{
	struct addr a;
	int i, count = 0;

	if (!addr_parse_ip(&a, host, 1000))
		return -1;
	for (i = 0; i < n; i++)
		count += rate_limit_allows(r, &a, now);
	return count;
}

static void
test_rate(void)
{
	struct rate_limit r;

	rate_limit_start(&r, 10);
	is_int(allowed(&r, "192.0.2.1", 100, 0), 10, "a second's worth");
	is_int(allowed(&r, "192.0.2.1", 1, CLOCK_SECOND / 20), 0, "no more");
	is_int(allowed(&r, "192.0.2.2", 100, 0), 10, "another host");
	is_int(allowed(&r, "::1", 100, 0), 10, "another family");
	is_int(allowed(&r, "192.0.2.1", 100, CLOCK_SECOND / 10), 1,
	    "one more after a tenth");
	is_int(allowed(&r, "192.0.2.1", 100, 100 * CLOCK_SECOND), 10,
	    "nothing is saved up beyond a second");
	rate_limit_release(&r);
	rate_limit_start(&r, 1);
	is_int(allowed(&r, "192.0.2.1", 9, 0), 1, "one a second");
	is_int(allowed(&r, "192.0.2.1", 9, CLOCK_SECOND), 1, "is one");
	rate_limit_release(&r);
}

static void
test_none(void)
{
	struct rate_limit r;

	rate_limit_start(&r, 0);
	is_int(allowed(&r, "192.0.2.1", 1000, 0), 1000, "no limit");
	rate_limit_release(&r);
}

/* More hosts than the table holds: old ones give way, nothing breaks. */
static void
test_many(void)
{
	struct rate_limit r;
	struct addr a;
	int i, count = 0;

	rate_limit_start(&r, 2);
	for (i = 0; i < 100000; i++) {
		addr_any(&a, AF_INET, 1);
		a.u.in4.sin_addr.s_addr = htonl(0x0a000000U + (unsigned)i);
		count += rate_limit_allows(&r, &a, i * 1000);
		count += rate_limit_allows(&r, &a, i * 1000);
		count += rate_limit_allows(&r, &a, i * 1000);
	}
	is_int(count, 200000, "each of many hosts has its rate");
	rate_limit_release(&r);
}

int
main(void)
{
	test_rate();
	test_none();
	test_many();
	return done_testing();
}
