/* Names of multicast groups. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "lib/tap.h"
#include "udp/multicast.h"

/* The value of an option of one byte or of an int. */
static int
value_of(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, name, &value, &len) < 0 ? -1 : value;
}

static void
test_options(void)
{
	struct multicast_options o = {.ttl = -1};
	struct err e = ERR_INIT;
	int four = socket(AF_INET, SOCK_DGRAM, 0),
	    six = socket(AF_INET6, SOCK_DGRAM, 0), result;

	is_int(multicast_set(four, AF_INET, &o, &e), 0, "no options");
	is_int(value_of(four, IPPROTO_IP, IP_MULTICAST_TTL), 1, "near");
	is_int(value_of(four, IPPROTO_IP, IP_MULTICAST_LOOP), 1, "here, too");
	o.ttl = 0;
	is_int(multicast_set(four, AF_INET, &o, &e), 0, "no router");
	is_int(value_of(four, IPPROTO_IP, IP_MULTICAST_TTL), 0, "none");
	o.ttl = 7;
	o.no_loop = 1;
	is_int(multicast_set(four, AF_INET, &o, &e), 0, "IPv4");
	is_int(value_of(four, IPPROTO_IP, IP_MULTICAST_TTL), 7, "farther");
	is_int(value_of(four, IPPROTO_IP, IP_MULTICAST_LOOP), 0, "not here");
	if (six >= 0) {
		is_int(multicast_set(six, AF_INET6, &o, &e), 0, "IPv6");
		is_int(value_of(six, IPPROTO_IPV6, IPV6_MULTICAST_HOPS), 7,
		    "as far");
		is_int(value_of(six, IPPROTO_IPV6, IPV6_MULTICAST_LOOP), 0,
		    "nor here");
	}
	if (multicast_parse_interface(&o.interface, "lo", &e) == 0) {
		result = multicast_set(four, AF_INET, &o, &e);
		/* The emulator of other machines does not know the option. */
		if (result < 0 && e.errnum == ENOPROTOOPT)
			skip(1, "no IP_MULTICAST_IF");
		else
			is_int(result, 0, "an interface");
	}
	o.interface = 0;
	close(four);
	is_int(multicast_set(four, AF_INET, &o, &e), -1, "not a socket");
	ok(e.kind == ERR_LOCAL && strstr(e.text, "--multicast-ttl: ") == e.text,
	    "%s", e.text);
	o.ttl = -1;
	is_int(multicast_set(four, AF_INET, &o, &e), -1, "not a socket");
	ok(strstr(e.text, "--no-multicast-loop: ") == e.text, "%s", e.text);
	o.no_loop = 0;
	o.interface = 1;
	is_int(multicast_set(four, AF_INET, &o, &e), -1, "not a socket");
	ok(strstr(e.text, "--multicast-interface: ") == e.text, "%s", e.text);
	close(six);
}

static void
test_join(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct multicast_group g;
	struct err e = ERR_INIT;

	if (multicast_parse(&g, "239.1.2.3%lo", &e) < 0)
		return skip(4, "no interface lo");
	/* Of 32 bits it takes the wrong half on a big-endian machine. */
	if (multicast_join(fd, &g, &e) < 0 && in_short(0, 1) == 1)
		return skip(
		    4, "an emulator that garbles an interface's number");
	is_int(e.errnum, 0, "a group is joined");
	is_int(multicast_join(fd, &g, &e), -1, "not twice");
	ok(e.kind == ERR_LOCAL && e.errnum == EADDRINUSE &&
		strstr(e.text, "cannot join 239.1.2.3: ") == e.text,
	    "%s", e.text);
	g.interface = 99999;
	ok(multicast_join(fd, &g, &e) < 0 &&
		(strstr(e.text, "(no interface takes multicast by default") !=
		    NULL) == (e.errnum == ENODEV || e.errnum == EADDRNOTAVAIL),
	    "%s", e.text);
	close(fd);
}

int
main(void)
{
	static const char *const bad[] = {"", "10.0.0.1", "240.0.0.1", "::1",
	    "239.1.2.3%", "239.1.2", "group", "%1"};
	static const char *const no_interface[] = {
	    "239.1.2.3%nosuch0", "239.1.2.3%0", "ff02::1%-1"};
	struct err e = ERR_INIT;
	struct multicast_group g;
	size_t i;

	is_int(multicast_parse(&g, "239.1.2.3", &e), 0, "IPv4");
	is_int(g.interface, 0, "on any interface");
	is_int(multicast_parse(&g, "224.0.0.1%1", &e), 0, "by number");
	is_int(g.interface, 1, "on that one");
	is_int(multicast_parse(&g, "ff02::1%1", &e), 0, "IPv6");
	is_int(g.addr.u.in6.sin6_scope_id, 1, "with its scope");
	is_int(multicast_parse(&g, "ff15::1%1", &e), 0, "of a wider scope");
	is_int(g.addr.u.in6.sin6_scope_id, 0, "without one");
	is_int(g.interface, 1, "but on that interface");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		is_int(multicast_parse(&g, bad[i], &e), -1, bad[i]);
		is_int(e.kind, ERR_USAGE, "is a usage error");
	}
	for (i = 0; i < sizeof(no_interface) / sizeof(no_interface[0]); i++) {
		is_int(multicast_parse(&g, no_interface[i], &e), -1,
		    no_interface[i]);
		is_int(e.kind, ERR_LOCAL, "has an interface that is not there");
	}
	test_options();
	test_join();
	return done_testing();
}
