/* Multicast groups: parses and joins them, and sets options for sending. */
#include "udp/multicast.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/num.h"
#include "base/text.h"
#include "net/sockopt.h"
#include "net/os.h"

int
multicast_parse_interface(unsigned *interface, const char *text, struct err *e)
{
	const char *shown;
	int64_t n;

	*interface = num_parse(text, 1, INT32_MAX, &n) ? (unsigned)n
						       : if_nametoindex(text);
	if (*interface != 0)
		return 0;
	shown = text_shown(text);
	return err_set(
	    e, ERR_USAGE, "this machine has no interface '%s'", shown);
}

int
multicast_parse(struct multicast_group *g, const char *text, struct err *e)
{
	const char *shown;
	const char *scope = strchr(text, '%');
	size_t n = scope == NULL ? strlen(text) : (size_t)(scope - text);

	memset(g, 0, sizeof(*g));
	shown = text_shown(text);
	if (scope != NULL &&
	    multicast_parse_interface(&g->interface, scope + 1, e) < 0)
		return -1;
	if (!addr_parse_ip_prefix(&g->addr, text, n) ||
	    !addr_is_multicast(&g->addr))
		return err_set(
		    e, ERR_USAGE, "'%s' is not a multicast group", shown);
	/* A group of a wider scope has no zone in its address (RFC 4007). */
	if (addr_family(&g->addr) == AF_INET6 &&
	    (IN6_IS_ADDR_MC_LINKLOCAL(&g->addr.u.in6.sin6_addr) ||
		IN6_IS_ADDR_MC_NODELOCAL(&g->addr.u.in6.sin6_addr)))
		g->addr.u.in6.sin6_scope_id = g->interface;
	return 0;
}

int
multicast_join(int fd, const struct multicast_group *g, struct err *e)
{
	int result = os_join(fd, &g->addr, g->interface);
	const char *text = addr_ip_text(&g->addr);

	if (result == 0)
		return 0;
	return err_sys(e, ERR_LOCAL, errno, "cannot join %s%s", text,
	    errno == ENODEV || errno == EADDRNOTAVAIL
		? " (no interface takes multicast by default: name one, "
		  "GROUP%IF)"
		: "");
}

/* POSIX defines only IPv6's options; ENOTSUP where IPv4's are missing. */
static int
set_ttl(int fd, int family, int ttl)
{
	char text[16];
	const struct sockopt option6 = {IPPROTO_IPV6, IPV6_MULTICAST_HOPS,
	    "IPV6_MULTICAST_HOPS", "routers that may be passed, plus 1", NULL};

	if (family == AF_INET6)
		return sockopt_set(fd, &option6, ttl);
	snprintf(text, sizeof(text), "%d", ttl);
#ifdef IP_MULTICAST_TTL
	const struct sockopt option = {IPPROTO_IP, IP_MULTICAST_TTL,
	    "IP_MULTICAST_TTL", option6.note, text};
	unsigned char byte = (unsigned char)ttl;

	return sockopt_set_value(fd, &option, &byte, sizeof(byte));
#else
	errno = ENOTSUP;
	return -1;
#endif
}

static int
set_loop(int fd, int family, bool on)
{
	static const struct sockopt option6 = {IPPROTO_IPV6,
	    IPV6_MULTICAST_LOOP, "IPV6_MULTICAST_LOOP",
	    "whether this machine receives them too", NULL};

	if (family == AF_INET6)
		return sockopt_set(fd, &option6, on);
#ifdef IP_MULTICAST_LOOP
	const struct sockopt option = {IPPROTO_IP, IP_MULTICAST_LOOP,
	    "IP_MULTICAST_LOOP", option6.note, on ? "1" : "0"};
	unsigned char byte = on;

	return sockopt_set_value(fd, &option, &byte, sizeof(byte));
#else
	errno = ENOTSUP;
	return -1;
#endif
}

int
multicast_set(
    int fd, int family, const struct multicast_options *o, struct err *e)
{
	if (o->ttl >= 0 && set_ttl(fd, family, (int)o->ttl) < 0)
		return err_sys(e, ERR_LOCAL, errno, "--multicast-ttl");
	if (o->no_loop && set_loop(fd, family, false) < 0)
		return err_sys(e, ERR_LOCAL, errno, "--no-multicast-loop");
	if (o->interface != 0 &&
	    os_multicast_interface(fd, family, o->interface) < 0)
		return err_sys(e, ERR_LOCAL, errno, "--multicast-interface");
	return 0;
}
