/* Endpoints: hosts, ports, services and unix paths, good and bad. */
#include <netdb.h>

#include "base/err.h"
#include "lib/tap.h"
#include "net/endpoint.h"

/* One or two operands; b is NULL for one. */
static int
parse(struct endpoint *ep, const char *a, const char *b, bool local,
    struct err *e)
{
	char *operands[] = {(char *)a, (char *)b, NULL};
	int count = a == NULL ? 0 : b == NULL ? 1 : 2;

	err_clear(e);
	return local ? endpoint_parse_local(ep, operands, count, "tcp", 9999, e)
		     : endpoint_parse(ep, operands, count, "tcp", e);
}

static void
takes(const char *a, const char *b, bool local, const char *host, int port)
{
	struct endpoint ep;
	struct err e;
	int result = parse(&ep, a, b, local, &e);

	ok(result == 0 && strcmp(ep.host, host) == 0 && ep.port == port &&
		!ep.is_unix,
	    "%s: '%s' '%s' is host '%s' port %d", local ? "server" : "client",
	    a == NULL ? "" : a, b == NULL ? "" : b, host, port);
	is_text(e.text, "", "  without an error");
}

static void
refuses(const char *a, const char *b, bool local, const char *why)
{
	struct endpoint ep;
	struct err e;
	int result = parse(&ep, a, b, local, &e);

	ok(result < 0 && e.kind == ERR_USAGE, "%s: '%s' '%s' is refused",
	    local ? "server" : "client", a, b == NULL ? "" : b);
	ok(strstr(e.text, why) != NULL, "  with '%s' in '%s'", why, e.text);
}

static void
test_client(void)
{
	takes("host", "80", false, "host", 80);
	takes("host:80", NULL, false, "host", 80);
	takes("::1", "65535", false, "::1", 65535);
	takes("[::1]", "1", false, "::1", 1);
	takes("[::1]:1", NULL, false, "::1", 1);
	takes("[fe80::1%eth0]:1", NULL, false, "fe80::1%eth0", 1);
	takes("1.2.3.4:1", NULL, false, "1.2.3.4", 1);
	refuses("host", NULL, false, "missing port");
	refuses("host:", NULL, false, "port is empty");
	refuses("::1", NULL, false, "missing port");
	refuses("[::1]", NULL, false, "missing port");
	refuses("[::1:80", NULL, false, "missing port");
	refuses("", NULL, false, "host is empty");
	refuses("", "80", false, "host is empty");
	refuses("[]", "80", false, "missing host");
	refuses(":80", NULL, false, "missing host");
	refuses("host", "", false, "port is empty");
}

static void
test_ports(bool local)
{
	static const char *const bad[] = {"65536", "80x", "-1", "+80", " 80",
	    "80 ", "0x50", "8e1", "no-such-service", "99999999999999999999",
	    "\x1b[2J", "22,80", "1-2"};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses("host", bad[i], local, "neither a number from");
}

static void
test_server(void)
{
	takes(NULL, NULL, true, "", 9999);
	takes("80", NULL, true, "", 80);
	takes("0", NULL, true, "", 0);
	takes(":80", NULL, true, "", 80);
	takes("*:80", NULL, true, "*", 80);
	takes("*", "80", true, "*", 80);
	takes("::1", "0", true, "::1", 0);
	takes("[::1]:0", NULL, true, "::1", 0);
	takes("host:80", NULL, true, "host", 80);
	refuses("", "80", true, "address is empty");
	refuses("", NULL, true, "port is empty");
	refuses("[]:80", NULL, true, "missing host");
}

static void
test_services(void)
{
	if (getservbyname("http", "tcp") == NULL) {
		skip(6, "no names in services(5)");
		return;
	}
	takes("host", "ssh", false, "host", 22);
	takes("host:http", NULL, false, "host", 80);
	takes("ssh", NULL, true, "", 22);
}

static void
test_hosts(void)
{
	static const char *const names[] = {"localhost", "LOCALHOST",
	    "localhost.", "a.b.Localhost.", "notlocalhost", "localhost.test",
	    "localhos", "."};
	static const char *const bad[] = {"1.2.3", "127.1", "0x7f.1",
	    "0x7F000001", "1.2.3.4.", "1.2.3.04", "1..2", ".1", "256.0.0.1"};
	static const char *const good[] = {"1.2.3.4", "1.2.3.x", "3com", "a.1",
	    "1.2.3.4x", "0xg", "x0", "1-2", "::1", "...", "0x7f.example"};
	struct endpoint ep;
	size_t i;

	for (i = 0; i < 8; i++) {
		memset(&ep, 0, sizeof(ep));
		strcpy(ep.host, names[i]);
		ok(endpoint_is_under(&ep, "localhost") == (i < 4), "'%s' is %s",
		    names[i], i < 4 ? "the loopback" : "another name");
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses(bad[i], "80", i % 2 == 0, "is not an IPv4 address");
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		takes(good[i], "80", i % 2 == 0, good[i], 80);
}

static void
test_unix(void)
{
	struct endpoint ep;
	struct err e;
	int local;

	for (local = 0; local < 2; local++) {
		ok(parse(&ep, "unix:/run/x:1", NULL, local, &e) == 0 &&
			ep.is_unix,
		    "a path with a colon");
		is_text(endpoint_text(&ep), "unix:/run/x:1", "as text");
		refuses("unix:/run/x", "80", local, "has no port");
		refuses("unix:", NULL, local, "path is missing");
	}
}

int
main(void)
{
	struct endpoint ep;
	char name[300];
	struct err e;

	test_client();
	test_ports(false);
	refuses("host", "0", false, "neither a number from 1 to 65535");
	test_ports(true);
	test_server();
	test_services();
	test_hosts();
	test_unix();
	memset(name, 'a', sizeof(name));
	name[255] = '\0';
	takes(name, "80", false, name, 80);
	name[255] = 'a', name[256] = '\0';
	refuses(name, "80", false, "longer than a name can be");
	ok(parse(&ep, "a\033c", "80", false, &e) == 0, "a nasty name");
	is_text(
	    endpoint_text(&ep), "a\\x1bc port 80", "is escaped in messages");
	return done_testing();
}
