/* A UDP server: opens its sockets, receives, and admits senders. */
#include "udp/dgram_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "net/access.h"
#include "net/endpoint.h"
#include "udp/multicast.h"

/* How often losses are looked for. */
#define LOOK_NS CLOCK_SECOND

/* One socket a group, bound to the group's own address. */
static int
open_groups(struct dgram_server *s, uint16_t port, struct err *e)
{
	const struct dgram_server_options *o = s->o;
	struct addr_list list = ADDR_LIST_INIT;
	struct addr a;
	size_t i;
	int result;

	for (i = 0; i < o->group_count; i++) {
		a = o->groups[i].addr;
		addr_set_port(&a, port);
		addr_list_add(&list, &a);
	}
	result = listener_open_list(&s->listener, &list, &o->listener, e);
	addr_list_release(&list);
	return result;
}

/* Joins each group on each socket of its family. */
static int
join_groups(struct dgram_server *s, struct err *e)
{
	const struct listener *l = &s->listener;
	const struct multicast_group *g;
	size_t i, at;
	bool joined;

	for (i = 0; i < s->o->group_count; i++) {
		g = &s->o->groups[i];
		joined = false;
		for (at = 0; at < l->count; at++) {
			const struct addr *own = &l->addrs[at];

			if (addr_family(own) != addr_family(&g->addr) ||
			    (addr_is_multicast(own) &&
				!addr_same_host(own, &g->addr)))
				continue;
			if (multicast_join(l->fds[at], g, e) < 0)
				return -1;
			joined = true;
		}
		if (!joined)
			return err_set(e, ERR_LOCAL,
			    "--join: no socket is of the group's family");
	}
	return 0;
}

int
dgram_server_open(struct dgram_server *s, const struct endpoint *ep,
    const struct dgram_server_options *o, struct err *e)
{
	struct listener *l = &s->listener;
	int result;
	size_t i;

	memset(s, 0, sizeof(*s));
	s->o = o;
	if (o->group_count > 0 && !ep->is_unix && ep->host[0] == '\0')
		result = open_groups(s, ep->port, e);
	else
		result = listener_open(l, ep, &o->listener, e);
	if (result < 0)
		return -1;
	for (i = 0; i < l->count; i++)
		dgram_prepare(
		    l->fds[i], &l->addrs[i], o->listener.sock.rcvbuf < 0);
	if (join_groups(s, e) < 0) {
		listener_close(l);
		return -1;
	}
	loop_start(&s->loop, o->max_rate, o->answers_vary);
	unsent_init(&s->unsent);
	s->drops = mem_array(l->count, sizeof(s->drops[0]));
	s->next_look_ns = clock_now() + LOOK_NS;
	listener_announce(l);
	return 0;
}

/* Adds what all sockets have lost since it was last asked. */
static void
count_lost(struct dgram_server *s)
{
	uint32_t drops;
	size_t i;

	for (i = 0; i < s->listener.count; i++) {
		if (!dgram_lost(s->listener.fds[i], &drops))
			continue;
		/* The kernel's count begins again after 2^32. */
		s->lost += (uint32_t)(drops - s->drops[i]);
		s->drops[i] = drops;
		s->knows_lost = true;
	}
}

/* Tells losses that have come since the last time. */
static void
look_for_losses(struct dgram_server *s, int64_t now_ns)
{
	struct event ev;
	uint64_t lost;

	s->next_look_ns = now_ns + LOOK_NS;
	count_lost(s);
	lost = s->lost - s->told_lost;
	if (lost == 0)
		return;
	diag_event_begin(&ev, EVENT_LOST);
	event_number(&ev, "count", lost);
	diag_event_end(&ev, DIAG_NOTE,
	    "%llu datagrams were lost: they came faster than they were read, "
	    "and the receive buffer was full (see --rcvbuf)",
	    (unsigned long long)lost);
	s->told_lost = s->lost;
}

int
dgram_server_receive(
    struct dgram_server *s, size_t at, struct dgram *d, int most, struct err *e)
{
	int n = dgram_receive(s->listener.fds[at], d, most), errnum = errno;
	int64_t now = clock_now();

	if (now >= s->next_look_ns)
		look_for_losses(s, now);
	if (n >= 0)
		return n;
	if (errnum == EAGAIN || errnum == EINTR)
		return 0;
	/* Refusals of answers, where the system tells servers of them. */
	if (err_kind_of(errnum) != ERR_FAILED || errnum == EMSGSIZE)
		return 0;
	return err_sys(e, ERR_FAILED, errnum, "receiving");
}

void
dgram_server_parties(const struct dgram_server *s, size_t at,
    const struct dgram *d, struct dgram_parties *p)
{
	const struct addr *bound = &s->listener.addrs[at];

	p->remote = d->remote;
	addr_unmap(&p->remote);
	p->local = *bound;
	if (d->local.len == 0)
		return;
	p->local = d->local;
	addr_unmap(&p->local);
	addr_set_port(&p->local, addr_port(bound));
}

/*
 * Whether a refusal of this sender is still to be told. It is told once, until
 * another sender's takes its place in the table; a program that reads events is
 * told of every datagram.
 */
static bool
is_news(struct dgram_server *s, const struct addr *remote, const char *why)
{
	const unsigned char *bytes = (const void *)&remote->u;
	uint64_t hash = (uintptr_t)why, *told;
	socklen_t i;

	if (diag_is_json())
		return true;
	for (i = 0; i < remote->len; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	hash ^= hash >> 32;
	told = &s->told[hash % DGRAM_SERVER_TOLD];
	if (*told == (hash | 1))
		return false;
	*told = hash | 1;
	return true;
}

/* Counts a datagram of a sender that is not let in or not answered. */
static void
refuse(struct dgram_server *s, const struct dgram_parties *p, const char *why)
{
	if (is_news(s, &p->remote, why))
		dgram_server_ignore(s, p, why);
	else
		s->ignored++;
}

void
dgram_server_ignore(
    struct dgram_server *s, const struct dgram_parties *p, const char *why)
{
	char remote[ADDR_TEXT];
	struct event ev;

	s->ignored++;
	if (!diag_tells(DIAG_NOTE))
		return;
	diag_event_begin(&ev, EVENT_IGNORED);
	addr_event(&p->local, &ev, "local");
	addr_event(&p->remote, &ev, "remote");
	event_text(&ev, "reason", why);
	diag_event_end(&ev, DIAG_NOTE, "%s: ignored: %s",
	    addr_format(&p->remote, remote, sizeof(remote)), why);
}

bool
dgram_server_admits(struct dgram_server *s, const struct dgram *d,
    const struct dgram_parties *p)
{
	if (s->o->access != NULL && !access_allows(s->o->access, &p->remote)) {
		refuse(s, p, "not let in (--allow, --deny)");
		return false;
	}
	s->received++;
	s->bytes_received += d->length;
	return true;
}

/*
 * Whether servers on this port answer whatever they are sent: echo, daytime,
 * qotd, chargen, time, domain, sunrpc, ntp, netbios-ns, snmp, ldap, ms-sql-m,
 * ssdp, ws-discovery, memcached. No client sends from there, but to its own
 * kind of server.
 */
static bool
is_reflector(unsigned port)
{
	static const uint16_t ports[] = {7, 13, 17, 19, 37, 53, 111, 123, 137,
	    161, 389, 1434, 1900, 3702, 11211};
	size_t i;

	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (ports[i] == port)
			return true;
	return false;
}

/*
 * Why its source port may not be answered, or NULL. Two servers would answer
 * each other for ever after one forged datagram; port 0 asks for no answer
 * (RFC 768).
 */
static const char *
port_refusal(const struct dgram_server *s, const struct dgram_parties *p)
{
	unsigned port = addr_port(&p->remote);

	if (port == 0)
		return "it has no source port";
	if (s->o->any_port)
		return NULL;
	if (port == addr_port(&p->local))
		return "it comes from this server's own port, and an answer "
		       "could go round for ever (--any-port)";
	if (is_reflector(port))
		return "it comes from a port where servers answer anything, "
		       "and an answer could go round for ever (--any-port)";
	return NULL;
}

/* Why it may not be answered, or NULL. */
static const char *
refusal(const struct dgram_server *s, const struct dgram *d,
    const struct dgram_parties *p)
{
	if (d->remote.len == 0 ||
	    (addr_is_unix(&d->remote) &&
		d->remote.len <= offsetof(struct sockaddr_un, sun_path)))
		return "its sender has no name to answer to";
	if (dgram_is_cut(d))
		return "its end was cut off, it is too long";
	if (addr_is_unix(&d->remote))
		return addr_equal(&p->remote, &p->local)
			   ? "it comes from this server itself"
			   : NULL;
	return port_refusal(s, p);
}

/* A limit on a host's answers bites: told at once, then once a second. */
static void
warn_of_limit(
    struct dgram_server *s, const struct dgram_parties *p, int64_t now_ns)
{
	char remote[ADDR_TEXT];

	if (now_ns < s->next_warning_ns)
		return;
	s->next_warning_ns = now_ns + CLOCK_SECOND;
	addr_format(&p->remote, remote, sizeof(remote));
	if (s->o->max_rate == LOOP_DEFAULT)
		diag_warn("%s: its datagrams come as from a server that "
			  "answers answers: for a second none of its host is "
			  "answered (see --max-rate)",
		    remote);
	else
		diag_warn("%s: its host has had its %lld answers for this "
			  "second (--max-rate)",
		    remote, (long long)s->o->max_rate);
}

bool
dgram_server_may_answer(struct dgram_server *s, const struct dgram *d,
    const struct dgram_parties *p, int64_t now_ns)
{
	const char *why = refusal(s, d, p);

	if (why == NULL && !loop_allows(&s->loop, d, &p->remote, now_ns)) {
		why = "its host has had its answers for now (--max-rate)";
		warn_of_limit(s, p, now_ns);
	}
	if (why != NULL)
		refuse(s, p, why);
	return why == NULL;
}

/* One that could not be sent. */
static void
tell_unsent(
    struct dgram_server *s, size_t at, const struct dgram *d, int errnum)
{
	struct err e = ERR_INIT;
	struct dgram_parties p;
	char why[ERR_TEXT + 32];

	dgram_server_parties(s, at, d, &p);
	if (errnum == EAGAIN || errnum == ENOBUFS)
		snprintf(why, sizeof(why), "no answer was sent: %s",
		    addr_is_unix(&d->remote)
			? "it does not read those it has"
			: "what was sent before could not leave");
	else
		dgram_send_error(
		    s->listener.fds[at], &p.remote, d->length, errnum, &e);
	if (e.kind != ERR_NONE)
		snprintf(why, sizeof(why), "no answer was sent: %s", e.text);
	dgram_server_ignore(s, &p, why);
}

/* What one answer met that was not sent: it is kept, or told. */
static void
keep_or_tell(
    struct dgram_server *s, size_t at, const struct dgram *d, int errnum)
{
	if ((errnum != EAGAIN && errnum != ENOBUFS) ||
	    !unsent_add(&s->unsent, at, d))
		tell_unsent(s, at, d, errnum);
}

static void
count_answers(struct dgram_server *s, const struct dgram *d, int count)
{
	int i;

	for (i = 0; i < count; i++)
		s->bytes_sent += d[i].length;
	s->answered += (uint64_t)count;
}

/*
 * Sends the first of them, with what follows it where nobody has to wait: a
 * client gets its answers in order. How many were dealt with.
 */
static int
answer_some(struct dgram_server *s, size_t at, const struct dgram *d, int count)
{
	bool waits = unsent_has(&s->unsent, at, &d->remote);
	int n = -1, errnum = EAGAIN;

	if (!waits) {
		if (s->unsent.count > 0)
			count = 1;
		n = dgram_send(s->listener.fds[at], d, count);
		errnum = errno;
	}
	if (n < 0 && errnum == EINTR)
		return 0;
	if (n < 0)
		keep_or_tell(s, at, d, errnum);
	else
		count_answers(s, d, n);
	return n < 0 ? 1 : n;
}

void
dgram_server_answer(
    struct dgram_server *s, size_t at, const struct dgram *d, int count)
{
	int done = 0;

	while (done < count)
		done += answer_some(s, at, d + done, count - done);
}

bool
dgram_server_takes(const struct dgram_server *s, size_t at)
{
	return addr_is_unix(&s->listener.addrs[at]) ||
	       !unsent_has(&s->unsent, at, NULL);
}

struct deadline
dgram_server_deadline(const struct dgram_server *s)
{
	return s->unsent.resume;
}

/* Tries one again that found no room. True when it is done with. */
static bool
try_again(void *context, const struct unsent_answer *one)
{
	struct dgram_server *s = context;

	if (dgram_send(s->listener.fds[one->at], &one->d, 1) > 0) {
		count_answers(s, &one->d, 1);
		return true;
	}
	if (errno == EINTR || ((errno == EAGAIN || errno == ENOBUFS) &&
				  !deadline_passed(one->until)))
		return false;
	tell_unsent(s, one->at, &one->d, errno);
	return true;
}

void
dgram_server_resume(struct dgram_server *s)
{
	unsent_retry(&s->unsent, try_again, s);
}

void
dgram_server_tell(struct dgram_server *s)
{
	struct event ev;

	look_for_losses(s, clock_now());
	diag_event_begin(&ev, EVENT_SERVE_SUMMARY);
	event_number(&ev, "received", s->received);
	event_number(&ev, "answered", s->answered);
	event_number(&ev, "ignored", s->ignored);
	if (s->knows_lost)
		event_number(&ev, "lost", s->lost);
	diag_event_end(&ev, DIAG_NOTE,
	    "received %llu (%llu bytes), answered %llu (%llu "
	    "bytes), ignored %llu; %llu were lost%s",
	    (unsigned long long)s->received,
	    (unsigned long long)s->bytes_received,
	    (unsigned long long)s->answered, (unsigned long long)s->bytes_sent,
	    (unsigned long long)s->ignored, (unsigned long long)s->lost,
	    s->knows_lost ? "" : ", as far as is known");
}

void
dgram_server_close(struct dgram_server *s)
{
	listener_close(&s->listener);
	loop_release(&s->loop);
	unsent_release(&s->unsent);
	free(s->drops);
	s->drops = NULL;
}
