/* Allow and deny lists: matching, order, files, and invalid networks. */
#include <unistd.h>

#include "base/err.h"
#include "lib/tap.h"
#include "net/access.h"

static bool
allows(const struct access *a, const char *text)
{
	struct addr peer;

	return addr_parse_ip(&peer, text, 1234) && access_allows(a, &peer);
}

static void
test_prefixes(void)
{
	struct access a = ACCESS_INIT;
	struct err e = ERR_INIT;

	is_int(access_add(&a, true, "10.2.0.0/15,192.0.2.7,2001:db8::/33",
		   deadline_none(), &e),
	    0, "a list with commas");
	ok(!allows(&a, "10.1.255.255"), "just before the network");
	ok(allows(&a, "10.2.0.0"), "its first address");
	ok(allows(&a, "10.3.255.255"), "its last one");
	ok(!allows(&a, "10.4.0.0"), "just behind it");
	ok(allows(&a, "192.0.2.7"), "a single address");
	ok(!allows(&a, "192.0.2.6"), "and no neighbour");
	ok(allows(&a, "2001:db8:7fff::1"), "IPv6 within 33 bits");
	ok(!allows(&a, "2001:db8:8000::1"), "IPv6 behind them");
	ok(allows(&a, "::ffff:192.0.2.7"), "mapped counts as IPv4");
	access_release(&a);
	is_int(
	    access_add(&a, true, "::ffff:192.0.2.0/120", deadline_none(), &e),
	    0, "mapped");
	ok(allows(&a, "192.0.2.99"), "a mapped network matches IPv4");
	access_release(&a);
	is_int(access_add(&a, true, "::ffff:c000:207,::ffff:10.0.0.0/104",
		   deadline_none(), &e),
	    0, "mapped, in hexadecimal, and a network");
	ok(allows(&a, "192.0.2.7") && allows(&a, "10.255.0.1"), "match IPv4");
	ok(!allows(&a, "192.0.2.8") && !allows(&a, "11.0.0.1"), "and no more");
	access_release(&a);
	is_int(
	    access_add(&a, false, "0.0.0.0/0", deadline_none(), &e), 0, "/0");
	ok(!allows(&a, "203.0.113.1"), "matches all of IPv4");
	ok(allows(&a, "2001:db8::1"), "and nothing of IPv6");
	access_release(&a);
}

static void
test_order(void)
{
	struct access a = ACCESS_INIT;
	struct err e = ERR_INIT;

	ok(allows(&a, "127.0.0.1"), "no rules: everybody");
	access_add(&a, false, "10.0.0.1", deadline_none(), &e);
	ok(!allows(&a, "10.0.0.1"), "a refusal");
	ok(allows(&a, "10.0.0.2"), "refusals only: the others are let in");
	access_add(&a, true, "10.0.0.0/8", deadline_none(), &e);
	ok(!allows(&a, "10.0.0.1"), "the first rule wins");
	ok(allows(&a, "10.0.0.2"), "the second takes the rest");
	ok(!allows(&a, "11.0.0.1"), "with friends, strangers are refused");
	access_release(&a);
}

static void
test_scopes(void)
{
	struct access a = ACCESS_INIT;
	struct err e = ERR_INIT;

	is_int(access_add(&a, true, "fe80::99%7", deadline_none(), &e), 0,
	    "with a scope");
	ok(allows(&a, "fe80::99%7"), "the address on that interface");
	ok(!allows(&a, "fe80::99%8"), "not on another one");
	access_release(&a);
	access_add(&a, true, "fe80::%7/10", deadline_none(), &e);
	ok(allows(&a, "fe80::1%7"), "a network on that interface");
	ok(!allows(&a, "fe80::1%8"), "not on another one");
	access_release(&a);
	access_add(&a, true, "fe80::/10", deadline_none(), &e);
	ok(allows(&a, "fe80::1%7") && allows(&a, "fe80::1%8"),
	    "a rule without a scope holds on all of them");
	access_release(&a);
}

static void
test_bad(void)
{
	static const char *const bad[] = {"", "x", "10.0.0.0/33", "10.0.0.0/",
	    "10.0.0.0/-1", "10.0.0/8", "::/129", "1.2.3.4,", ",1.2.3.4",
	    "1.2.3.4/8/8", "localhost"};
	struct access a = ACCESS_INIT;
	struct err e = ERR_INIT;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		is_int(access_add(&a, false, bad[i], deadline_none(), &e), -1,
		    bad[i]);
		is_int(e.kind, ERR_USAGE, "is a usage error");
		access_release(&a);
	}
	is_int(access_add(&a, false, "@/nonexistent/x", deadline_none(), &e),
	    -1, "no file");
	is_int(e.kind, ERR_OUTPUT, "is status 11");
	access_release(&a);
}

static void
test_file(void)
{
	char path[] = "/tmp/sockt-access-XXXXXX", at[64];
	int fd = mkstemp(path);
	struct access a = ACCESS_INIT;
	struct err e = ERR_INIT;
	const char *text = "# friends\n\n  10.0.0.0/8 # the office\r\n::1\n";

	ok(fd >= 0 && write(fd, text, strlen(text)) > 0, "a file");
	snprintf(at, sizeof(at), "@%s", path);
	is_int(access_add(&a, true, at, deadline_none(), &e), 0, "is read");
	ok(allows(&a, "10.9.9.9") && allows(&a, "::1"), "its rules count");
	ok(!allows(&a, "127.0.0.1"), "and nothing else");
	access_release(&a);
	ok(write(fd, "nonsense\n", 9) == 9, "a bad line");
	is_int(access_add(&a, true, at, deadline_none(), &e), -1, "is refused");
	ok(strstr(e.text, "line 5: 'nonsense'") != NULL, "with its number");
	access_release(&a);
	ok(ftruncate(fd, 0) == 0, "an empty file");
	is_int(access_add(&a, true, at, deadline_none(), &e), 0, "is no error");
	ok(!allows(&a, "127.0.0.1"), "but an empty list lets nobody in");
	access_release(&a);
	close(fd);
	unlink(path);
}

int
main(void)
{
	test_prefixes();
	test_order();
	test_scopes();
	test_bad();
	test_file();
	return done_testing();
}
