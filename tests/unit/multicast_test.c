/* Names of multicast groups. */
#include "base/err.h"
#include "lib/tap.h"
#include "udp/dgram.h"

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
	return done_testing();
}
