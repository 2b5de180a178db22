/* ICMP errors: who has sent one, and what it says. */
#include "net/icmp.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/text.h"
#include "net/addr.h"
#include "net/os.h"
#include "net/sock.h"

/* "Destination unreachable" and "time exceeded" of both versions. */
enum { UNREACH4 = 3, EXCEEDED4 = 11, UNREACH6 = 1, EXCEEDED6 = 3 };

/* What the code of "destination unreachable" means: RFC 792, RFC 1122 3.2.2.1,
 * RFC 1812 5.2.7.1, and RFC 4443 3.1. */
static const char *const codes4[] = {"net unreachable", "host unreachable",
    "protocol unreachable", "port unreachable", "fragmentation needed",
    "source route failed", "net unknown", "host unknown", "host isolated",
    "net prohibited", "host prohibited", "net unreachable for this service",
    "host unreachable for this service", "administratively prohibited",
    "host precedence violation", "precedence cutoff"};
static const char *const codes6[] = {"no route", "administratively prohibited",
    "beyond the scope of the source", "address unreachable", "port unreachable",
    "source address prohibited", "route rejects"};

static const char *
kind_of(const struct os_error *q)
{
	bool is_ip6 = q->family == AF_INET6;
	size_t count = is_ip6 ? sizeof(codes6) / sizeof(codes6[0])
			      : sizeof(codes4) / sizeof(codes4[0]);

	if (q->type == (is_ip6 ? EXCEEDED6 : EXCEEDED4))
		return "time exceeded";
	if (q->type == (is_ip6 ? UNREACH6 : UNREACH4) && q->code < count)
		return (is_ip6 ? codes6 : codes4)[q->code];
	return text_format("type %d, code %d", q->type, q->code);
}

bool
icmp_is_exceeded(const struct os_error *q)
{
	return q->errnum != 0 &&
	       ((q->family == AF_INET && q->type == EXCEEDED4) ||
		   (q->family == AF_INET6 && q->type == EXCEEDED6));
}

enum icmp_sender
icmp_sender(const struct os_error *q, const struct addr *to)
{
	struct addr local;

	if (addr_same_host(&q->sender, to))
		return ICMP_HOST;
	/* A failed connect(2) has removed the local address of its socket. */
	(void)sock_route(to, SO_BROADCAST, &local);
	return addr_same_host(&q->sender, &local) ? ICMP_HERE : ICMP_ROUTER;
}

bool
icmp_read(int fd, const struct addr *a, struct os_error *q)
{
	/* It may be one of an earlier connect. */
	while (os_next_error(fd, q))
		if (q->errnum != 0 && addr_equal(&q->to, a))
			return true;
	q->errnum = 0;
	return false;
}

int
icmp_cause(const struct os_error *q, int errnum)
{
	return errnum == ECONNREFUSED && q->errnum == errnum ? CAUSE_REJECTED
							     : errnum;
}

/* Who has not answered ARP or neighbor discovery: SO_DONTROUTE shows whether a
 * router is on the way, but not for IPv6. */
static const char *
silent_neighbor(const struct addr *to)
{
	struct addr local;

	if (addr_family(to) == AF_INET6)
		return "it, or the router to it,";
	return sock_route(to, SO_DONTROUTE, &local) ? "it" : "the router to it";
}

const char *
icmp_text(const struct os_error *q, const struct addr *to, enum err_place place)
{
	const struct err_row *row;
	bool is_port = q->errnum == ECONNREFUSED;
	const char *who = "a firewall of this machine", *why = "";

	if (q->errnum == 0 || q->family == 0)
		return NULL;
	row = err_find(q->errnum, place);
	switch (icmp_sender(q, to)) {
	case ICMP_HERE:
		if (q->errnum == EHOSTUNREACH)
			return text_format(
			    "%s: %s does not answer on this network",
			    row->reason, silent_neighbor(to));
		break;
	case ICMP_HOST:
		if (is_port && place == ERR_AT_UDP)
			return NULL;
		who = "the host's firewall";
		break;
	case ICMP_ROUTER:
		who = text_format(
		    "%s, a router on the way", addr_ip_text(&q->sender));
		why = is_port ? ": a firewall" : "";
	}
	return text_format("%s%s %s (ICMP %s%s)", row->reason,
	    is_port || q->errnum == EACCES ? " by" : ", says", who, kind_of(q),
	    why);
}
