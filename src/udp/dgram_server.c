/* A datagram server: its sockets, admission of senders, answers, and the
 * sessions of a forwarder. */
#include "udp/dgram_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
#include "net/icmp.h"
#include "net/os.h"
#include "net/ready.h"
#include "net/resolve.h"
#include "net/sock.h"

/* The interval at which losses are counted. */
#define CHECK_NS CLOCK_SECOND
/* Hosts share this many buckets; a power of two. */
#define BUCKETS 65536
/* Descriptors for other uses: standard streams, records, name lookups. */
#define SPARE_FDS 20
/* A target that has not answered for this time is looked up again. */
#define SILENT_NS (30 * CLOCK_SECOND)
#define OWN_ERROR \
	" is this server itself: each datagram would be forwarded for ever"

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
	 * first four answer answers, too.
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
	if (s->o->to != NULL)
		for (i = allowed = 0; i < count; i++)
			if (is_within_rate(s, &d[i]))
				swap(&d[allowed++], &d[i]);
	while (next < allowed) {
		n = dgram_send_patiently(fd, d + next, allowed - next, &tries);
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
		if (s->o->to == NULL || !refuse(s, d, refusal(d, true)))
			swap(&s->received[count++], d);
	}
	return count;
}

struct session {
	struct dgram client; /* the addresses of an answer to it */
	struct addr target;
	int fd;               /* owned; -1: it could not be opened */
	struct session *next; /* of its bucket, or of those that are free */
	struct session *older, *newer; /* in the order of the last datagram */
	int64_t start_ns, last_ns;
	uint64_t sent, received, refused; /* datagrams; ICMP errors */
};

struct sessions {
	struct dgram_server *server;
	const struct dgram_server_options *o; /* the server's */
	struct session *items, **buckets;     /* owned; bucket_count is 2^n */
	struct session *free;                 /* those that have ended */
	struct session ring; /* the head of the order, not a session: its newer
				is the oldest session */
	size_t max, count, used, bucket_count;

	struct addr_list targets;
	size_t target;     /* index of the one in use, modulo their number */
	bool has_answered; /* since it is in use */
	bool is_failing;   /* no socket could be opened: reported */
	int64_t silent_ns; /* when something was sent to it that is not
			      answered yet; 0: nothing was */
	struct resolve lookup; /* the current lookup, unless in is -1, and what
				  it has found */
	struct addr_list found;

	/* The ids are those of the listener's sockets, and of the sessions. */
	struct ready_set *set;
	uint32_t ready[MAX_READY];
	bool is_behind; /* more may be waiting than was received */
};

/* The address in use. */
static const struct addr *
current_target(const struct sessions *s)
{
	return &s->targets.items[s->target % s->targets.count];
}

static uint32_t
id_of(const struct sessions *s, const struct session *p)
{
	return (uint32_t)(s->server->listener.count + (size_t)(p - s->items));
}

static struct session **
bucket_of(const struct sessions *s, const struct dgram *d)
{
	uint64_t key = addr_hash(&d->to, addr_hash(&d->from, s->server->key));

	return &s->buckets[key & (s->bucket_count - 1)];
}

static bool
is_client(const struct session *p, const struct dgram *d)
{
	return addr_equal(&p->client.from, &d->from) &&
	       addr_equal(&p->client.to, &d->to) &&
	       p->client.socket == d->socket;
}

static void
unlink_from_order(const struct session *p)
{
	p->older->newer = p->newer;
	p->newer->older = p->older;
}

/* A datagram was sent or received in a session: it becomes the newest. */
static void
touch(struct sessions *s, struct session *p)
{
	p->last_ns = clock_now();
	unlink_from_order(p);
	p->newer = &s->ring;
	p->older = s->ring.older;
	p->older->newer = s->ring.older = p;
}

static void
close_socket(struct sessions *s, struct session *p)
{
	ready_set_forget(s->set, id_of(s, p));
	dgram_close(&p->fd);
}

static void
end_session(struct sessions *s, struct session *p, const char *why)
{
	struct session **link = bucket_of(s, &p->client);
	struct json *j = diag_event_begin("session");

	addr_json(&p->client.to, j, "local");
	addr_json(&p->client.from, j, "remote");
	addr_json(&p->target, j, "target");
	json_number(j, "sent", p->sent);
	json_number(j, "received", p->received);
	json_number(j, "refused", p->refused);
	json_seconds(j, "seconds", clock_seconds(p->start_ns, clock_now()));
	json_text(j, "reason", why);
	diag_event_end(DIAG_NOTE,
	    "%s: end of its session (%s): sent %llu, received %llu, refused "
	    "%llu",
	    addr_text(&p->client.from), why, (unsigned long long)p->sent,
	    (unsigned long long)p->received, (unsigned long long)p->refused);
	close_socket(s, p);
	unlink_from_order(p);
	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	p->next = s->free;
	s->free = p;
	s->count--;
}

/* Whether the paths of two Unix sockets are the same file. */
static bool
is_same_file(const struct addr *a, const struct addr *b)
{
	struct stat x, y;

	return addr_has_path(a) && addr_has_path(b) &&
	       stat(a->u.un.sun_path, &x) == 0 &&
	       stat(b->u.un.sun_path, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* Whether this server receives what is sent to an address. */
static bool
is_own(const struct sessions *s, const struct addr *a)
{
	const struct listener *l = &s->server->listener;
	const struct addr *bound = l->addrs;
	struct addr to = *a;
	bool is_any = false;
	size_t i;

	/* The system sends to the loopback address instead. */
	if (addr_is_any(a))
		addr_loopback(&to, addr_family(a), addr_port(a));
	for (i = 0; i < l->count; i++, bound++) {
		if (addr_equal(bound, &to) || is_same_file(bound, &to))
			return true;
		is_any |= addr_is_any(bound) &&
			  addr_port(bound) == addr_port(&to) &&
			  (addr_family(bound) == addr_family(&to) ||
			      sock_is_dual(l->fds[i]));
	}
	for (i = 0; is_any && i < s->o->group_count; i++)
		if (addr_same_host(&s->o->groups[i].addr, &to))
			return true;
	return is_any && sock_is_local(&to);
}

static void
evict(struct sessions *s)
{
	if (s->server->evicted_count++ == 0)
		diag_warn("%s (--max-sessions): a new client ends the one that "
			  "has been idle longest",
		    num_count_text(s->count, "session"));
	end_session(s, s->ring.newer, "evicted");
}

/* Begins a session, with a socket to the address in use. If descriptors are
 * short, others end. */
static struct session *
begin_session(struct sessions *s, const struct dgram *d)
{
	const struct dgram_options o = {.sock = s->o->listener->sock,
	    .group = {.ttl = -1},
	    .raise_buffer = true};
	struct session *p, **bucket = bucket_of(s, d);
	struct err e = ERR_INIT;

	if (s->count >= s->max)
		evict(s);
	p = s->free != NULL ? s->free : &s->items[s->used++];
	s->free = p->next;
	*p = (struct session){.client = *d,
	    .target = *current_target(s),
	    .next = *bucket,
	    .start_ns = clock_now()};
	*bucket = p;
	p->older = p->newer = p;
	touch(s, p);
	s->count++;
	s->server->begun_count++;
	while ((p->fd = dgram_open(&p->target, &o, &e)) < 0 &&
	       err_is_shortage(e.errnum) && s->ring.newer != p) {
		evict(s);
		s->max = s->count;
		err_clear(&e);
	}
	if (p->fd >= 0 && is_own(s, &p->target))
		err_set(&e, ERR_USAGE, "%s" OWN_ERROR, addr_text(&p->target));
	else if (p->fd >= 0 &&
		 ready_set_watch(s->set, id_of(s, p), p->fd, POLLIN) < 0)
		err_sys(&e, ERR_FAILED, errno, "%s", addr_text(&p->target));
	if (e.kind == ERR_NONE) {
		s->is_failing = false;
		diag_note("%s: forwarding to %s", addr_text(&d->from),
		    addr_text(&p->target));
		return p;
	}
	dgram_close(&p->fd);
	if (!s->is_failing)
		diag_warn("cannot forward to %s", e.text);
	s->is_failing = true;
	s->target++;
	return p;
}

/* The session of a datagram's client. A session without a socket, or to an
 * address that is no longer in use, ends first. */
static struct session *
find_session(struct sessions *s, const struct dgram *d)
{
	struct session *p = *bucket_of(s, d);

	while (p != NULL && !is_client(p, d))
		p = p->next;
	if (p != NULL &&
	    (p->fd < 0 || !addr_equal(&p->target, current_target(s)))) {
		end_session(s, p, "moved");
		p = NULL;
	}
	return p != NULL ? p : begin_session(s, d);
}

/*
 * Counts a refusal, which a call has returned as errnum, or ICMP has reported.
 * If the address in use has never answered, the next one is tried.
 */
static void
count_refusal(struct sessions *s, struct session *p, int errnum)
{
	struct os_error icmp;
	int error = dgram_icmp_error(p->fd, &icmp);
	const char *said = icmp_text(&icmp, &p->target, ERR_AT_UDP);

	error = error != 0 ? error : errnum;
	if (error == 0 || error == EMSGSIZE || error == EAGAIN)
		return;
	s->server->refused_count++;
	if (p->refused++ == 0)
		diag_note("%s: %s: %s", addr_text(&p->client.from),
		    addr_text(&p->target),
		    said != NULL ? said : err_find(error, ERR_AT_UDP)->reason);
	if (!s->has_answered && addr_equal(&p->target, current_target(s)))
		s->target++;
}

/* Sends datagrams in a session: one if that can end its socket, or it has none.
 * tries is that of dgram_send_patiently(). */
static void
send_all(struct sessions *s, struct session *p, const struct dgram *d,
    int count, int *tries)
{
	struct err e = ERR_INIT;
	bool is_second = false;
	int done = 0, n, errnum;

	if (p->fd < 0)
		dgram_server_ignore(
		    s->server, d, "it has no socket to the target");
	while (done < count && p->fd >= 0) {
		n = dgram_send_patiently(p->fd, d + done, count - done, tries);
		if (n >= 0) {
			p->sent += (uint64_t)n;
			done += n;
			is_second = false;
			continue;
		}
		errnum = errno;
		is_second = !is_second;
		if (is_second)
			count_refusal(s, p, errnum);
		/* At an IP socket it may be the error of an earlier one. */
		if (is_second && !addr_is_unix(&p->target))
			continue;
		errno = errnum;
		dgram_send_error(p->fd, &p->target, d[done].length, NULL, &e);
		dgram_server_ignore(s->server, &d[done++], e.text);
		is_second = false;
		/* The program at a Unix socket has gone. Another one may be
		 * there when the next datagram comes. */
		if (addr_is_unix(&p->target) && errnum != EAGAIN &&
		    errnum != ENOBUFS && errnum != EMSGSIZE)
			close_socket(s, p);
	}
}

/*
 * Called before datagrams are sent: looks the target up again if it has not
 * answered for a while, or reads from the lookup. The address in use stays if
 * it is still one of the target's.
 */
static void
check_target(struct sessions *s, int64_t now_ns)
{
	struct pollfd in = {.fd = s->lookup.in, .events = POLLIN};
	struct err e = ERR_INIT;
	size_t i;

	if (s->lookup.in < 0) {
		if (s->silent_ns == 0)
			s->silent_ns = now_ns;
		if (now_ns - s->silent_ns < SILENT_NS)
			return;
		s->silent_ns = now_ns;
		s->has_answered = false;
		(void)resolve_start(
		    &s->lookup, s->o->to, s->o->listener->names, &s->found, &e);
	}
	while (s->lookup.in >= 0)
		if (poll(&in, 1, 0) <= 0)
			return;
		else if (resolve_advance(
			     &s->lookup, 0, s->o->listener->until, &e) < 0)
			diag_note("%s", e.text);
	for (i = 0; i < s->found.count; i++)
		if (addr_equal(&s->found.items[i], current_target(s)))
			break;
	if (s->found.count == 0)
		return;
	addr_list_release(&s->targets);
	s->targets = s->found;
	s->found = (struct addr_list){0};
	s->target = i;
}

void
dgram_server_forward(struct dgram_server *server, int count)
{
	struct sessions *s = server->sessions;
	struct dgram *d = server->received;
	struct session *p;
	int n, max, tries = 0;

	s->is_behind = s->is_behind || count == DGRAM_MAX_RECEIVE;
	check_target(s, clock_now());
	for (; count > 0; d += n, count -= n) {
		p = find_session(s, d);
		touch(s, p);
		/* Another session may begin with the next one's addresses. */
		max = p->fd < 0 || addr_is_unix(&p->target) ? 1 : count;
		for (n = 0; n < max && is_client(p, &d[n]); n++)
			d[n].remote.len = d[n].local.len = 0;
		send_all(s, p, d, n, &tries);
	}
}

int
dgram_server_receive_answers(struct dgram_server *server, int i, int *count)
{
	struct sessions *s = server->sessions;
	struct dgram *d = server->answers;
	size_t id = s->ready[i], first = server->listener.count;
	struct session *p;
	int n;

	*count = 0;
	if (id < first)
		return (int)id;
	p = &s->items[id - first];
	if (p->fd < 0)
		return -1;
	*count = n = dgram_receive(p->fd, d, DGRAM_MAX_RECEIVE);
	if (n < 0) {
		*count = 0;
		count_refusal(s, p, errno);
		return -1;
	}
	s->is_behind = s->is_behind || n == DGRAM_MAX_RECEIVE;
	s->has_answered = true;
	s->silent_ns = 0;
	touch(s, p);
	server->last_ns = p->last_ns;
	p->received += (uint64_t)n;
	for (; n > 0; n--, d++) {
		d->remote = p->client.remote;
		d->local = p->client.local;
		d->socket = p->client.socket;
		d->from = p->client.from;
		d->to = p->client.to;
	}
	return -1;
}

static struct deadline
next_end(const struct sessions *s)
{
	return s->count == 0
		   ? deadline_none()
		   : deadline_from(s->ring.newer->last_ns, s->o->session_ms);
}

int
dgram_server_wait(struct dgram_server *server, struct deadline until)
{
	struct sessions *s = server->sessions;
	int n;

	/* This process may have been stopped, or slow: what has arrived is
	 * received before a session is judged. */
	while (!s->is_behind && deadline_passed(next_end(s)))
		end_session(s, s->ring.newer, "idle");
	n = ready_set_wait(
	    s->set, s->ready, deadline_first(until, next_end(s)));
	s->is_behind = n == MAX_READY;
	return n;
}

/* Starts the sessions, which dgram_server_close() frees. Returns 0, or -1 with
 * *e. */
static int
open_sessions(struct dgram_server *server, struct err *e)
{
	const struct dgram_server_options *o = server->o;
	const struct listener *l = &server->listener;
	struct sessions *s = mem_array(1, sizeof(*s));
	size_t spare = SPARE_FDS + l->count, fds = fd_raise_limit(), i;
	size_t max = (size_t)o->max_sessions;

	server->sessions = s;
	s->server = server;
	s->o = o;
	s->lookup.in = -1;
	s->ring.older = s->ring.newer = &s->ring;
	fds = fds > spare ? fds - spare : 1;
	s->max = max < fds ? max : fds;
	if (fds < max)
		diag_warn("the limit of open files permits %s (--max-sessions)",
		    num_count_text(fds, "session"));
	for (s->bucket_count = 1; s->bucket_count < s->max;)
		s->bucket_count *= 2;
	s->buckets = mem_array(s->bucket_count, sizeof(void *));
	s->items = mem_array(s->max, sizeof(s->items[0]));
	if (resolve(o->to, o->listener->names, o->listener->until, &s->targets,
		e) < 0)
		return -1;
	for (i = 0; i < s->targets.count; i++)
		if (is_own(s, &s->targets.items[i]))
			return err_set(e, ERR_USAGE, "--to: %s" OWN_ERROR,
			    addr_text(&s->targets.items[i]));
	s->set = ready_set_new((uint32_t)(spare + s->max), true);
	for (i = 0; s->set != NULL && i < l->count; i++)
		if (ready_set_watch(s->set, (uint32_t)i, l->fds[i], POLLIN) < 0)
			break;
	return s->set != NULL && i == l->count
		   ? 0
		   : err_sys(e, ERR_FAILED, errno, "waiting for sockets");
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
	if (join_groups(s, e) == 0 &&
	    (o->to == NULL || open_sessions(s, e) == 0))
		return 0;
	dgram_server_close(s);
	return -1;
}

void
dgram_server_report(struct dgram_server *s)
{
	const char *text = "";
	struct json *j;

	while (s->sessions != NULL && s->sessions->count > 0)
		end_session(s->sessions, s->sessions->ring.newer, "end");
	report_losses(s, clock_now());
	report_limited(s, clock_now());
	j = diag_event_begin("summary");
	json_number(j, "received", s->received_count);
	json_number(j, "answered", s->answered_count);
	json_number(j, "ignored", s->ignored_count);
	if (s->lost_is_known)
		json_number(j, "lost", s->lost);
	if (s->o->to != NULL) {
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
	struct sessions *x = s->sessions;

	if (x != NULL) {
		if (x->lookup.in >= 0)
			resolve_cancel(&x->lookup);
		if (x->set != NULL)
			ready_set_free(x->set);
		addr_list_release(&x->found);
		addr_list_release(&x->targets);
		free(x->buckets);
		free(x->items);
		free(x);
	}
	listener_close(&s->listener, NULL);
	free(s->full_ns);
	free(s->drops);
	free(s->received);
	free(s->answers);
	memset(s, 0, sizeof(*s));
}
