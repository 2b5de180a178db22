/* Socket options, each call reported as a step of -vv. */
#include "net/sockopt.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/step.h"

/* What a call returned. An option that only TCP has is "none" elsewhere. */
static void
set_outcome(struct step *s, int result, const char *note)
{
	bool has_none = result < 0 && errno == EOPNOTSUPP;

	s->errnum = result < 0 && !has_none ? errno : 0;
	s->note = has_none ? "only TCP has it" : note;
	if (has_none)
		s->result = "none";
}

/* Whether a user or a tutorial asks for the option. */
static bool
is_shown(const struct sockopt *o)
{
	static const char *const shown[] = {"SO_REUSEADDR", "SO_KEEPALIVE",
	    "SO_RCVBUF", "SO_SNDBUF", "IP_TOS", "IP_TTL", "IPV6_TCLASS",
	    "IPV6_UNICAST_HOPS", "SO_BROADCAST", "IP_MTU_DISCOVER",
	    "IPV6_MTU_DISCOVER", "IP_ADD_MEMBERSHIP",
	    "IP_ADD_SOURCE_MEMBERSHIP", "MCAST_JOIN_GROUP", "IPV6_JOIN_GROUP",
	    "IP_MULTICAST_IF", "IP_MULTICAST_TTL", "IP_MULTICAST_LOOP",
	    "IPV6_MULTICAST_IF", "IPV6_MULTICAST_HOPS", "IPV6_MULTICAST_LOOP"};
	size_t i;

	for (i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (strcmp(o->text, shown[i]) == 0)
			return true;
	return false;
}

int
sockopt_set_value(
    int fd, const struct sockopt *o, const void *value, size_t size)
{
	struct step s = {.call = "setsockopt", .start_ns = step_start()};
	int result = setsockopt(fd, o->level, o->name, value, (socklen_t)size);
	char number[16] = "";

	if (!step_is_on() || !is_shown(o))
		return result;
	if (o->value == NULL)
		snprintf(number, sizeof(number), "%d", *(const int *)value);
	set_outcome(&s, result, o->note);
	step_report(&s, "%s = %s on %s", o->text,
	    o->value != NULL ? o->value : number, step_name_of(fd));
	return result;
}

int
sockopt_set(int fd, const struct sockopt *o, int value)
{
	return sockopt_set_value(fd, o, &value, sizeof(value));
}

void
sockopt_set_nodelay(int fd)
{
	const int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int
sockopt_get(int fd, const struct sockopt *o, int *value)
{
	char shown[16];
	struct step s = {.call = "getsockopt",
	    .start_ns = step_start(),
	    .result = shown,
	    .is_query = true};
	socklen_t len = sizeof(*value);
	int result = getsockopt(fd, o->level, o->name, value, &len);

	if (!step_is_on())
		return result;
	snprintf(shown, sizeof(shown), "%d", *value);
	set_outcome(&s, result, o->note);
	step_report(&s, "%s of %s", o->text, step_name_of(fd));
	return result;
}
