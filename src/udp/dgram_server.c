/* A datagram server: its sockets, admission of senders, and answers. */
#include "udp/dgram_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "net/access.h"
#include "net/endpoint.h"
#include "net/os.h"
#include "net/sock.h"

/* The losses are counted once in this interval. */
#define CHECK_NS CLOCK_SECOND
/* Hosts share this many buckets; a power of two. */
#define BUCKETS 65536

/* Counts the losses of all sockets, and reports those since the last report. */
static void
report_losses(struct dgram_server *s, int64_t now_ns)
{
	uint64_t before = s->lost;
	uint32_t drops;
	struct json *j;
	size_t i;

	s->next_check_ns = now_ns + CHECK_NS;
	for (i = 0; i < s->listener.count; i++) {
		if (!os_drops(s->listener.fds[i], &drops))
			continue;
		/* The kernel's counter wraps at 2^32. */
		s->lost += (uint32_t)(drops - s->drops[i]);
		s->drops[i] = drops;
		s->lost_is_known = true;
	}
	if (s->lost == before)
		return;
	j = diag_event_begin("lost");
	json_number(j, "count", s->lost - before);
	diag_event_end(DIAG_NOTE,
	    "%s lost: they arrived faster than they were read, "
	    "and the receive buffer was full (see --rcvbuf)",
	    num_count_text(s->lost - before, "datagram"));
}

bool
dgram_server_is_news(
    struct dgram_server *s, const struct dgram *d, const char *text)
{
	uint64_t hash = addr_hash(&d->from, (uintptr_t)text) | 1;
	uint64_t *reported =
	    &s->reported[hash / 2 % (sizeof(s->reported) / sizeof(hash))];
	bool is_news = *reported != hash;

	*reported = hash;
	return is_news;
}

/*
 * Unless why is NULL, counts a datagram whose sender is not admitted or not
 * answered, and reports one of each sender and reason, with --json every one.
 * Returns why != NULL.
 */
static bool
refuse(struct dgram_server *s, const struct dgram *d, const char *why)
{
	if (why != NULL && (dgram_server_is_news(s, d, why) || diag_is_json()))
		dgram_server_ignore(s, d, why);
	else if (why != NULL)
		s->ignored_count++;
	return why != NULL;
}

void
dgram_server_ignore(
    struct dgram_server *s, const struct dgram *d, const char *why)
{
	struct json *j;

	s->ignored_count++;
	if (!diag_emits(DIAG_NOTE))
		return;
	j = diag_event_begin("ignored");
	addr_json(&d->to, j, "local");
	addr_json(&d->from, j, "remote");
	json_text(j, "reason", why);
	diag_event_end(DIAG_NOTE, "%s: ignored: %s", addr_text(&d->from), why);
}

/*
 * Why a datagram may not be answered, or NULL. After one forged datagram, two
 * servers would answer each other forever. Port 0 means that no answer is
 * wanted (RFC 768).
 */
static const char *
refusal(const struct dgram *d, bool is_forwarded)
{
	/*
	 * Servers on these ports answer whatever they receive: echo, daytime,
	 * qotd, chargen, time, domain, sunrpc, ntp, netbios-ns, snmp, ldap,
	 * ms-sql-m, ssdp, ws-discovery, memcached. Clients send from such a
	 * port only to the same kind of server, which a target may be: only the
	 * first four answer an answer.
	 */
	static const uint16_t reflectors[] = {7, 13, 17, 19, 37, 53, 111, 123,
	    137, 161, 389, 1434, 1900, 3702, 11211};
	unsigned port = addr_port(&d->from);
	size_t i, count = sizeof(reflectors) / sizeof(reflectors[0]);

	if (!is_forwarded &&
	    (addr_is_unix(&d->remote) ? addr_is_unnamed(&d->remote)
				      : port == 0))
		return "its sender has no address to send an answer to";
	if (d->full > d->length)
		return "it is too long and was truncated";
	if (addr_is_unix(&d->remote))
		return addr_equal(&d->from, &d->to)
			   ? "it comes from this server itself"
			   : NULL;
	if (is_forwarded ? addr_equal(&d->from, &d->to)
			 : port == addr_port(&d->to))
		return "it comes from this server's own port, and an answer "
		       "could start an endless loop";
	for (i = 0; i < (is_forwarded ? 4 : count); i++)
		if (reflectors[i] == port)
			return "it comes from a port where servers answer "
			       "anything, and an answer could start an endless "
			       "loop";
	return NULL;
}

/* Reports the datagrams above the limit since the last report. */
static void
report_limited(struct dgram_server *s, int64_t now_ns)
{
	s->next_warning_ns = now_ns + CLOCK_SECOND;
	if (s->limited_count > 0)
		diag_warn("%s has reached the limit of %lld answers per second "
			  "to one host (--max-rate): %s not answered",
		    addr_text(&s->limited), (long long)s->o->max_rate,
		    num_count_text(s->limited_count, "datagram"));
	s->limited_count = 0;
}

/*
 * Whether the rate limit allows an answer to the host of d->from, which is
 * counted. Each host has a bucket of tokens for one second, which fills at the
 * given rate; the bucket is stored as the time at which it will be full. Hosts
 * whose hashes are equal share a bucket, so that none gets more by the choice
 * of addresses.
 */
static bool
is_within_rate(struct dgram_server *s, const struct dgram *d)
{
	struct addr host = d->from;
	int64_t now_ns = s->last_ns, gap_ns, *full_ns;

	if (s->full_ns == NULL)
		return true;
	addr_set_port(&host, 0);
	full_ns = &s->full_ns[addr_hash(&host, s->key) % BUCKETS];
	gap_ns = CLOCK_SECOND / s->o->max_rate;
	if (*full_ns < now_ns)
		*full_ns = now_ns;
	if (*full_ns - now_ns <= CLOCK_SECOND - gap_ns) {
		*full_ns += gap_ns;
		return true;
	}
	s->limited = d->from;
	s->limited_count++;
	if (now_ns >= s->next_warning_ns)
		report_limited(s, now_ns);
	refuse(s, d, "its host has reached the limit of answers (--max-rate)");
	return false;
}

bool
dgram_server_may_answer(struct dgram_server *s, const struct dgram *d)
{
	return !refuse(s, d, refusal(d, false)) && is_within_rate(s, d);
}

static void
report_unsent(struct dgram_server *s, const struct dgram *d, int errnum)
{
	const char *why = "the socket's send buffer stayed full";
	struct err e = ERR_INIT;

	errno = errnum;
	if (errnum != EAGAIN && errnum != ENOBUFS) {
		dgram_send_error(
		    s->listener.fds[d->socket], &d->from, d->length, NULL, &e);
		why = e.text;
	} else if (addr_is_unix(&d->remote)) {
		why = "the client does not read those it has";
	}
	dgram_server_ignore(s, d, text_format("no answer was sent: %s", why));
}

static void
swap(struct dgram *a, struct dgram *b)
{
	struct dgram d = *a;

	if (a == b)
		return;
	*a = *b;
	*b = d;
}

int
dgram_server_answer(struct dgram_server *s, struct dgram *d, int count)
{
	int fd = s->listener.fds[d->socket], next = 0, sent = 0, tries = 0;
	int n, i, allowed = count;

	/* Without a target, dgram_server_may_answer() has counted it. */
	if (s->o->is_forwarder)
		for (i = allowed = 0; i < count; i++)
			if (is_within_rate(s, &d[i]))
				swap(&d[allowed++], &d[i]);
	while (next < allowed) {
		n = dgram_send_retry(fd, d + next, allowed - next, &tries);
		for (i = n; i > 0; i--) {
			s->answered_count++;
			s->answered_bytes += d[next].length;
			swap(&d[sent++], &d[next++]);
		}
		if (n < 0)
			report_unsent(s, &d[next++], errno);
	}
	return sent;
}

int
dgram_server_receive(
    struct dgram_server *s, size_t socket, int max, struct err *e)
{
	int n = dgram_receive(s->listener.fds[socket], s->received, max);
	const struct addr *bound = &s->listener.addrs[socket];
	const struct access *access = s->o->access;
	int errnum = errno, count = 0, i;
	int64_t now = clock_now();
	struct dgram *d;

	if (now >= s->next_check_ns)
		report_losses(s, now);
	if (n < 0) {
		/* ICMP errors for answers, where the system reports them to
		 * servers. */
		if (errnum == EAGAIN || errnum == EINTR || errnum == EMSGSIZE ||
		    err_find(errnum, ERR_AT_UDP)->kind != ERR_FAILED)
			return 0;
		return err_sys(e, ERR_FAILED, errnum, "receiving");
	}
	s->last_ns = now;
	for (i = 0; i < n; i++) {
		d = &s->received[i];
		d->socket = socket;
		d->from = d->remote;
		addr_unmap(&d->from);
		d->to = d->local.len != 0 ? d->local : *bound;
		addr_unmap(&d->to);
		if (d->local.len != 0)
			addr_set_port(&d->to, addr_port(bound));
		if (access != NULL && !access_allows(access, &d->from)) {
			refuse(s, d, "denied by --allow or --deny");
			continue;
		}
		s->received_count++;
		s->received_bytes += d->length;
		if (!s->o->is_forwarder || !refuse(s, d, refusal(d, true)))
			swap(&s->received[count++], d);
	}
	return count;
}

/* Joins each group on each socket of its family. */
static int
join_groups(struct dgram_server *s, struct err *e)
{
	const struct listener *l = &s->listener;
	const struct multicast_group *g;
	size_t i, socket;
	bool joined;

	for (i = 0; i < s->o->group_count; i++) {
		g = &s->o->groups[i];
		joined = false;
		for (socket = 0; socket < l->count; socket++) {
			const struct addr *bound = &l->addrs[socket];

			/* A dual-stack socket takes groups of both. */
			if ((addr_family(bound) != addr_family(&g->addr) &&
				!sock_is_dual(l->fds[socket])) ||
			    (addr_is_multicast(bound) &&
				!addr_same_host(bound, &g->addr)))
				continue;
			if (multicast_join(l->fds[socket], g, e) < 0)
				return -1;
			joined = true;
		}
		if (!joined)
			return err_set(e, ERR_LOCAL,
			    "--join: no socket of the group's address family");
	}
	return 0;
}

/* A key for addr_hash() that no sender can guess. */
static uint64_t
make_key(void)
{
	uint64_t key = (uint64_t)clock_now();
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!read(fd, &key, sizeof(key));
	fd_close(&fd);
	return key;
}

int
dgram_server_open(struct dgram_server *s, const struct endpoint *ep,
    const struct dgram_server_options *o, struct err *e)
{
	struct listener *l = &s->listener;
	struct listener_options lo = *o->listener;
	struct addr_list list = {0};
	struct addr a;
	int result;
	size_t i;

	memset(s, 0, sizeof(*s));
	s->o = o;
	for (i = 0; i < o->group_count && lo.fd == NULL && !ep->is_unix &&
		    ep->host[0] == '\0';
	     i++) {
		lo.list = &list;
		a = o->groups[i].addr;
		addr_set_port(&a, ep->port);
		addr_list_add(&list, &a);
	}
	result = listener_open(l, ep, &lo, e);
	addr_list_release(&list);
	if (result < 0)
		return -1;
	for (i = 0; i < l->count; i++) {
		/* The buffer of an inherited socket is its owner's choice. */
		if (lo.sock->rcvbuf < 0 && lo.fd == NULL)
			dgram_raise_rcvbuf(l->fds[i]);
		/* It must answer from the address that was asked. */
		if (addr_is_any(&l->addrs[i]))
			dgram_request_destination(l->fds[i]);
	}
	s->received = dgram_new();
	s->answers = dgram_new();
	if (o->max_rate > 0)
		s->full_ns = mem_array(BUCKETS, sizeof(s->full_ns[0]));
	s->key = make_key();
	s->drops = mem_array(l->count, sizeof(s->drops[0]));
	s->last_ns = clock_now();
	s->next_check_ns = s->last_ns + CHECK_NS;
	if (join_groups(s, e) == 0)
		return 0;
	dgram_server_close(s);
	return -1;
}

void
dgram_server_report(struct dgram_server *s)
{
	const char *text = "";
	struct json *j;

	report_losses(s, clock_now());
	report_limited(s, clock_now());
	j = diag_event_begin("summary");
	json_number(j, "received", s->received_count);
	json_number(j, "answered", s->answered_count);
	json_number(j, "ignored", s->ignored_count);
	if (s->lost_is_known)
		json_number(j, "lost", s->lost);
	if (s->o->is_forwarder) {
		json_number(j, "sessions", s->begun_count);
		json_number(j, "evicted", s->evicted_count);
		json_number(j, "refused", s->refused_count);
		text = text_format("; %s, %llu evicted; refused %llu",
		    num_count_text(s->begun_count, "session"),
		    (unsigned long long)s->evicted_count,
		    (unsigned long long)s->refused_count);
	}
	diag_event_end(DIAG_NOTE,
	    "received %llu (%s), answered %llu (%s), ignored %llu, lost "
	    "%llu%s%s",
	    (unsigned long long)s->received_count,
	    num_count_text(s->received_bytes, "byte"),
	    (unsigned long long)s->answered_count,
	    num_count_text(s->answered_bytes, "byte"),
	    (unsigned long long)s->ignored_count, (unsigned long long)s->lost,
	    s->lost_is_known ? "" : ", as far as is known", text);
}

void
dgram_server_close(struct dgram_server *s)
{
	listener_close(&s->listener, NULL);
	free(s->full_ns);
	free(s->drops);
	free(s->received);
	free(s->answers);
	memset(s, 0, sizeof(*s));
}
