/* Opens server sockets: bind, listen, announce. */
#include "net/listener.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/step.h"
#include "base/text.h"
#include "net/call.h"
#include "net/sockopt.h"
#include "net/conn_event.h"
#include "net/endpoint.h"
#include "net/port_owner.h"

/*
 * More than any system allows: listen(2) lowers it to the current limit, which
 * may exceed the SOMAXCONN of the C library's headers.
 */
#define MAX_BACKLOG INT_MAX

/* Attempts to find a port number that is free on both families. */
#define MAX_TRIES 32

static const struct sockopt reuse_address = {SOL_SOCKET, SO_REUSEADDR,
    "SO_REUSEADDR",
    "bind works although earlier connections of this port are "
    "in TIME-WAIT",
    NULL};
static const struct sockopt share_group = {SOL_SOCKET, SO_REUSEADDR,
    "SO_REUSEADDR", "other receivers of this group may use the port too", NULL};
static const struct sockopt only_ip6 = {IPPROTO_IPV6, IPV6_V6ONLY,
    "IPV6_V6ONLY", "1: this socket takes IPv6 alone; 0: IPv4 as well", NULL};

/*
 * SO_REUSEADDR lets a TCP server restart while old connections are in TIME-WAIT
 * (RFC 9293 3.6.1). For UDP it lets two servers share a port, which only makes
 * sense for a multicast group.
 */
static int
prepare(const struct listener *l, int fd, const struct addr *a, struct err *e)
{
	char text[ADDR_TEXT];

	addr_format(a, text, sizeof(text));
	if (addr_family(a) == AF_INET6 &&
	    sockopt_set(fd, &only_ip6, l->is_dual ? 0 : 1) < 0)
		return err_sys(e, ERR_LOCAL, errno, "%s: IPV6_V6ONLY", text);
	if ((addr_is_multicast(a) ||
		(l->type == SOCK_STREAM && !addr_is_unix(a))) &&
	    sockopt_set(fd,
		addr_is_multicast(a) ? &share_group : &reuse_address, 1) < 0)
		return err_sys(e, ERR_LOCAL, errno, "%s: SO_REUSEADDR", text);
	return 0;
}

/* Sets *e for the errno of bind(2) or listen(2). */
static int
bind_error(const struct addr *a, int type, int errnum, struct err *e)
{
	char text[ADDR_TEXT], owner[256];
	int cause = errnum;

	addr_format(a, text, sizeof(text));
	if (errnum == EADDRINUSE &&
	    port_owner_find(a, type, owner, sizeof(owner))) {
		err_set(e, ERR_LOCAL, "%s: %s (held by %s)", text,
		    err_reason(errnum, ERR_AT_LOCAL), owner);
		e->errnum = errnum;
		return -1;
	}
	if (errnum == EACCES && addr_port(a) != 0 && addr_port(a) < 1024)
		cause = CAUSE_LOW_PORT;
	if (errnum == EADDRINUSE && unix_path_is_other(a))
		cause = CAUSE_PATH_EXISTS;
	else if (errnum == EADDRINUSE && type == SOCK_STREAM &&
		 port_owner_in_time_wait(addr_port(a), NULL))
		cause = CAUSE_TIME_WAIT;
	err_sys(e, ERR_LOCAL, cause, "%s", text);
	e->errnum = errnum;
	return -1;
}

static int
start_listening(int fd, const struct listener_options *o)
{
	if (o->type == SOCK_DGRAM) {
		step_name(fd, "the datagram socket", 0);
		return 0;
	}
	return call_listen(fd, o->backlog < 0 ? MAX_BACKLOG : (int)o->backlog);
}

/* Binds to a path, which may be stale, and listens. */
static int
listen_on_path(struct listener *l, int fd, const struct addr *a,
    const struct listener_options *o)
{
	int saved;

	if (unix_path_bind(&l->path, fd, a, o->mode) < 0 &&
	    (errno != EADDRINUSE || unix_path_clear(a, o->type) < 0 ||
		unix_path_bind(&l->path, fd, a, o->mode) < 0))
		return -1;
	if (start_listening(fd, o) == 0)
		return 0;
	saved = errno;
	unix_path_remove(&l->path, a);
	errno = saved;
	return -1;
}

static int
bind_listen(struct listener *l, int fd, const struct addr *a,
    const struct listener_options *o)
{
	if (unix_path_has(a))
		return listen_on_path(l, fd, a, o);
	return sock_bind(fd, a) < 0 ? -1 : start_listening(fd, o);
}

void
listener_add(struct listener *l, int fd)
{
	l->fds = mem_resize(l->fds, l->count + 1, sizeof(l->fds[0]));
	l->addrs = mem_resize(l->addrs, l->count + 1, sizeof(l->addrs[0]));
	sock_local(fd, &l->addrs[l->count]);
	l->fds[l->count++] = fd;
}

void
listener_set_connection(struct listener *l, const struct addr *peer)
{
	l->is_connection = true;
	l->peer = *peer;
}

/* Adds one socket. Returns 0, or -1 with *e set, including its errnum. */
static int
add(struct listener *l, const struct addr *a, const struct listener_options *o,
    struct err *e)
{
	int fd = sock_open(addr_family(a), o->type);
	char text[ADDR_TEXT];

	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "%s",
		    addr_format(a, text, sizeof(text)));
	if (prepare(l, fd, a, e) < 0 ||
	    sock_set(fd, addr_family(a), &o->sock, e) < 0) {
		sock_close(&fd);
		return -1;
	}
	if (bind_listen(l, fd, a, o) < 0) {
		bind_error(a, o->type, errno, e);
		sock_close(&fd);
		return -1;
	}
	listener_add(l, fd);
	if (l->addrs[l->count - 1].len != 0)
		return 0;
	/* The system has chosen the port. */
	l->addrs[l->count - 1] = *a;
	return err_sys(e, ERR_LOCAL, errno, "%s: getsockname",
	    addr_format(a, text, sizeof(text)));
}

/* Whether the machine lacks the address family. */
static bool
lacks_family(const struct err *e)
{
	return e->errnum == EAFNOSUPPORT || e->errnum == EADDRNOTAVAIL;
}

/* Opens both loopback addresses on one port number, if the machine has both. */
static int
open_both(struct listener *l, uint16_t port, const struct listener_options *o,
    struct err *e)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct addr a;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (o->names.family != AF_UNSPEC &&
		    o->names.family != families[i])
			continue;
		addr_loopback(&a, families[i],
		    l->count > 0 ? addr_port(&l->addrs[0]) : port);
		if (add(l, &a, o, e) < 0 &&
		    (o->names.family != AF_UNSPEC || !lacks_family(e)))
			return -1;
	}
	return l->count > 0 ? 0 : -1;
}

/*
 * The same for port 0: a port that is free for one family may be in use for the
 * other.
 */
static int
open_loopback(struct listener *l, uint16_t port,
    const struct listener_options *o, struct err *e)
{
	int tries = port == 0 ? MAX_TRIES : 1;

	while (tries-- > 0) {
		if (open_both(l, port, o, e) == 0)
			return 0;
		listener_close(l);
		if (e->errnum != EADDRINUSE)
			return -1;
	}
	return -1;
}

/* Opens every interface: one dual-stack socket if there is IPv6. */
static int
open_any(struct listener *l, uint16_t port, const struct listener_options *o,
    struct err *e)
{
	struct addr a;

	if (o->names.family != AF_INET) {
		addr_any(&a, AF_INET6, port);
		l->is_dual = o->names.family == AF_UNSPEC;
		if (add(l, &a, o, e) == 0)
			return 0;
		if (o->names.family == AF_INET6 || !lacks_family(e))
			return -1;
	}
	l->is_dual = false;
	addr_any(&a, AF_INET, port);
	return add(l, &a, o, e);
}

/* Opens every address of a list, on one port number. */
static int
open_list(struct listener *l, const struct addr_list *list,
    const struct listener_options *o, struct err *e)
{
	struct addr a;
	size_t i;

	for (i = 0; i < list->count; i++) {
		a = list->items[i];
		if (l->count > 0 && addr_port(&a) == 0)
			addr_set_port(&a, addr_port(&l->addrs[0]));
		if (add(l, &a, o, e) < 0)
			return -1;
	}
	return 0;
}

/* Opens every address of a name. */
static int
open_named(struct listener *l, const struct endpoint *ep,
    const struct listener_options *o, struct err *e)
{
	struct addr_list list = ADDR_LIST_INIT;
	int result = resolve(ep, &o->names, o->until, &list, e);

	if (result == 0)
		result = open_list(l, &list, o, e);
	addr_list_release(&list);
	return result;
}

/* Completes the result of opening. */
static int
finish(struct listener *l, int result, struct err *e)
{
	if (result == 0)
		return 0;
	listener_close(l);
	/* Prepend "cannot listen on ", but not to a name's error. */
	if (e->kind != ERR_LOCAL && e->kind != ERR_FAILED)
		return err_prefix(e, "cannot listen");
	return err_lead(
	    e, "cannot %s on ", l->type == SOCK_DGRAM ? "receive" : "listen");
}

int
listener_open_list(struct listener *l, const struct addr_list *list,
    const struct listener_options *o, struct err *e)
{
	memset(l, 0, sizeof(*l));
	l->type = o->type;
	return finish(l, open_list(l, list, o, e), e);
}

int
listener_open(struct listener *l, const struct endpoint *ep,
    const struct listener_options *o, struct err *e)
{
	bool is_local = ep->host[0] == '\0' ||
			(!o->names.numeric && endpoint_is_localhost(ep));
	int result;

	memset(l, 0, sizeof(*l));
	l->type = o->type;
	if (!ep->is_unix && is_local)
		result = open_loopback(l, ep->port, o, e);
	else if (!ep->is_unix && strcmp(ep->host, "*") == 0)
		result = open_any(l, ep->port, o, e);
	else
		result = open_named(l, ep, o, e);
	return finish(l, result, e);
}

/*
 * Writes "127.0.0.1 port 9999 (TCP)"; describes the wildcard address in words.
 */
static const char *
format_bound(
    const struct listener *l, const struct addr *a, char *buf, size_t size)
{
	bool is_ip6 = addr_family(a) == AF_INET6;
	char ip[ADDR_IP_TEXT];

	if (addr_is_unix(a))
		return addr_format(a, buf, size);
	if (!addr_is_any(a))
		addr_format(a, buf, size);
	else
		snprintf(buf, size, "every %s (%s), port %u",
		    l->is_dual ? "address, IPv4 and IPv6"
		    : is_ip6   ? "IPv6 address"
			       : "IPv4 address",
		    addr_format_ip(a, ip, sizeof(ip)), addr_port(a));
	text_append(buf, size, " (%s)", l->type == SOCK_DGRAM ? "UDP" : "TCP");
	return buf;
}

void
listener_announce(const struct listener *l)
{
	bool is_dgram = l->type == SOCK_DGRAM;
	char text[ADDR_TEXT];
	struct json *j;
	size_t i;

	for (i = 0; i < l->count && !l->is_connection; i++) {
		j = diag_event_begin("listening");
		addr_json(&l->addrs[i], j, "local");
		if (!addr_is_unix(&l->addrs[i]))
			json_text(j, "protocol", is_dgram ? "udp" : "tcp");
		diag_event_end(DIAG_SAY, "%s on %s",
		    is_dgram ? "receiving" : "listening",
		    format_bound(l, &l->addrs[i], text, sizeof(text)));
	}
}

int
listener_accept(struct listener *l, struct conn *c)
{
	int fd = -1;
	size_t i;

	for (i = 0; i < l->count && fd < 0; i++) {
		fd = call_accept(l->fds[l->turn], &c->remote);
		if (fd < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
			return -1;
		l->turn = (l->turn + 1) % l->count;
	}
	if (fd < 0)
		return -1;
	c->start_ns = clock_now();
	c->number = 0;
	sock_local(fd, &c->local);
	addr_unmap(&c->remote);
	return fd;
}

int
listener_connection(struct listener *l, struct conn *c)
{
	c->start_ns = clock_now();
	c->number = 1;
	c->local = l->addrs[0];
	c->remote = l->peer;
	addr_unmap(&c->remote);
	l->count = 0;
	return l->fds[0];
}

void
listener_abandon(const struct listener *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		(void)call_close(
		    l->fds[i], "this process only serves its connection");
}

void
listener_close(struct listener *l)
{
	listener_stop(l, NULL);
}

void
listener_stop(struct listener *l, const char *why)
{
	size_t i;

	for (i = 0; i < l->count; i++) {
		unix_path_remove(&l->path, &l->addrs[i]);
		(void)call_close(l->fds[i], why);
	}
	free(l->fds);
	free(l->addrs);
	l->fds = NULL;
	l->addrs = NULL;
	l->count = 0;
}
