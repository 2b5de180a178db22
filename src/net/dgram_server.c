#include "net/dgram_server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "net/access.h"
#include "net/endpoint.h"
#include "net/group.h"
#include "net/wait.h"

/* How long an answer may wait for room in the send buffer. */
#define SEND_MS 1000
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
	const struct group *g;
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
			if (group_join(l->fds[at], g, e) < 0)
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
    const struct dgram_server_options *o, struct deadline until, struct err *e)
{
	struct listener *l = &s->listener;
	int result;
	size_t i;

	memset(s, 0, sizeof(*s));
	s->o = o;
	if (o->group_count > 0 && !ep->is_unix && ep->host[0] == '\0')
		result = open_groups(s, ep->port, e);
	else
		result = listener_open(l, ep, &o->listener, until, e);
	if (result < 0)
		return err_prefix(e, "cannot listen on");
	for (i = 0; i < l->count; i++)
		dgram_prepare(
		    l->fds[i], &l->addrs[i], o->listener.sock.rcvbuf < 0);
	if (join_groups(s, e) < 0) {
		listener_close(l);
		return -1;
	}
	rate_start(&s->rate, o->max_rate);
	s->next_look_ns = clock_now() + LOOK_NS;
	listener_announce(l);
	return 0;
}

/* What all sockets have lost; false where the system does not tell. */
static bool
count_lost(const struct dgram_server *s, uint64_t *lost)
{
	bool known = false;
	uint64_t one;
	size_t i;

	*lost = 0;
	for (i = 0; i < s->listener.count; i++) {
		if (!dgram_lost(s->listener.fds[i], &one))
			continue;
		*lost += one;
		known = true;
	}
	return known;
}

/* Tells losses that have come since the last time. */
static void
look_for_losses(struct dgram_server *s, int64_t now_ns)
{
	struct json j;
	uint64_t lost;

	s->next_look_ns = now_ns + LOOK_NS;
	if (!count_lost(s, &lost) || lost == s->told_lost)
		return;
	diag_event_begin(&j, "lost");
	json_number(&j, "count", (int64_t)(lost - s->told_lost));
	diag_event_end(&j, DIAG_NOTE,
	    "%llu datagrams were lost: they came faster than they were read, "
	    "and the receive buffer was full (see --rcvbuf)",
	    (unsigned long long)(lost - s->told_lost));
	s->told_lost = lost;
}

int
dgram_server_receive(
    struct dgram_server *s, size_t at, struct dgram *d, int most, struct err *e)
{
	int n = dgram_receive(s->listener.fds[at], d, most);
	int64_t now = clock_now();

	if (now >= s->next_look_ns)
		look_for_losses(s, now);
	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	/* Refusals of answers, where the system tells servers of them. */
	if (err_kind_of(errno) != ERR_FAILED)
		return 0;
	return err_sys(e, ERR_FAILED, errno, "receiving");
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

void
dgram_server_ignore(
    struct dgram_server *s, const struct dgram_parties *p, const char *why)
{
	char remote[ADDR_TEXT];
	struct json j;

	s->ignored++;
	if (!diag_is_json() && !diag_shows(DIAG_NOTE))
		return;
	diag_event_begin(&j, "ignored");
	addr_json(&p->local, &j, "local");
	addr_json(&p->remote, &j, "remote");
	json_text(&j, "reason", why);
	diag_event_end(&j, DIAG_NOTE, "%s: ignored: %s",
	    addr_format(&p->remote, remote, sizeof(remote)), why);
}

bool
dgram_server_admits(struct dgram_server *s, const struct dgram *d,
    const struct dgram_parties *p)
{
	if (s->o->access != NULL && !access_allows(s->o->access, &p->remote)) {
		dgram_server_ignore(s, p, "not let in (--allow, --deny)");
		return false;
	}
	s->received++;
	s->bytes_received += d->length;
	return true;
}

/*
 * Why it may not be answered, or NULL. Two servers on the same port number
 * would answer each other for ever after one forged datagram; port 0 asks for
 * no answer (RFC 768).
 */
static const char *
refusal(const struct dgram *d, const struct dgram_parties *p)
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
	if (addr_port(&p->remote) == addr_port(&p->local))
		return "it comes from this server's own port, and an answer "
		       "could go round for ever";
	return addr_port(&p->remote) == 0 ? "it has no source port" : NULL;
}

bool
dgram_server_may_answer(struct dgram_server *s, const struct dgram *d,
    const struct dgram_parties *p, int64_t now_ns)
{
	const char *why = refusal(d, p);

	if (why == NULL && !rate_allows(&s->rate, &p->remote, now_ns))
		why = "its host has had its answers for now (--max-rate)";
	if (why != NULL)
		dgram_server_ignore(s, p, why);
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
	dgram_send_error(s->listener.fds[at], &p.remote, d->length, errnum, &e);
	snprintf(why, sizeof(why), "no answer was sent: %s", e.text);
	dgram_server_ignore(s, &p, why);
}

void
dgram_server_answer(
    struct dgram_server *s, size_t at, const struct dgram *d, int count)
{
	int fd = s->listener.fds[at], done = 0, n;

	while (done < count) {
		n = dgram_send(fd, d + done, count - done);
		for (; n > 0; n--) {
			s->answered++;
			s->bytes_sent += d[done++].length;
		}
		if (n >= 0)
			continue;
		if ((errno == EAGAIN || errno == ENOBUFS) &&
		    wait_fd(fd, POLLOUT, deadline_after(SEND_MS)) > 0)
			continue;
		tell_unsent(s, at, &d[done], errno);
		done++;
	}
}

void
dgram_server_tell(struct dgram_server *s)
{
	struct json j;
	uint64_t lost;
	bool known;

	look_for_losses(s, clock_now());
	known = count_lost(s, &lost);
	diag_event_begin(&j, "summary");
	json_number(&j, "received", (int64_t)s->received);
	json_number(&j, "answered", (int64_t)s->answered);
	json_number(&j, "ignored", (int64_t)s->ignored);
	if (known)
		json_number(&j, "lost", (int64_t)lost);
	diag_event_end(&j, DIAG_NOTE,
	    "received %llu (%llu bytes), answered %llu (%llu "
	    "bytes), ignored %llu; %llu were lost%s",
	    (unsigned long long)s->received,
	    (unsigned long long)s->bytes_received,
	    (unsigned long long)s->answered, (unsigned long long)s->bytes_sent,
	    (unsigned long long)s->ignored, (unsigned long long)lost,
	    known ? "" : ", as far as is known");
}

void
dgram_server_close(struct dgram_server *s)
{
	listener_close(&s->listener);
	rate_release(&s->rate);
}
