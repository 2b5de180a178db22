/* Happy Eyeballs (RFC 8305): races connections to a list of addresses. */
#include "dial/dial.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "dial/proxy.h"
#include "net/icmp.h"
#include "net/os.h"
#include "net/link.h"
#include "net/port_owner.h"

/* RFC 8305 section 8: the recommended Connection Attempt Delay. */
#define DELAY_MS 250

/* An attempt to connect to one address. */
struct attempt {
	/* The address, in the list of the dial. */
	const struct addr *addr;
	/* The socket, or -1 if the attempt has not started or has ended. */
	int fd;
	int64_t start_ns;
	/* The errno that ended it, and the cause: that errno or a more precise
	 * one of base/err.h. Until then they are 0 and CAUSE_NO_ANSWER. */
	int errnum, cause;
	/* Where it failed, or may still fail. */
	enum err_place place;
	/* The ICMP error that ended it; its errnum is 0 if there was none. */
	struct os_error icmp;
	/* The error of a socket option that was refused; owned. Or NULL. */
	char *option_error;
	/* The peer has answered, and then reset the connection. */
	bool is_reset;
};

/* The lookup, and all attempts. */
struct dial {
	const struct endpoint *endpoint;
	const struct dial_options *options;
	struct deadline until;

	/* The lookup, its error if it has failed, and the addresses found. */
	struct resolve lookup;
	struct err lookup_error;
	struct addr_list list;

	/* One attempt for each address; owned. NULL during the lookup. */
	struct attempt *attempts;
	/* How many attempts have started, and how many are in flight. */
	size_t started, pending;
	/* When the next attempt may start. */
	struct deadline next;

	/* The connection. Its fd is -1 until an attempt has connected. */
	struct link link;
};

/* The local address and port of the options; len 0: none. */
static struct addr
local_address(const struct dial *d, int family)
{
	const struct sock_options *o = d->options->sock;
	struct addr local = o->source;

	if (local.len == 0 && o->source_port != 0)
		addr_any(&local, family, 0);
	if (local.len != 0)
		addr_set_port(&local, (uint16_t)o->source_port);
	return local;
}

/* The cause of a failed attempt: its errno, or a more precise one. */
static int
attempt_cause(const struct dial *d, const struct attempt *t)
{
	const struct sock_options *o = d->options->sock;
	bool is_unix = addr_is_unix(t->addr);
	struct addr local = local_address(d, addr_family(t->addr));

	switch (t->errnum) {
	case EAGAIN:
		return is_unix ? CAUSE_QUEUE_FULL : EAGAIN;
	case ECONNREFUSED:
		return addr_is_other_file(t->addr) ? CAUSE_NOT_A_SOCKET
						   : ECONNREFUSED;
	case EACCES:
		return t->place == ERR_AT_LOCAL && o->source_port < 1024
			   ? CAUSE_LOW_PORT
			   : EACCES;
	case EINVAL:
		return addr_lacks_scope(t->addr) ? CAUSE_NO_INTERFACE : EINVAL;
	case EADDRINUSE:
		return !is_unix &&
			       port_owner_find(&local, SOCK_STREAM) == NULL &&
			       port_owner_in_time_wait(addr_port(&local), NULL)
			   ? CAUSE_TIME_WAIT
			   : EADDRINUSE;
	case EADDRNOTAVAIL:
		/* From connect(2): that connection already exists. */
		if (t->place == ERR_AT_LOCAL || o->source_port == 0)
			return EADDRNOTAVAIL;
		return port_owner_in_time_wait(
			   (uint16_t)o->source_port, t->addr)
			   ? CAUSE_TIME_WAIT
			   : CAUSE_PORT_BUSY;
	default:
		return t->errnum;
	}
}

/* Ends an attempt; the next one may start at once. */
static void
fail_attempt(struct dial *d, struct attempt *t, int errnum)
{
	sock_close(&t->fd);
	t->errnum = errnum;
	t->cause = attempt_cause(d, t);
	d->next = deadline_after(0);
}

/*
 * Handles the end of an attempt with errnum. A peer that has reset the
 * connection had accepted it; a connected socket may be its own peer.
 */
static void
finish_attempt(struct dial *d, struct attempt *t, int errnum)
{
	if (errnum != 0 &&
	    !(d->options->accepts_reset &&
		err_find(errnum, ERR_AT_TCP)->origin == ERR_BY_PEER)) {
		fail_attempt(d, t, errnum);
		return;
	}
	/* From now on a forged error would end the connection. */
	(void)os_receive_errors(t->fd, addr_family(t->addr), false);
	sock_local(t->fd, &d->link.local);
	if (sock_is_self_connect(t->fd)) {
		sock_abort(&t->fd);
		fail_attempt(d, t, CAUSE_SELF_CONNECT);
		return;
	}
	d->link.fd = t->fd;
	d->link.remote = *t->addr;
	if (t->is_reset)
		d->link.reset = LINK_RESET_BY_PEER;
	t->fd = -1;
}

/*
 * Why an attempt has ended: the ICMP error of its queue, or else errnum. Since
 * Linux 6.9 a temporary ICMP error does not end connect(2) (RFC 1122 4.2.3.9),
 * but poll(2) reports it. It counts, since the user would learn nothing else.
 */
static int
icmp_or(struct attempt *t, int errnum, short revents)
{
	if ((errnum != 0 || (revents & POLLERR)) && !addr_is_unix(t->addr) &&
	    icmp_read(t->fd, t->addr, &t->icmp))
		return t->icmp.errnum;
	return errnum;
}

/*
 * The errno of an attempt that has ended, or 0. A peer that has answered is
 * connected although it may have reset the connection since. Whoever reads
 * finds out by the error, unless it was consumed here: then the link keeps it.
 */
static int
connect_errno(struct attempt *t, short revents)
{
	int errnum = 0;

	if ((revents & POLLHUP) == 0 || fd_available(t->fd) == 0)
		errnum = icmp_or(t, sock_error(t->fd), revents);
	/* It may have done both meanwhile. */
	if (errnum != 0 &&
	    err_find(errnum, ERR_AT_TCP)->origin == ERR_BY_PEER &&
	    fd_available(t->fd) > 0) {
		t->is_reset = true;
		errnum = 0;
	}
	return errnum;
}

/*
 * Opens, configures and binds the socket of the next attempt, and connects it.
 * Concurrent attempts share one local port: each connects to another address,
 * and an IPv6 socket is bound for IPv6 alone.
 */
static void
start_attempt(struct dial *d)
{
	static const struct sock_option share_port = {SOL_SOCKET, SO_REUSEADDR,
	    "SO_REUSEADDR",
	    "the local port may be that of an earlier connection", NULL};
	const struct addr *a = &d->list.items[d->started];
	struct attempt *t = &d->attempts[d->started++];
	const struct sock_options *o = d->options->sock;
	int family = addr_family(a);
	struct addr local = local_address(d, family);
	bool binds = family != AF_UNIX && local.len != 0;
	struct err e;

	*t = (struct attempt){.addr = a,
	    .fd = -1,
	    .cause = CAUSE_NO_ANSWER,
	    .place = family == AF_UNIX ? ERR_AT_UNIX : ERR_AT_TCP};
	d->next = deadline_after(DELAY_MS);
	if (family != AF_UNIX && o->source.len != 0 &&
	    addr_family(&o->source) != family) {
		fail_attempt(d, t, CAUSE_OTHER_FAMILY);
		return;
	}
	t->fd = sock_open(family, SOCK_STREAM);
	if (t->fd < 0) {
		fail_attempt(d, t, errno);
		return;
	}
	if (sock_set(t->fd, family, o, &e) < 0) {
		t->option_error = mem_text(e.text);
		fail_attempt(d, t, e.errnum);
		return;
	}
	if (binds && o->source_port != 0)
		(void)sock_set_int(t->fd, &share_port, 1);
	/* An IPv4 socket may then also use the local port. */
	if (binds && o->source_port != 0 && family == AF_INET6)
		(void)sock_set_quietly(t->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	(void)os_receive_errors(t->fd, family, true);
	if (binds && sock_bind(t->fd, &local) < 0)
		t->place = ERR_AT_LOCAL;
	t->start_ns = clock_now();
	if (t->place == ERR_AT_LOCAL)
		fail_attempt(d, t, errno);
	else if (sock_connect(t->fd, t->addr) == 0)
		finish_attempt(d, t, 0);
	else if (errno == EINPROGRESS || errno == EINTR)
		d->pending++;
	else
		finish_attempt(d, t, icmp_or(t, errno, 0));
}

/* The failure of t, and of the addresses in ips if there are several. */
static const char *
describe(const struct dial *d, const struct attempt *t, const char *ips)
{
	static const char answered[] = "the host answered";
	const struct sock_options *o = d->options->sock;
	const struct err_row *row = err_find(t->cause, t->place);
	const char *reason = row->reason, *meaning = row->meaning;
	const char *ip = "", *port = "", *local = "", *icmp;
	struct err limit;

	if (t->option_error != NULL)
		return text_format(
		    "%s%s%s", ips, ips[0] != '\0' ? ": " : "", t->option_error);
	if (t->cause == CAUSE_NO_ANSWER) {
		if (ips[0] != '\0')
			reason = text_format("%s from %s", reason, ips);
		if (deadline_is_max_time(d->until))
			return reason;
		deadline_error(d->until, reason, &limit);
		return text_format("%s", limit.text);
	}
	icmp = icmp_text(&t->icmp, t->addr, ERR_AT_TCP);
	if (icmp != NULL)
		return text_format(
		    "%s%s%s", ips, ips[0] != '\0' ? " " : "", icmp);
	if (ips[0] != '\0' && meaning != NULL &&
	    strncmp(meaning, answered, sizeof(answered) - 1) == 0)
		return text_format("%s (%s answered%s)", reason, ips,
		    meaning + sizeof(answered) - 1);
	if (o->source.len != 0)
		ip = text_format(" address %s", addr_ip_text(&o->source));
	if (o->source_port != 0)
		port = text_format(" port %d", (int)o->source_port);
	if (t->place == ERR_AT_LOCAL || t->cause == CAUSE_TIME_WAIT ||
	    t->cause == CAUSE_PORT_BUSY)
		local = text_format("cannot use local%s%s: ", ip, port);
	if (meaning != NULL)
		reason = text_format("%s (%s)", reason, meaning);
	return text_format(
	    "%s%s%s%s", ips, ips[0] != '\0' ? " " : "", local, reason);
}

static bool
failed_alike(
    const struct dial *d, const struct attempt *a, const struct attempt *b)
{
	return strcmp(describe(d, a, ""), describe(d, b, "")) == 0;
}

/* Addresses that are named for one cause. */
#define MAX_SHOWN 4

/* Sets text to the addresses that failed as t: "127.0.0.1 and ::1"; or to "" if
 * they do not matter, as to an option that was refused for all. */
static void
list_addresses(const struct dial *d, const struct attempt *t, char *text)
{
	const struct addr *shown[MAX_SHOWN];
	size_t i, count = 0;

	for (i = 0; i < d->started; i++)
		if (failed_alike(d, &d->attempts[i], t) && count++ < MAX_SHOWN)
			shown[count - 1] = d->attempts[i].addr;
	text[0] = '\0';
	if (d->list.count == 1 ||
	    (t->option_error != NULL && count == d->started))
		return;
	for (i = 0; i < count && i < MAX_SHOWN; i++)
		text_append(text, TEXT_SLOT, "%s%s",
		    i == 0           ? ""
		    : i + 1 == count ? " and "
				     : ", ",
		    addr_ip_text(shown[i]));
	if (count > MAX_SHOWN)
		text_append(
		    text, TEXT_SLOT, " and %zu more", count - MAX_SHOWN);
}

/* Sets *e to how each attempt failed. Returns -1. */
static int
error_of(const struct dial *d, struct err *e)
{
	size_t i, silent = 0;
	int shortage = 0;
	enum err_kind kind;
	const struct attempt *first;
	char ips[TEXT_SLOT];

	err_set(e, ERR_TIMEOUT, "%s", "");
	for (i = 0; i < d->started; i++) {
		const struct attempt *t = &d->attempts[i];
		const struct err_row *row;

		row = err_find(t->cause, t->place);
		kind = row->kind;
		if (t->place == ERR_AT_LOCAL || t->option_error != NULL)
			kind = ERR_LOCAL;
		silent += t->errnum == 0;
		if (err_is_shortage(t->errnum))
			shortage = t->errnum;
		if (i == 0 || err_rank(kind) < err_rank(e->kind)) {
			e->kind = kind;
			e->waits = row->waits;
			e->errnum = t->errnum == 0 ? ETIMEDOUT : t->errnum;
		}
		for (first = d->attempts; !failed_alike(d, first, t);)
			first++;
		if (first < t)
			continue;
		list_addresses(d, t, ips);
		text_append(e->text, sizeof(e->text), "%s%s", i > 0 ? "; " : "",
		    describe(d, t, ips));
	}
	if (silent == d->started)
		err_append(
		    e, "%s", err_find(CAUSE_NO_ANSWER, ERR_AT_TCP)->meaning);
	if (shortage != 0)
		e->errnum = shortage;
	return -1;
}

/* The addresses are known. */
static void
begin_attempts(struct dial *d)
{
	d->link.resolve_ns = clock_now() - d->link.start_ns;
	d->next = deadline_after(0);
	d->attempts = mem_array(d->list.count, sizeof(d->attempts[0]));
}

struct dial *
dial_start(const struct endpoint *ep, const struct dial_options *o,
    struct deadline until)
{
	struct dial *d = mem_array(1, sizeof(*d));

	d->endpoint = ep;
	d->options = o;
	d->until = until;
	d->link = (struct link){.fd = -1, .start_ns = clock_now()};
	if (resolve_start(
		&d->lookup, ep, o->names, &d->list, &d->lookup_error) == 0 &&
	    d->lookup.in < 0)
		begin_attempts(d);
	return d;
}

size_t
dial_capacity(const struct dial *d)
{
	return d->attempts == NULL ? 1 : d->pending;
}

size_t
dial_poll(const struct dial *d, struct pollfd *fds, struct deadline *wake)
{
	size_t i, n = 0;

	*wake = deadline_first(*wake, d->until);
	if (d->attempts == NULL) {
		/* A lookup that has failed at once needs no wait. */
		if (d->lookup_error.kind != ERR_NONE)
			*wake = deadline_after(0);
		fds[n++] = (struct pollfd){d->lookup.in, POLLIN, 0};
		return n;
	}
	for (i = 0; i < d->started; i++)
		if (d->attempts[i].fd >= 0)
			fds[n++] =
			    (struct pollfd){d->attempts[i].fd, POLLOUT, 0};
	if (d->started < d->list.count)
		*wake = deadline_first(*wake, d->next);
	return n;
}

enum dial_state
dial_advance(struct dial *d, const struct pollfd *fds)
{
	bool has_polled = d->started > 0;
	struct attempt *t;
	int errnum;

	if (d->attempts == NULL && d->lookup_error.kind == ERR_NONE) {
		if (fds == NULL ||
		    (fds->revents == 0 && !deadline_passed(d->until)))
			return DIAL_WAITING;
		if (resolve_advance(&d->lookup,
			fds->revents != 0 ? 0 : ETIMEDOUT, d->until,
			&d->lookup_error) == 0) {
			if (d->lookup.in >= 0)
				return DIAL_WAITING;
			begin_attempts(d);
		}
	}
	if (d->lookup_error.kind != ERR_NONE)
		return DIAL_FAILED;
	for (t = d->attempts; t < d->attempts + d->started; t++) {
		if (fds == NULL || t->fd < 0 || fds++->revents == 0)
			continue;
		d->pending--;
		errnum = connect_errno(t, fds[-1].revents);
		sock_connected(
		    t->fd, t->addr, t->start_ns, icmp_cause(&t->icmp, errnum));
		finish_attempt(d, t, errnum);
		if (d->link.fd >= 0)
			return DIAL_CONNECTED;
	}
	while (d->started < d->list.count && deadline_passed(d->next)) {
		start_attempt(d);
		if (d->link.fd >= 0)
			return DIAL_CONNECTED;
	}
	return d->pending > 0 && !(has_polled && deadline_passed(d->until))
		   ? DIAL_WAITING
		   : DIAL_FAILED;
}

bool
dial_is_refused(const struct dial *d)
{
	const struct attempt *t, *end = d->attempts + d->started;
	bool is_refused = false;

	for (t = d->attempts; t < end; t++)
		if (err_find(t->cause, t->place)->origin == ERR_BY_REFUSAL)
			is_refused = true;
		/* The address cannot be reached from here at all. */
		else if (t->cause != EADDRNOTAVAIL &&
			 t->cause != EAFNOSUPPORT && t->cause != ENETUNREACH)
			return false;
	return is_refused;
}

int
dial_finish(struct dial **dial, struct link *l, struct err *e)
{
	struct dial *d = *dial;
	const struct proxy *proxy = d->options->proxy;
	struct err cause;

	*l = d->link;
	d->link.fd = -1;
	if (l->fd >= 0) {
		link_log_connected(l, true);
		l->dial_ns = clock_now() - l->start_ns;
	} else if (d->attempts == NULL) {
		*e = d->lookup_error;
		if (proxy != NULL)
			err_prefix(e, "%s", proxy_text(proxy));
	} else {
		error_of(d, e);
		err_prefix(e, "%s",
		    proxy != NULL ? proxy_text(proxy)
				  : endpoint_text(d->endpoint));
		if (e->kind == ERR_TIMEOUT && deadline_is_max_time(d->until) &&
		    deadline_passed(d->until)) {
			cause = *e;
			deadline_error(d->until, cause.text, e);
			e->errnum = ETIMEDOUT;
		}
	}
	dial_free(dial);
	return l->fd < 0 ? -1 : 0;
}

void
dial_free(struct dial **d)
{
	struct dial *old = *d;
	size_t i;

	if (old == NULL)
		return;
	resolve_cancel(&old->lookup);
	for (i = 0; i < old->started; i++) {
		sock_close(&old->attempts[i].fd);
		free(old->attempts[i].option_error);
	}
	sock_close(&old->link.fd);
	free(old->attempts);
	addr_list_release(&old->list);
	free(old);
	*d = NULL;
}
