/* Multicast groups: parses and joins them, and sets options for sending. */
#include "udp/dgram.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/num.h"
#include "base/text.h"
#include "net/sock.h"

int
multicast_parse_interface(void *interface, const char *text, struct err *e)
{
	unsigned *index = interface;
	int64_t n;

	*index = num_parse(text, 1, INT32_MAX, &n) ? (unsigned)n
						   : if_nametoindex(text);
	if (*index != 0)
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

/* POSIX lacks the options of IPv4: where they are hidden, setting one fails. */
#if !defined(IP_ADD_MEMBERSHIP) && !defined(IP_MULTICAST_TTL) && \
    !defined(IP_MULTICAST_LOOP) && !defined(IP_MULTICAST_IF)
#define IP_ADD_MEMBERSHIP (-1)
#define IP_MULTICAST_TTL (-1)
#define IP_MULTICAST_LOOP (-1)
#define IP_MULTICAST_IF (-1)
#endif

/* An option of IPv4, and its twin of IPv6. */
struct twins {
	struct sock_option ip4, ip6;
};

/* As setsockopt(2), by family. */
static int
set(int fd, int family, const struct twins *o, const void *value4, size_t size4,
    const void *value6, size_t size6)
{
	return family == AF_INET6 ? sock_set_value(fd, &o->ip6, value6, size6)
				  : sock_set_value(fd, &o->ip4, value4, size4);
}

/* struct ip_mreqn, which strict headers hide; without its end, ip_mreq. */
struct request {
	struct in_addr group, address;
	int interface;
};

int
multicast_join(int fd, const struct multicast_group *g, struct err *e)
{
	static const char note[] =
	    "asks the network for this group's datagrams";
	const char *group = addr_ip_text(&g->addr);
	const struct twins join = {
	    {IPPROTO_IP, IP_ADD_MEMBERSHIP, "IP_ADD_MEMBERSHIP", note, group},
	    {IPPROTO_IPV6, IPV6_JOIN_GROUP, "IPV6_JOIN_GROUP", note, group}};
	const struct request request = {
	    .group = g->addr.u.in4.sin_addr, .interface = (int)g->interface};
	const struct ipv6_mreq request6 = {
	    g->addr.u.in6.sin6_addr, g->interface};

	if (set(fd, addr_family(&g->addr), &join, &request,
		g->interface != 0 ? sizeof(request)
				  : offsetof(struct request, interface),
		&request6, sizeof(request6)) == 0)
		return 0;
	return err_sys(e, ERR_LOCAL, errno, "cannot join %s%s", group,
	    errno == ENODEV || errno == EADDRNOTAVAIL
		? " (no interface takes multicast by default: name one, "
		  "GROUP%INTERFACE)"
		: "");
}

int
multicast_set(
    int fd, int family, const struct multicast_options *o, struct err *e)
{
	static const char hops_note[] = "routers that may be passed, plus 1",
			  loop_note[] =
			      "whether this machine receives them too",
			  leave_note[] = "datagrams to groups leave by it";
	const char *ttl = text_format("%d", (int)o->ttl);
	const char *name = text_format("interface %u", o->interface);
	const struct twins hops = {
	    {IPPROTO_IP, IP_MULTICAST_TTL, "IP_MULTICAST_TTL", hops_note, ttl},
	    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, "IPV6_MULTICAST_HOPS",
		hops_note, ttl}};
	const struct twins loop = {{IPPROTO_IP, IP_MULTICAST_LOOP,
				       "IP_MULTICAST_LOOP", loop_note, "0"},
	    {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, "IPV6_MULTICAST_LOOP",
		loop_note, "0"}};
	const struct twins leave = {
	    {IPPROTO_IP, IP_MULTICAST_IF, "IP_MULTICAST_IF", leave_note, name},
	    {IPPROTO_IPV6, IPV6_MULTICAST_IF, "IPV6_MULTICAST_IF", leave_note,
		name}};
	/* IPv4 takes a byte where IPv6 takes an int. */
	const unsigned char max = (unsigned char)o->ttl, off = 0;
	const int max6 = (int)o->ttl, off6 = 0;
	const struct request request = {.interface = (int)o->interface};

	if (o->ttl >= 0 &&
	    set(fd, family, &hops, &max, 1, &max6, sizeof(max6)) < 0)
		return err_sys(e, ERR_LOCAL, errno, "--multicast-ttl");
	if (o->no_loop &&
	    set(fd, family, &loop, &off, 1, &off6, sizeof(off6)) < 0)
		return err_sys(e, ERR_LOCAL, errno, "--no-multicast-loop");
	if (o->interface != 0 &&
	    set(fd, family, &leave, &request, sizeof(request), &o->interface,
		sizeof(o->interface)) < 0)
		return err_sys(e, ERR_LOCAL, errno, "--multicast-interface");
	return 0;
}
