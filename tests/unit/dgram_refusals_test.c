/* Which datagrams a server does not answer, and how it counts them. */
#include <sys/un.h>

#include "lib/tap.h"
#include "udp/dgram_server.h"

static struct dgram_server_options options;
static struct dgram_server s;

/* Whether a datagram between two ports may be answered. */
static bool
may_answer(unsigned remote, unsigned local, bool is_truncated)
{
	struct dgram d = {.length = 3, .size = 3, .full = 3};
	struct dgram_endpoints ep;
	uint64_t ignored = s.ignored_count;
	bool is_answered;

	addr_loopback(&ep.remote, AF_INET, (uint16_t)remote);
	addr_loopback(&ep.local, AF_INET, (uint16_t)local);
	d.remote = ep.remote;
	d.full += is_truncated;
	is_answered = dgram_server_may_answer(&s, &d, &ep, 1);
	if (s.ignored_count != ignored + !is_answered)
		ok(false, "what is not answered is counted");
	return is_answered;
}

static void
test_ports(void)
{
	static const unsigned reflectors[] = {0, 7, 13, 17, 19, 37, 53, 111,
	    123, 137, 161, 389, 1434, 1900, 3702, 11211};
	const size_t count = sizeof(reflectors) / sizeof(reflectors[0]);
	unsigned port, wrong = 0;
	size_t i = 0;

	for (port = 0; port < 65536; port++) {
		bool is_reflector = i < count && reflectors[i] == port;

		i += is_reflector;
		wrong += may_answer(port, 9999, false) !=
			 (!is_reflector && port != 9999);
	}
	is_int(wrong, 0, "no answer to ports that answer anything, or to 0");
	ok(!may_answer(9999, 9999, false), "nor to the server's own port");
	options.any_port = true;
	ok(may_answer(9999, 9999, false) && may_answer(7, 9999, false),
	    "unless any port is answered");
	ok(!may_answer(0, 9999, false), "but never port 0");
	ok(!may_answer(5555, 9999, true), "nor what was truncated");
	options.any_port = false;
}

/* A host has a number of answers per second, and one warning. */
static void
test_rate(void)
{
	struct dgram d = {.length = 3, .size = 3, .full = 3};
	struct dgram_endpoints ep;
	int64_t now = 10 * CLOCK_SECOND, warned;
	int i, answered = 0;

	options.max_rate = 2;
	rate_limit_release(&s.rate_limit);
	rate_limit_start(&s.rate_limit, options.max_rate, false);
	addr_loopback(&ep.remote, AF_INET, 4444);
	addr_loopback(&ep.local, AF_INET, 9999);
	d.remote = ep.remote;
	s.ignored_count = 0;
	for (i = 0; i < 10; i++)
		answered += dgram_server_may_answer(&s, &d, &ep, now);
	ok(answered > 0 && answered < 10, "%d of 10 are answered", answered);
	is_int((long long)s.ignored_count, 10 - answered, "others are counted");
	warned = s.next_warning_ns;
	is_int(warned, now + CLOCK_SECOND, "which is reported once a second");
	dgram_server_may_answer(&s, &d, &ep, now + 1);
	is_int(s.next_warning_ns, warned, "not more often");
	ok(dgram_server_may_answer(&s, &d, &ep, now + 60 * CLOCK_SECOND),
	    "later there are answers again");
}

/* Senders on unix sockets may have no address. */
static void
test_unix(void)
{
	struct dgram d = {.length = 1, .size = 1, .full = 1};
	struct dgram_endpoints ep;

	memset(&ep, 0, sizeof(ep));
	ok(!dgram_server_may_answer(&s, &d, &ep, 1), "no address");
	d.remote.u.un.sun_family = AF_UNIX;
	d.remote.len = offsetof(struct sockaddr_un, sun_path);
	ep.remote = d.remote;
	ok(!dgram_server_may_answer(&s, &d, &ep, 1), "no name");
	strcpy(d.remote.u.un.sun_path, "/a");
	d.remote.len = offsetof(struct sockaddr_un, sun_path) + 3;
	ep.remote = d.remote;
	ok(dgram_server_may_answer(&s, &d, &ep, 1), "a name is answered");
	ep.local = ep.remote;
	ok(!dgram_server_may_answer(&s, &d, &ep, 1), "the server's own is not");
}

/* What is counted of admitted senders, and of the others. */
static void
test_admission(void)
{
	struct dgram d = {.length = 5};
	struct dgram_endpoints ep;

	addr_loopback(&s.listener.addrs[0], AF_INET, 9999);
	addr_loopback(&d.remote, AF_INET, 4444);
	ok(dgram_server_admits(&s, &d, &ep), "everyone is admitted");
	is_int((long long)s.received_count, 1, "and counted");
	is_int((long long)s.received_bytes, 5, "with the bytes");
	ok(addr_port(&ep.local) == 9999 && addr_port(&ep.remote) == 4444,
	    "between these ports");
	addr_loopback(&d.local, AF_INET, 0);
	ok(dgram_server_admits(&s, &d, &ep) && addr_port(&ep.local) == 9999,
	    "a local address has the port of its socket");
}

int
main(void)
{
	static struct addr addrs[1];

	s.o = &options;
	s.listener.addrs = addrs;
	options.max_rate = 0;
	rate_limit_start(&s.rate_limit, 0, false);
	test_ports();
	test_unix();
	test_admission();
	test_rate();
	rate_limit_release(&s.rate_limit);
	return done_testing();
}
