/* The sessions of a datagram forwarder: a table, its sockets, its target. */
#include "udp/dgram_server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "net/icmp.h"
#include "net/listener.h"
#include "net/os.h"
#include "net/ready.h"
#include "net/resolve.h"
#include "net/sock.h"

/* Descriptors for other uses: standard streams, records, name lookups. */
#define SPARE_FDS 20
/* The target's name is looked up again when it has not answered for this time.
 */
#define SILENT_NS (30 * CLOCK_SECOND)
#define OWN_ERROR \
	" is this server itself: each datagram would be forwarded for ever"

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
	uint64_t key = dgram_hash(s->server->key, &d->from.u, d->from.len);

	key = dgram_hash(key, &d->to.u, d->to.len);
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

static bool
is_joined(const struct sessions *s, const struct addr *group)
{
	size_t i;

	for (i = 0; i < s->o->group_count; i++)
		if (addr_same_host(&s->o->groups[i].addr, group))
			return true;
	return false;
}

/* Whether this server receives what is sent to an address. */
static bool
is_own(const struct sessions *s, const struct addr *a)
{
	const struct listener *l = &s->server->listener;
	const struct addr *bound = l->addrs;
	struct addr to = *a;
	size_t i;

	/* The system sends to the loopback address instead. */
	if (addr_is_any(a))
		addr_loopback(&to, addr_family(a), addr_port(a));
	for (i = 0; i < l->count; i++, bound++) {
		if (addr_equal(bound, &to) || is_same_file(bound, &to))
			return true;
		if (addr_is_any(bound) && addr_port(bound) == addr_port(&to) &&
		    (addr_family(bound) == addr_family(&to) || l->is_dual) &&
		    (is_joined(s, &to) || sock_is_local(&to)))
			return true;
	}
	return false;
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

/* Opens the socket of a session, which is the newest, to the address in use. If
 * descriptors are short, others end. Returns 0, or -1 with *e. */
static int
connect_session(struct sessions *s, struct session *p, struct err *e)
{
	const struct dgram_options o = {.sock = s->o->listener->sock,
	    .group = {.ttl = -1},
	    .raise_buffer = true};

	p->target = *current_target(s);
	while ((p->fd = dgram_open(&p->target, &o, e)) < 0) {
		if (!err_is_shortage(e->errnum) || s->ring.newer == p)
			return -1;
		evict(s);
		s->max = s->count;
		err_clear(e);
	}
	if (is_own(s, &p->target))
		err_set(e, ERR_USAGE, "%s" OWN_ERROR, addr_text(&p->target));
	else if (ready_set_watch(s->set, id_of(s, p), p->fd, POLLIN) < 0)
		err_sys(e, ERR_FAILED, errno, "%s", addr_text(&p->target));
	else
		return 0;
	dgram_close(&p->fd);
	return -1;
}

static struct session *
begin_session(struct sessions *s, const struct dgram *d)
{
	struct session *p, **bucket = bucket_of(s, d);
	struct err e = ERR_INIT;

	if (s->count >= s->max)
		evict(s);
	p = s->free != NULL ? s->free : &s->items[s->used++];
	s->free = p->next;
	*p = (struct session){
	    .client = *d, .next = *bucket, .start_ns = clock_now()};
	*bucket = p;
	p->older = p->newer = p;
	touch(s, p);
	s->count++;
	s->server->begun_count++;
	if (connect_session(s, p, &e) == 0) {
		s->is_failing = false;
		diag_note("%s: forwarding to %s", addr_text(&d->from),
		    addr_text(&p->target));
		return p;
	}
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

/* Sends datagrams in a session, until it has no socket. Returns how many are
 * done with, at least 1. tries is that of dgram_send_patiently(). */
static int
send_all(struct sessions *s, struct session *p, const struct dgram *d,
    int count, int *tries)
{
	struct err e = ERR_INIT;
	bool is_second = false;
	int done = 0, n, errnum;

	while (done < count && p->fd >= 0) {
		n = dgram_send_patiently(p->fd, d + done, count - done, tries);
		if (n >= 0) {
			p->sent += (uint64_t)n;
			done += n;
			is_second = false;
			continue;
		}
		errnum = errno;
		/* It may be the error of an earlier one. */
		if (!is_second) {
			count_refusal(s, p, errnum);
			is_second = true;
			continue;
		}
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
	if (done > 0)
		return done;
	dgram_server_ignore(s->server, d, "it has no socket to the target");
	return 1;
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
	s->found = (struct addr_list)ADDR_LIST_INIT;
	s->target = i;
}

void
sessions_forward(struct sessions *s, int count)
{
	struct dgram *d = s->server->received;
	struct session *p;
	int n, tries = 0;

	s->is_behind = s->is_behind || count == DGRAM_MAX_RECEIVE;
	check_target(s, clock_now());
	for (; count > 0; d += n, count -= n) {
		p = find_session(s, d);
		touch(s, p);
		for (n = 0; n < count && is_client(p, &d[n]); n++)
			d[n].remote.len = d[n].local.len = 0;
		n = send_all(s, p, d, n, &tries);
	}
}

int
sessions_receive(struct sessions *s, int i, int *count)
{
	struct dgram *d = s->server->answers;
	size_t id = s->ready[i], first = s->server->listener.count;
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
	s->server->last_ns = p->last_ns;
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
sessions_wait(struct sessions *s, struct deadline until)
{
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

struct sessions *
sessions_new(struct dgram_server *server, struct err *e)
{
	const struct dgram_server_options *o = server->o;
	const struct listener *l = &server->listener;
	struct sessions *s = mem_array(1, sizeof(*s));
	size_t spare = SPARE_FDS + l->count, fds = fd_raise_limit(), i;
	size_t max = (size_t)o->max_sessions;
	int result;

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
	result = resolve(
	    o->to, o->listener->names, o->listener->until, &s->targets, e);
	for (i = 0; result == 0 && i < s->targets.count; i++)
		if (is_own(s, &s->targets.items[i]))
			result = err_set(e, ERR_USAGE, "--to: %s" OWN_ERROR,
			    addr_text(&s->targets.items[i]));
	if (result == 0)
		s->set = ready_set_new((uint32_t)(spare + s->max), true);
	for (i = 0; s->set != NULL && i < l->count; i++)
		if (ready_set_watch(s->set, (uint32_t)i, l->fds[i], POLLIN) < 0)
			break;
	if (s->set != NULL && i == l->count)
		return s;
	if (result == 0)
		err_sys(e, ERR_FAILED, errno, "preparing to wait for sockets");
	sessions_free(s);
	return NULL;
}

void
sessions_free(struct sessions *s)
{
	while (s->count > 0)
		end_session(s, s->ring.newer, "end");
	if (s->lookup.in >= 0)
		resolve_cancel(&s->lookup);
	if (s->set != NULL)
		ready_set_free(s->set);
	addr_list_release(&s->found);
	addr_list_release(&s->targets);
	free(s->buckets);
	free(s->items);
	free(s);
}
