/* A forwarder of datagrams: its sessions, and the address of the target. */
#include "udp/forwarder.h"

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
#include "net/os.h"
#include "net/ready.h"
#include "net/resolve.h"
#include "net/sock.h"
#include "udp/dgram_server.h"

/* Descriptors for other uses: standard streams, records, name lookups. */
#define SPARE_FDS 20
/* A target that has not answered for this time is looked up again. */
#define SILENT_NS (30 * CLOCK_SECOND)
#define OWN_ERROR \
	" is this server itself: each datagram would be forwarded for ever"

/* The session of a client, which is one address that sends to one address of
 * the server. */
struct dgram_session {
	/* The addresses of the client's datagrams: an answer gets them. */
	struct dgram client;
	/* The address of the target that its socket is connected to. */
	struct addr target;
	/* The session owns its socket; -1: it could not be opened, or the
	 * program at a Unix socket has gone. */
	int fd;
	/* The next session of its bucket, or of those that are free. */
	struct dgram_session *next;
	/* Its neighbors in the order of the last datagram. */
	struct dgram_session *older, *newer;
	int64_t start_ns, last_ns;
	/* The numbers of datagrams, and of ICMP errors. */
	uint64_t sent, received, refused;
};

struct forwarder {
	struct dgram_server *server;
	const struct endpoint *to; /* The target, which has these addresses. */
	const struct forwarder_options *o;

	/* The forwarder owns an array of sessions, and the buckets of a hash
	 * table. bucket_count is a power of two. */
	struct dgram_session *items, **buckets;
	size_t bucket_count;
	/* Of max sessions, used have ever begun, and count have not ended; the
	 * others are in the list of free ones. */
	size_t max, used, count;
	struct dgram_session *free;
	/* The head of the order of sessions: its newer one is the oldest. */
	struct dgram_session ring;

	/* The addresses of the target, and the index, modulo their number, of
	 * the one that is in use for new sessions. */
	struct addr_list targets;
	size_t target;
	bool has_answered; /* The address in use has answered. */
	bool is_failing;   /* It was reported that no socket can be opened. */
	/* What was sent to the target at this time has not been answered; 0:
	 * nothing waits for an answer. */
	int64_t silent_ns;
	/* The current lookup, unless its in is -1, and what it has found. */
	struct resolve lookup;
	struct addr_list found;

	/* The server's sockets have their indexes as ids in the set; the
	 * sessions' sockets have the ids after them. */
	struct ready_set *set;
	uint32_t ready[MAX_READY];
	bool is_behind; /* More may be waiting than was received. */
};

/* Returns the address of the target that is in use. */
static const struct addr *
current_target(const struct forwarder *f)
{
	return &f->targets.items[f->target % f->targets.count];
}

static uint32_t
id_of(const struct forwarder *f, const struct dgram_session *p)
{
	return (uint32_t)(f->server->listener.count + (size_t)(p - f->items));
}

static struct dgram_session **
bucket_of(const struct forwarder *f, const struct dgram *d)
{
	uint64_t key = addr_hash(&d->to, addr_hash(&d->from, f->server->key));

	return &f->buckets[key & (f->bucket_count - 1)];
}

static bool
is_client(const struct dgram_session *p, const struct dgram *d)
{
	return addr_equal(&p->client.from, &d->from) &&
	       addr_equal(&p->client.to, &d->to) &&
	       p->client.socket == d->socket;
}

static void
unlink_from_order(const struct dgram_session *p)
{
	p->older->newer = p->newer;
	p->newer->older = p->older;
}

/* Makes a session the newest, since a datagram was sent or received in it. */
static void
touch(struct forwarder *f, struct dgram_session *p)
{
	p->last_ns = clock_now();
	unlink_from_order(p);
	p->newer = &f->ring;
	p->older = f->ring.older;
	p->older->newer = f->ring.older = p;
}

static void
close_socket(struct forwarder *f, struct dgram_session *p)
{
	ready_set_forget(f->set, id_of(f, p));
	dgram_close(&p->fd);
}

/* Reports the end of a session, closes its socket, and frees it. */
static void
close_session(struct forwarder *f, struct dgram_session *p, const char *why)
{
	struct dgram_session **link = bucket_of(f, &p->client);
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
	close_socket(f, p);
	unlink_from_order(p);
	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	p->next = f->free;
	f->free = p;
	f->count--;
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
is_own(const struct forwarder *f, const struct addr *a)
{
	const struct listener *l = &f->server->listener;
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
	for (i = 0; is_any && i < f->server->o->group_count; i++)
		if (addr_same_host(&f->server->o->groups[i].addr, &to))
			return true;
	return is_any && sock_is_local(&to);
}

/* Closes the session that has been idle longest, for another client. */
static void
evict(struct forwarder *f)
{
	if (f->server->evicted_count++ == 0)
		diag_warn("%s (--max-sessions): a new client ends the one that "
			  "has been idle longest",
		    num_count_text(f->count, "session"));
	close_session(f, f->ring.newer, "evicted");
}

/* Begins the session of a client, with a socket to the address in use. If
 * descriptors are short, the sessions that have been idle longest end. */
static struct dgram_session *
begin_session(struct forwarder *f, const struct dgram *d)
{
	const struct dgram_options o = {.sock = f->server->o->listener->sock,
	    .group = {.ttl = -1},
	    .raise_buffer = true};
	struct dgram_session *p, **bucket = bucket_of(f, d);
	struct err e = ERR_INIT;

	if (f->count >= f->max)
		evict(f);
	p = f->free != NULL ? f->free : &f->items[f->used++];
	f->free = p->next;
	*p = (struct dgram_session){.client = *d,
	    .target = *current_target(f),
	    .next = *bucket,
	    .start_ns = clock_now()};
	*bucket = p;
	p->older = p->newer = p;
	touch(f, p);
	f->count++;
	f->server->begun_count++;
	while ((p->fd = dgram_open(&p->target, &o, &e)) < 0 &&
	       err_is_shortage(e.errnum) && f->ring.newer != p) {
		evict(f);
		f->max = f->count;
		err_clear(&e);
	}
	if (p->fd >= 0 && is_own(f, &p->target))
		err_set(&e, ERR_USAGE, "%s" OWN_ERROR, addr_text(&p->target));
	else if (p->fd >= 0 &&
		 ready_set_watch(f->set, id_of(f, p), p->fd, POLLIN) < 0)
		err_sys(&e, ERR_FAILED, errno, "%s", addr_text(&p->target));
	if (e.kind == ERR_NONE) {
		f->is_failing = false;
		diag_note("%s: forwarding to %s", addr_text(&d->from),
		    addr_text(&p->target));
		return p;
	}
	dgram_close(&p->fd);
	if (!f->is_failing)
		diag_warn("cannot forward to %s", e.text);
	f->is_failing = true;
	f->target++;
	return p;
}

/* Returns the session of a datagram's client. One without a socket, or to an
 * address that is no longer in use, is replaced. */
static struct dgram_session *
find_session(struct forwarder *f, const struct dgram *d)
{
	struct dgram_session *p = *bucket_of(f, d);

	while (p != NULL && !is_client(p, d))
		p = p->next;
	if (p != NULL &&
	    (p->fd < 0 || !addr_equal(&p->target, current_target(f)))) {
		close_session(f, p, "moved");
		p = NULL;
	}
	return p != NULL ? p : begin_session(f, d);
}

/*
 * Counts a refusal, which a call has returned as errnum or an ICMP error has
 * reported. If the address in use has never answered, the next one is tried.
 */
static void
count_refusal(struct forwarder *f, struct dgram_session *p, int errnum)
{
	struct os_error icmp;
	int error = dgram_icmp_error(p->fd, &icmp);
	const char *reason = icmp_text(&icmp, &p->target, ERR_AT_UDP);

	error = error != 0 ? error : errnum;
	if (error == 0 || error == EMSGSIZE || error == EAGAIN)
		return;
	f->server->refused_count++;
	if (p->refused++ == 0)
		diag_note("%s: %s: %s", addr_text(&p->client.from),
		    addr_text(&p->target),
		    reason != NULL ? reason
				   : err_find(error, ERR_AT_UDP)->reason);
	if (!f->has_answered && addr_equal(&p->target, current_target(f)))
		f->target++;
}

/* Sends datagrams in a session. A call that can close the socket, or finds
 * none, gets one datagram. tries is passed on to dgram_send_retry(). */
static void
send_all(struct forwarder *f, struct dgram_session *p, const struct dgram *d,
    int count, int *tries)
{
	struct err e = ERR_INIT;
	bool is_second = false;
	int done = 0, n, errnum;

	if (p->fd < 0)
		dgram_server_ignore(
		    f->server, d, "it has no socket to the target");
	while (done < count && p->fd >= 0) {
		n = dgram_send_retry(p->fd, d + done, count - done, tries);
		if (n >= 0) {
			p->sent += (uint64_t)n;
			done += n;
			is_second = false;
			continue;
		}
		errnum = errno;
		is_second = !is_second;
		if (is_second)
			count_refusal(f, p, errnum);
		/* An IP socket may report the error of an earlier one. */
		if (is_second && !addr_is_unix(&p->target))
			continue;
		errno = errnum;
		dgram_send_error(p->fd, &p->target, d[done].length, NULL, &e);
		dgram_server_ignore(f->server, &d[done++], e.text);
		is_second = false;
		/* The program at a Unix socket has gone. Another one may be
		 * there when the next datagram comes. */
		if (addr_is_unix(&p->target) && errnum != EAGAIN &&
		    errnum != ENOBUFS && errnum != EMSGSIZE)
			close_socket(f, p);
	}
}

/*
 * Called before datagrams are sent: looks the target up again if it has not
 * answered for a while, or reads from the lookup. The address in use stays if
 * it is still one of the target's.
 */
static void
check_target(struct forwarder *f, int64_t now_ns)
{
	struct pollfd in = {.fd = f->lookup.in, .events = POLLIN};
	struct err e = ERR_INIT;
	size_t i;

	if (f->lookup.in < 0) {
		if (f->silent_ns == 0)
			f->silent_ns = now_ns;
		if (now_ns - f->silent_ns < SILENT_NS)
			return;
		f->silent_ns = now_ns;
		f->has_answered = false;
		(void)resolve_start(&f->lookup, f->to,
		    f->server->o->listener->names, &f->found, &e);
		/* Its result is for the next datagrams. */
		if (f->lookup.in >= 0)
			return;
	}
	while (f->lookup.in >= 0) {
		if (poll(&in, 1, 0) <= 0)
			return;
		if (resolve_advance(
			&f->lookup, 0, f->server->o->listener->until, &e) < 0)
			diag_note("%s", e.text);
	}
	for (i = 0; i < f->found.count; i++)
		if (addr_equal(&f->found.items[i], current_target(f)))
			break;
	if (f->found.count == 0)
		return;
	addr_list_release(&f->targets);
	f->targets = f->found;
	f->found = (struct addr_list){0};
	f->target = i;
}

void
forwarder_send(struct forwarder *f, int count)
{
	struct dgram *d = f->server->received;
	struct dgram_session *p;
	int n, max, tries = 0;

	f->is_behind = f->is_behind || count == DGRAM_MAX_RECEIVE;
	check_target(f, clock_now());
	for (; count > 0; d += n, count -= n) {
		p = find_session(f, d);
		touch(f, p);
		/* Another session may begin with the next one's addresses. */
		max = p->fd < 0 || addr_is_unix(&p->target) ? 1 : count;
		for (n = 0; n < max && is_client(p, &d[n]); n++)
			d[n].remote.len = d[n].local.len = 0;
		send_all(f, p, d, n, &tries);
	}
}

int
forwarder_receive(struct forwarder *f, int i, int *count)
{
	struct dgram_server *server = f->server;
	struct dgram *d = server->answers;
	size_t id = f->ready[i], first = server->listener.count;
	struct dgram_session *p;
	int n;

	*count = 0;
	if (id < first)
		return (int)id;
	p = &f->items[id - first];
	if (p->fd < 0)
		return -1;
	*count = n = dgram_receive(p->fd, d, DGRAM_MAX_RECEIVE);
	if (n < 0) {
		*count = 0;
		count_refusal(f, p, errno);
		return -1;
	}
	f->is_behind = f->is_behind || n == DGRAM_MAX_RECEIVE;
	f->has_answered = true;
	f->silent_ns = 0;
	touch(f, p);
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
next_expiry(const struct forwarder *f)
{
	return f->count == 0
		   ? deadline_none()
		   : deadline_from(f->ring.newer->last_ns, f->o->session_ms);
}

int
forwarder_wait(struct forwarder *f, struct deadline until)
{
	int n;

	/* This process may have been stopped, or slow: what has arrived is
	 * received before a session counts as idle. */
	while (!f->is_behind && deadline_passed(next_expiry(f)))
		close_session(f, f->ring.newer, "idle");
	n = ready_set_wait(
	    f->set, f->ready, deadline_first(until, next_expiry(f)));
	f->is_behind = n == MAX_READY;
	return n;
}

/* Looks up the target, and begins to poll the server's sockets. Returns 0, or
 * -1 with *e. */
static int
start(struct forwarder *f, struct err *e)
{
	const struct listener_options *o = f->server->o->listener;
	const struct listener *l = &f->server->listener;
	size_t i;

	if (resolve(f->to, o->names, o->until, &f->targets, e) < 0)
		return -1;
	for (i = 0; i < f->targets.count; i++)
		if (is_own(f, &f->targets.items[i]))
			return err_set(e, ERR_USAGE, "--to: %s" OWN_ERROR,
			    addr_text(&f->targets.items[i]));
	f->set = ready_set_new((uint32_t)(SPARE_FDS + l->count + f->max), true);
	for (i = 0; f->set != NULL && i < l->count; i++)
		if (ready_set_watch(f->set, (uint32_t)i, l->fds[i], POLLIN) < 0)
			break;
	if (f->set == NULL || i < l->count)
		return err_sys(e, ERR_FAILED, errno, "waiting for sockets");
	return 0;
}

struct forwarder *
forwarder_new(struct dgram_server *server, const struct endpoint *to,
    const struct forwarder_options *o, struct err *e)
{
	struct forwarder *f = mem_array(1, sizeof(*f));
	size_t spare = SPARE_FDS + server->listener.count;
	size_t fds = fd_raise_limit(), max = (size_t)o->max_sessions;

	f->server = server;
	f->to = to;
	f->o = o;
	f->lookup.in = -1;
	f->ring.older = f->ring.newer = &f->ring;
	fds = fds > spare ? fds - spare : 1;
	f->max = max < fds ? max : fds;
	if (fds < max)
		diag_warn("the limit of open files permits %s (--max-sessions)",
		    num_count_text(fds, "session"));
	for (f->bucket_count = 1; f->bucket_count < f->max;)
		f->bucket_count *= 2;
	f->buckets = mem_array(f->bucket_count, sizeof(void *));
	f->items = mem_array(f->max, sizeof(f->items[0]));
	if (start(f, e) == 0)
		return f;
	forwarder_free(f);
	return NULL;
}

void
forwarder_finish(struct forwarder *f)
{
	while (f != NULL && f->count > 0)
		close_session(f, f->ring.newer, "end");
}

void
forwarder_free(struct forwarder *f)
{
	if (f == NULL)
		return;
	if (f->lookup.in >= 0)
		resolve_cancel(&f->lookup);
	if (f->set != NULL)
		ready_set_free(f->set);
	addr_list_release(&f->found);
	addr_list_release(&f->targets);
	free(f->buckets);
	free(f->items);
	free(f);
}
