/* Multicast groups: parses and joins them, and sets options for sending. */
#include "udp/multicast.h"

#include <errno.h>
#include <net/if.h>
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
	int64_t n;

	*interface = num_parse(text, 1, INT32_MAX, &n) ? (unsigned)n
						       : if_nametoindex(text);
	if (*interface != 0)
		return 0;
	return err_set(e, text[0] == '\0' ? ERR_USAGE : ERR_LOCAL,
	    "this machine has no interface '%s'", text_shown(text));
}

int
multicast_parse(struct multicast_group *g, const char *text, struct err *e)
{
	const char *scope = strchr(text, '%');
	size_t n = scope == NULL ? strlen(text) : (size_t)(scope - text);

	memset(g, 0, sizeof(*g));
	if (scope != NULL &&
	    multicast_parse_interface(&g->interface, scope + 1, e) < 0)
		return -1;
	if (!addr_parse_ip_prefix(&g->addr, text, n) ||
	    !addr_is_multicast(&g->addr))
		return err_set(e, ERR_USAGE, "'%s' is not a multicast group",
		    text_shown(text));
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

	if (result == 0)
		return 0;
	return err_sys(e, ERR_LOCAL, errno, "cannot join %s%s",
	    addr_ip_text(&g->addr),
	    errno == ENODEV || errno == EADDRNOTAVAIL
		? " (no interface takes multicast by default: name one, "
		  "GROUP%IF)"
		: "");
}

/*
 * Sets an option that is an int for IPv6 and a byte for IPv4, whose options
 * POSIX does not define: then ENOTSUP.
 */
static int
set_number(int fd, int family, const struct sockopt options[2], int value)
{
	const struct sockopt *o = &options[family == AF_INET6];
	unsigned char byte = (unsigned char)value;

	if (family == AF_INET6)
		return sockopt_set(fd, o, value);
	errno = ENOTSUP;
	return o->text == NULL ? -1
			       : sockopt_set_value(fd, o, &byte, sizeof(byte));
}

int
multicast_set(
    int fd, int family, const struct multicast_options *o, struct err *e)
{
	const char *ttl = text_format("%d", (int)o->ttl);
	const struct sockopt hops[] = {
#ifdef IP_MULTICAST_TTL
	    {IPPROTO_IP, IP_MULTICAST_TTL, "IP_MULTICAST_TTL",
		"routers that may be passed, plus 1", ttl},
#else
	    {.text = NULL},
#endif
	    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, "IPV6_MULTICAST_HOPS",
		"routers that may be passed, plus 1", ttl}};
	static const struct sockopt loop[] = {
#ifdef IP_MULTICAST_LOOP
	    {IPPROTO_IP, IP_MULTICAST_LOOP, "IP_MULTICAST_LOOP",
		"whether this machine receives them too", "0"},
#else
	    {.text = NULL},
#endif
	    {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, "IPV6_MULTICAST_LOOP",
		"whether this machine receives them too", "0"}};

	if (o->ttl >= 0 && set_number(fd, family, hops, (int)o->ttl) < 0)
		return err_sys(e, ERR_LOCAL, errno, "--multicast-ttl");
	if (o->no_loop && set_number(fd, family, loop, 0) < 0)
		return err_sys(e, ERR_LOCAL, errno, "--no-multicast-loop");
	if (o->interface != 0 &&
	    os_multicast_interface(fd, family, o->interface) < 0)
		return err_sys(e, ERR_LOCAL, errno, "--multicast-interface");
	return 0;
}
