/* Addresses: parsing, formatting, predicates, unix paths, JSON. */
#include <arpa/inet.h>
#include <net/if.h>

#include "base/err.h"
#include "base/json.h"
#include "lib/tap.h"
#include "net/addr.h"

/* An address by its text; the test stops where it is none. */
static struct addr
ip(const char *text, uint16_t port)
{
	struct addr a;

	if (!addr_parse_ip(&a, text, port))
		ok(false, "%s is an address", text);
	return a;
}

static void
shows(const char *in, const char *want)
{
	struct addr a = ip(in, 80);

	is_text(addr_text(&a), want, in);
}

static void
test_parse(void)
{
	static const char *const bad[] = {"", "1", "1.2.3", "1.2.3.4.5",
	    "256.0.0.1", "01.2.3.4x", "1.2.3.4 ", " ::1", ":::", "[::1]",
	    "::1%", "::1%no-such-interface", "fe80::1%-1", "fe80::1%4294967296",
	    "localhost", "0x7f.1", "127.1", "1::2::3", "12345::",
	    "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"};
	struct addr a;
	size_t i;

	memset(&a, 7, sizeof(a));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!addr_parse_ip(&a, bad[i], 1) && a.u.storage.ss_family != 0,
		    "'%s' is no address", bad[i]);
	shows("127.0.0.1", "127.0.0.1 port 80");
	shows("::1", "::1 port 80");
	shows("2001:DB8:0:0::1", "2001:db8::1 port 80");
	shows("::ffff:1.2.3.4", "1.2.3.4 port 80");
	shows("fe80::1%1", "fe80::1%lo port 80");
	shows("fe80::1%lo", "fe80::1%lo port 80");
	shows("fe80::1%4294967295", "fe80::1%4294967295 port 80");
}

static void
test_predicates(void)
{
	struct addr a = ip("::ffff:127.0.0.1", 9), b;

	b = ip("127.0.0.1", 9);
	ok(addr_equal(&a, &b) && addr_family(&a) == AF_INET,
	    "a mapped address is IPv4");
	addr_unmap(&a);
	ok(addr_equal(&a, &b), "once is enough");
	addr_any(&a, AF_INET6, 9);
	memcpy(a.u.in6.sin6_addr.s6_addr,
	    "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
	ok(addr_is_loopback(&a), "a mapped loopback is loopback");
	addr_unmap(&a);
	ok(addr_equal(&a, &b), "the system's is converted");
	a = ip("::ffff:239.1.2.3", 0), b = ip("::ffff:0.0.0.0", 0);
	ok(addr_is_multicast(&a) && addr_is_any(&b), "so are other kinds");
	a = ip("::1", 9);
	addr_unmap(&a);
	ok(addr_family(&a) == AF_INET6, "::1 is not mapped");
	ok(!addr_equal(&a, &b) && !addr_same_host(&a, &b), "two families");
	b = ip("::1", 8);
	ok(!addr_equal(&a, &b) && addr_same_host(&a, &b), "two ports");
	a = ip("fe80::1%1", 8);
	b = ip("fe80::1%2", 8);
	ok(!addr_same_host(&a, &b), "two scopes");
	a = ip("0.0.0.0", 0), b = ip("::", 0);
	ok(addr_is_any(&a) && addr_is_any(&b), "any");
	a = ip("127.255.255.255", 0), b = ip("128.0.0.1", 0);
	ok(addr_is_loopback(&a) && !addr_is_loopback(&b), "127/8");
	a = ip("239.255.255.255", 0), b = ip("ff02::1", 0);
	ok(addr_is_multicast(&a) && addr_is_multicast(&b), "multicast");
	a = ip("223.255.255.255", 0), b = ip("240.0.0.0", 0);
	ok(!addr_is_multicast(&a) && !addr_is_multicast(&b), "its bounds");
	a = ip("1.2.3.4", 65535);
	is_int(addr_port(&a), 65535, "a port");
	addr_set_port(&a, 1);
	is_int(addr_port(&a), 1, "another");
	memset(&a, 0, sizeof(a));
	is_int(addr_family(&a), AF_UNSPEC, "no address");
	is_int(addr_port(&a), 0, "has no port");
}

static void
test_unix(void)
{
	char path[200];
	struct addr a, b;
	struct err e = ERR_INIT;

	ok(addr_unix(&a, "/run/x", &e) == 0 && addr_is_unix(&a), "a path");
	is_text(addr_text(&a), "unix:/run/x", "as text");
	ok(addr_unix(&b, "/run/x", &e) == 0 && addr_equal(&a, &b), "the same");
	ok(addr_unix(&b, "/run/y", &e) == 0 && !addr_equal(&a, &b), "another");
	ok(addr_unix(&a, "@name", &e) == 0 && a.u.un.sun_path[0] == '\0' &&
		a.len == offsetof(struct sockaddr_un, sun_path) + 5,
	    "abstract");
	is_text(addr_text(&a), "unix:@name", "as text");
	ok(addr_unix(&a, "/a\n\x1b", &e) == 0, "a nasty path");
	is_text(addr_text(&a), "unix:/a\\n\\x1b", "escaped");
	ok(addr_unix(&a, "", &e) < 0 && e.kind == ERR_USAGE, "no path");
	ok(addr_unix(&a, "@", &e) < 0, "no abstract name");
	memset(path, 'x', sizeof(path));
	path[107] = '\0';
	ok(addr_unix(&a, path, &e) == 0, "107 bytes fit");
	path[107] = 'x', path[108] = '\0';
	ok(addr_unix(&a, path, &e) < 0, "108 do not");
	path[0] = '@';
	ok(addr_unix(&a, path, &e) == 0, "but 108 with an @ do");
	path[108] = 'x', path[109] = '\0';
	ok(addr_unix(&a, path, &e) < 0, "and 109 do not");
	a.len = offsetof(struct sockaddr_un, sun_path);
	a.u.un.sun_family = AF_UNIX;
	is_text(addr_text(&a), "unix:(unnamed)", "unnamed");
}

static void
test_json(void)
{
	struct addr a = ip("::1", 80);
	struct json j;
	struct err e;

	json_begin(&j);
	addr_json(&a, &j, "local");
	addr_unix(&a, "/x", &e);
	addr_json(&a, &j, "remote");
	is_text(json_end(&j),
	    "{\"local\":{\"ip\":\"::1\",\"port\":80},"
	    "\"remote\":{\"path\":\"/x\"}}\n",
	    "as JSON");
	memset(&a, 0, sizeof(a));
	json_begin(&j);
	addr_json(&a, &j, "local");
	ok(strstr(json_end(&j), "{\"local\":{}}") != NULL, "none at all");
}

int
main(void)
{
	struct addr_list list = {0};
	struct addr a;
	int i;

	test_parse();
	test_predicates();
	test_unix();
	test_json();
	addr_loopback(&a, AF_INET, 1);
	is_text(addr_text(&a), "127.0.0.1 port 1", "IPv4");
	addr_loopback(&a, AF_INET6, 1);
	is_text(addr_text(&a), "::1 port 1", "IPv6");
	a.len = 0;
	is_text(addr_text(&a), "nobody", "nobody");
	for (i = 0; i < 100; i++)
		addr_list_add(&list, &a);
	is_int((long long)list.count, 100, "a list grows");
	addr_list_release(&list);
	ok(list.items == NULL && list.count == 0, "and goes");
	return done_testing();
}
