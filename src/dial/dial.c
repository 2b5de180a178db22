/* Happy Eyeballs (RFC 8305): races connections to a list of addresses. */
#include "dial/dial.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/call.h"
#include "net/sockopt.h"
#include "net/conn_event.h"
#include "net/endpoint.h"
#include "net/port_owner.h"
#include "net/wait.h"

/* RFC 8305 section 8: the recommended Connection Attempt Delay. */
#define DELAY_MS 250

/* How long there is no answer before that is reported, with -v. */
#define NOTICE_MS INT64_C(500)

/* An attempt to connect to one address. */
struct attempt {
	const struct addr *addr; /* in the dial's list */
	int fd;                  /* -1: not started, or ended */
	int errnum;              /* why it failed; 0: not known yet */
	bool is_local;           /* it failed on this side, before connect(2) */
	int64_t start_ns;        /* when it started */
};

/* All attempts. */
struct dial {
	const struct dial_options *options;
	const struct addr_list *list; /* the caller's, outlives the dial */
	struct attempt *attempts;     /* one per address */
	size_t started;               /* attempts that were started */
	size_t pending;               /* attempts in flight */
	struct deadline until;        /* the limit of the dial */
	struct deadline next;         /* when the next one may start */
	size_t winner;                /* index of the one that connected */
	struct addr local;            /* its local address */
	struct deadline notice;       /* when it is reported that it waits */
};

/* Whether the source address is of another family, which skips this address. */
static bool
is_skipped(const struct dial *d, int family)
{
	const struct addr *source = &d->options->source;

	return source->len != 0 && family != AF_UNIX &&
	       addr_family(source) != family;
}

/* The local address and port of the options; len 0: none. */
static struct addr
local_end(const struct dial *d, int family)
{
	const struct dial_options *o = d->options;
	struct addr local = o->source;

	if (local.len == 0 && o->source_port != 0)
		addr_any(&local, family, 0);
	if (local.len != 0)
		addr_set_port(&local, o->source_port);
	return local;
}

static const struct sockopt share_port = {SOL_SOCKET, SO_REUSEADDR,
    "SO_REUSEADDR", "the local port may be that of an earlier connection",
    NULL};
static const struct sockopt only_ip6 = {IPPROTO_IPV6, IPV6_V6ONLY,
    "IPV6_V6ONLY", "leaves the local port to an IPv4 socket too", NULL};

/*
 * Binds the local address. Concurrent attempts share one local port: each
 * connects to another address, and an IPv6 socket is bound for IPv6 alone.
 */
static int
bind_source(const struct dial *d, struct attempt *t, int family)
{
	struct addr local = local_end(d, family);

	if (family == AF_UNIX || local.len == 0)
		return 0;
	if (d->options->source_port != 0)
		(void)sockopt_set(t->fd, &share_port, 1);
	if (d->options->source_port != 0 && family == AF_INET6)
		(void)sockopt_set(t->fd, &only_ip6, 1);
	if (sock_bind(t->fd, &local) == 0)
		return 0;
	t->is_local = true;
	return -1;
}

/* Ends an attempt; the next one may start at once. */
static void
end_attempt(struct dial *d, struct attempt *t, int errnum)
{
	sock_close(&t->fd);
	t->errnum = errnum;
	d->next = deadline_after(0);
}

/* Handles a connected attempt. Returns its fd, or -1 if it reached itself. */
static int
succeed(struct dial *d, struct attempt *t)
{
	int fd = t->fd;

	sock_local(fd, &d->local);
	/* Linux lets a socket connect to itself when its ephemeral port is the
	 * one that it dials: nobody listens there. */
	if (d->options->source_port == 0 && !addr_is_unix(t->addr) &&
	    addr_equal(&d->local, t->addr)) {
		sock_abort(&t->fd);
		end_attempt(d, t, CAUSE_SELF_CONNECT);
		return -1;
	}
	t->fd = -1;
	d->winner = (size_t)(t - d->attempts);
	return fd;
}

/* Opens, configures and binds the socket. 0, or -1 with errno. */
static int
open_socket(struct dial *d, struct attempt *t)
{
	int family = addr_family(t->addr);
	struct err e;

	if (is_skipped(d, family)) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	t->fd = sock_open(family, d->options->type);
	if (t->fd < 0)
		return -1;
	if (sock_set(t->fd, family, &d->options->sock, &e) < 0)
		return -1;
	return bind_source(d, t, family);
}

/* Starts the next attempt. Returns its fd if it connected at once, or -1. */
static int
start_attempt(struct dial *d)
{
	struct attempt *t = &d->attempts[d->started++];

	d->next = deadline_after(DELAY_MS);
	t->start_ns = clock_now();
	if (open_socket(d, t) < 0) {
		end_attempt(d, t, errno);
		return -1;
	}
	t->start_ns = clock_now();
	if (call_connect(t->fd, t->addr) == 0)
		return succeed(d, t);
	if (errno == EINPROGRESS || errno == EINTR)
		d->pending++;
	else
		end_attempt(d, t, errno);
	return -1;
}

static void
init(struct dial *d, const struct addr_list *list, const struct dial_options *o,
    struct deadline until)
{
	size_t i;

	memset(d, 0, sizeof(*d));
	d->options = o;
	d->until = until;
	d->list = list;
	d->attempts = mem_array(list->count, sizeof(d->attempts[0]));
	for (i = 0; i < list->count; i++) {
		d->attempts[i].addr = &list->items[i];
		d->attempts[i].fd = -1;
	}
	d->next = deadline_after(0);
	d->notice =
	    diag_shows(DIAG_NOTE) ? deadline_after(NOTICE_MS) : deadline_none();
}

/* No address has answered yet: a person wants to know what is waited for. */
static void
report_waiting(struct dial *d)
{
	char text[ADDR_TEXT];
	size_t i;

	if (!deadline_passed(d->notice))
		return;
	d->notice = deadline_none();
	for (i = 0; i < d->started; i++)
		if (d->attempts[i].fd >= 0)
			diag_note("connecting to %s: no answer yet",
			    addr_format(
				d->attempts[i].addr, text, sizeof(text)));
}

static size_t
fill_poll(const struct dial *d, struct pollfd *fds)
{
	size_t i, n = 0;

	for (i = 0; i < d->started; i++) {
		if (d->attempts[i].fd < 0)
			continue;
		fds[n].fd = d->attempts[i].fd;
		fds[n].events = POLLOUT;
		fds[n].revents = 0;
		n++;
	}
	return n;
}

static struct deadline
next_attempt(const struct dial *d)
{
	return d->started < d->list->count ? d->next : deadline_none();
}

/* Checks an attempt in flight. Returns its fd if it is connected, or -1. */
static int
check(struct dial *d, struct attempt *t)
{
	struct pollfd pfd = {.fd = t->fd, .events = POLLOUT};
	int errnum;

	if (poll(&pfd, 1, 0) <= 0)
		return -1;
	d->pending--;
	errnum = sock_connect_error(t->fd, t->addr);
	call_connected(t->fd, t->addr, t->start_ns, errnum);
	if (errnum == 0)
		return succeed(d, t);
	end_attempt(d, t, errnum);
	return -1;
}

static int
advance(struct dial *d)
{
	size_t i;
	int fd;

	for (i = 0; i < d->started; i++) {
		if (d->attempts[i].fd < 0)
			continue;
		fd = check(d, &d->attempts[i]);
		if (fd >= 0)
			return fd;
	}
	while (d->started < d->list->count && deadline_passed(d->next)) {
		fd = start_attempt(d);
		if (fd >= 0)
			return fd;
	}
	errno = d->pending > 0 || d->started < d->list->count ? EINPROGRESS
							      : ECONNREFUSED;
	return -1;
}

/* Whether only connections in TIME-WAIT hold the local port. */
static bool
is_time_wait(const struct dial *d, const struct attempt *t)
{
	struct addr local = local_end(d, addr_family(t->addr));
	char owner[256];

	return !addr_is_unix(t->addr) &&
	       !port_owner_find(&local, SOCK_STREAM, owner, sizeof(owner)) &&
	       port_owner_in_time_wait(addr_port(&local), NULL);
}

/* The cause of a failed attempt: its errno, or a more precise number of
 * base/err.h. */
static int
attempt_cause(const struct dial *d, const struct attempt *t)
{
	const struct dial_options *o = d->options;
	bool is_unix = addr_is_unix(t->addr);

	switch (t->errnum) {
	case 0:
		return CAUSE_NO_ANSWER;
	case EAGAIN:
		return is_unix ? CAUSE_QUEUE_FULL : EAGAIN;
	case ECONNREFUSED:
		return addr_is_other_file(t->addr) ? CAUSE_NOT_A_SOCKET
						   : ECONNREFUSED;
	case EACCES:
		return t->is_local && o->source_port < 1024 ? CAUSE_LOW_PORT
							    : EACCES;
	case EAFNOSUPPORT:
		return is_skipped(d, addr_family(t->addr)) ? CAUSE_OTHER_FAMILY
							   : EAFNOSUPPORT;
	case EADDRINUSE:
		return is_time_wait(d, t) ? CAUSE_TIME_WAIT : EADDRINUSE;
	case EADDRNOTAVAIL:
		/* From connect(2): that connection already exists. */
		if (t->is_local || o->source_port == 0)
			return EADDRNOTAVAIL;
		return port_owner_in_time_wait(o->source_port, t->addr)
			   ? CAUSE_TIME_WAIT
			   : CAUSE_PORT_BUSY;
	default:
		return t->errnum;
	}
}

/* Where the cause was met. */
static enum err_place
attempt_place(const struct attempt *t)
{
	if (t->is_local)
		return ERR_AT_LOCAL;
	return addr_is_unix(t->addr) ? ERR_AT_UNIX : ERR_AT_TCP;
}

static enum err_kind
attempt_kind(const struct dial *d, const struct attempt *t)
{
	return t->is_local ? ERR_LOCAL
			   : err_kind_of(attempt_cause(d, t), attempt_place(t));
}

/* "local port 40000", "local address 8.8.8.8", or both. */
static void
append_local(const struct dial *d, char *buf, size_t size)
{
	const struct dial_options *o = d->options;
	char ip[ADDR_TEXT];

	text_append(buf, size, "cannot use local ");
	if (o->source.len != 0)
		text_append(buf, size, "address %s",
		    addr_format_ip(&o->source, ip, sizeof(ip)));
	if (o->source_port != 0)
		text_append(buf, size, "%sport %u",
		    o->source.len != 0 ? " " : "", o->source_port);
	text_append(buf, size, ": ");
}

/* Formats how an attempt failed, to follow its address. */
static void
describe(const struct dial *d, const struct attempt *t, char *buf, size_t size)
{
	int cause = attempt_cause(d, t);
	const char *meaning = err_meaning(cause, attempt_place(t));
	struct err limit;

	buf[0] = '\0';
	if (cause == CAUSE_NO_ANSWER && !deadline_is_max_time(d->until)) {
		deadline_error(
		    d->until, err_reason(cause, attempt_place(t)), &limit);
		text_append(buf, size, "%s", limit.text);
		return;
	}
	if (t->is_local || cause == CAUSE_TIME_WAIT || cause == CAUSE_PORT_BUSY)
		append_local(d, buf, size);
	text_append(buf, size, "%s", err_reason(cause, attempt_place(t)));
	if (meaning != NULL && cause != CAUSE_NO_ANSWER)
		text_append(buf, size, " (%s)", meaning);
}

/* Ranks a kind by how much it says about the peer. */
static int
rank(enum err_kind kind)
{
	static const enum err_kind order[] = {ERR_REFUSED, ERR_LOST,
	    ERR_TIMEOUT, ERR_UNREACHABLE, ERR_LOCAL, ERR_FAILED};
	int i;

	for (i = 0; i < (int)(sizeof(order) / sizeof(order[0])); i++)
		if (order[i] == kind)
			return i;
	return i;
}

/* Space for "; and N more" and for the callers' prefixes. */
#define MORE 320

static int
error_of(const struct dial *d, struct err *e)
{
	enum err_kind kind;
	char what[256], ip[ADDR_TEXT];
	size_t i, left_out = 0, silent = 0;

	err_set(e, ERR_TIMEOUT, "%s", "");
	for (i = 0; i < d->started; i++) {
		const struct attempt *t = &d->attempts[i];

		kind = attempt_kind(d, t);
		silent += t->errnum == 0;
		if (i == 0 || rank(kind) < rank(e->kind)) {
			e->kind = kind;
			e->errnum = t->errnum == 0 ? ETIMEDOUT : t->errnum;
		}
		describe(d, t, what, sizeof(what));
		addr_format_ip(t->addr, ip, sizeof(ip));
		if (!bounds_fit(sizeof(e->text) - MORE, strlen(e->text),
			strlen(what) + strlen(ip))) {
			left_out++;
			continue;
		}
		text_append(e->text, sizeof(e->text), "%s%s%s%s",
		    i > 0 ? "; " : "", d->list->count > 1 ? ip : "",
		    d->list->count > 1 ? " " : "", what);
	}
	if (left_out > 0)
		text_append(
		    e->text, sizeof(e->text), "; and %zu more", left_out);
	if (silent == d->started)
		err_append(e, "%s", err_meaning(CAUSE_NO_ANSWER, ERR_AT_TCP));
	return -1;
}

static void
release(struct dial *d)
{
	size_t i;

	for (i = 0; d->attempts != NULL && i < d->started; i++)
		sock_close(&d->attempts[i].fd);
	free(d->attempts);
	d->attempts = NULL;
}

/* Waits until an attempt connects. Returns its fd, or -1 with *e. */
static int
run(struct dial *d, struct err *e)
{
	struct pollfd *fds =
	    mem_array(d->list->count + 1, sizeof(struct pollfd));
	int fd, ready;

	for (;;) {
		fd = advance(d);
		if (fd >= 0 || errno != EINPROGRESS)
			break;
		ready = wait_poll(fds, fill_poll(d, fds),
		    deadline_first(
			d->until, deadline_first(d->notice, next_attempt(d))));
		report_waiting(d);
		if (ready < 0) {
			err_sys(e, ERR_FAILED, errno, "connecting");
			free(fds);
			return -1;
		}
		if (ready == 0 && deadline_passed(d->until))
			break;
	}
	free(fds);
	return fd >= 0 ? fd : error_of(d, e);
}

/* Prefixes the name of the peer, and --max-time if that ended the dial. */
static void
name_error(const struct dial *d, const struct endpoint *ep, struct err *e)
{
	char name[ENDPOINT_TEXT], text[ERR_TEXT];

	err_prefix(e, "%s",
	    d->options->name != NULL ? d->options->name
				     : endpoint_format(ep, name, sizeof(name)));
	if (e->kind != ERR_TIMEOUT || !deadline_is_max_time(d->until) ||
	    !deadline_passed(d->until))
		return;
	snprintf(text, sizeof(text), "%s", e->text);
	deadline_error(d->until, text, e);
	e->errnum = ETIMEDOUT;
}

int
dial_connect(const struct endpoint *ep, const struct dial_options *o,
    struct deadline until, struct dial_result *result, struct err *e)
{
	struct addr_list list = ADDR_LIST_INIT;
	struct dial_result r = {.ns = 0};
	struct dial d;
	int64_t start = clock_now();
	int fd = -1;

	if (resolve(ep, &o->names, until, &list, e) < 0) {
		if (o->name != NULL)
			err_prefix(e, "%s", o->name);
	} else {
		r.resolve_ns = clock_now() - start;
		init(&d, &list, o, until);
		fd = run(&d, e);
		if (fd < 0)
			name_error(&d, ep, e);
		else
			r.remote = list.items[d.winner];
		r.local = d.local;
		release(&d);
	}
	addr_list_release(&list);
	if (fd < 0)
		return -1;
	r.ns = clock_now() - start;
	conn_event_connected(&(struct conn){r.local, r.remote, start, 0}, true);
	if (result != NULL)
		*result = r;
	return fd;
}
