/* Opens, reuses and closes a connection of the HTTP client. */
#include "fetch/http_conn.h"

#include <poll.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "dial/proxy.h"
#include "net/conn_event.h"
#include "net/sock.h"
#include "net/wait.h"

void
http_conn_init(struct http_conn *c, const struct connector_options *o)
{
	memset(c, 0, sizeof(*c));
	c->options = o;
	c->fd = -1;
}

bool
http_conn_is_forwarded(const struct http_route *route)
{
	return route->proxy != NULL && route->proxy->kind == PROXY_HTTP &&
	       !route->is_tls;
}

/* Returns what to connect to and sets *o to the options for it; name, of
 * PROXY_TEXT bytes, is storage for them. */
static const struct endpoint *
next_endpoint(
    const struct http_route *route, struct connector_options *o, char *name)
{
	o->proxy = route->proxy;
	o->tls.is_on = route->is_tls;
	if (!http_conn_is_forwarded(route))
		return &route->server;
	o->proxy = NULL;
	o->dial.name = proxy_format(route->proxy, name, PROXY_TEXT);
	return &route->proxy->server;
}

int
http_conn_check(
    const struct http_conn *c, const struct http_route *route, struct err *e)
{
	struct connector_options o = *c->options;
	char name[PROXY_TEXT];
	const struct endpoint *ep = next_endpoint(route, &o, name);

	return connector_check(ep, &o, e);
}

bool
http_conn_is_reusable(const struct http_conn *c, const struct http_route *route)
{
	return c->is_open && c->fd >= 0 &&
	       strcmp(c->route.server.host, route->server.host) == 0 &&
	       c->route.server.port == route->server.port &&
	       c->route.is_tls == route->is_tls &&
	       c->route.proxy == route->proxy &&
	       wait_fd(c->fd, POLLIN, deadline_after(0)) == 0;
}

int
http_conn_open(struct http_conn *c, const struct http_route *route,
    struct deadline until, struct err *e)
{
	struct connector_options o = *c->options;
	char name[PROXY_TEXT];
	const struct endpoint *ep;

	c->route = *route;
	c->opened_ns = clock_now();
	c->sent = c->received = 0;
	c->peer_finished = false;
	ep = next_endpoint(route, &o, name);
	c->fd = connector_open(ep, &o, until, &c->made, e);
	if (c->fd < 0)
		return -1;
	c->open_ns = clock_now();
	c->is_open = true;
	return 0;
}

/* Whether processes carry the connection: a program, or TLS. */
static bool
has_processes(const struct http_conn *c)
{
	return c->made.via != NULL || c->made.tls != NULL;
}

int
http_conn_end(struct http_conn *c, struct deadline until, struct err *e)
{
	if (!has_processes(c))
		return 0;
	sock_close(&c->fd);
	return connector_close(&c->made, 0, until, e);
}

int
http_conn_abort(struct http_conn *c, struct deadline until, struct err *e)
{
	if (c->is_open && has_processes(c)) {
		sock_close(&c->fd);
		connector_close(&c->made, -1, until, e);
	}
	http_conn_close(c, (int)e->kind);
	return -1;
}

void
http_conn_close(struct http_conn *c, int status)
{
	struct conn conn = {c->made.local, c->made.remote, c->opened_ns, 0};
	struct conn_summary s = {.sent = c->sent,
	    .received = c->received,
	    .first = c->peer_finished ? CONN_FIRST_PEER : CONN_FIRST_US};
	struct conn_summary known;

	if (!c->is_open)
		return;
	if (c->fd >= 0 && diag_emits(DIAG_NOTE)) {
		conn_event_summarize(c->fd, false, &known);
		s.first = known.bytes_unknown ? s.first : known.first;
	}
	if (has_processes(c))
		connector_discard(&c->made, &c->fd);
	else
		sock_close(&c->fd);
	c->is_open = false;
	conn_event_closed(DIAG_NOTE, &conn, &s, status);
}
