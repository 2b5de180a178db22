/* Opens, reuses and closes a connection of the HTTP client. */
#include "fetch/http_conn.h"

#include <poll.h>
#include <string.h>

#include "base/diag.h"
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

/* Returns what to connect to and sets *o to the options for it; name, of
 * PROXY_TEXT bytes, is storage for them. */
static const struct endpoint *
next_endpoint(
    const struct http_route *route, struct connector_options *o, char *name)
{
	o->proxy = route->proxy;
	if (route->proxy == NULL || route->proxy->kind != PROXY_HTTP)
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
	return c->fd >= 0 &&
	       strcmp(c->route.server.host, route->server.host) == 0 &&
	       c->route.server.port == route->server.port &&
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
	struct dial_result r;

	c->route = *route;
	c->opened_ns = clock_now();
	c->sent = c->received = 0;
	c->peer_finished = false;
	ep = next_endpoint(route, &o, name);
	c->fd = connector_open(ep, &o, until, &r, e);
	if (c->fd < 0)
		return -1;
	c->local = r.local;
	c->remote = r.remote;
	c->resolved_ns = clock_now() - r.ns + r.resolve_ns;
	return 0;
}

void
http_conn_close(struct http_conn *c, int status)
{
	struct conn_summary s = {.sent = c->sent,
	    .received = c->received,
	    .first = c->peer_finished ? CONN_FIRST_PEER : CONN_FIRST_US};
	struct conn_summary known;

	if (c->fd < 0)
		return;
	if (diag_emits(DIAG_NOTE)) {
		conn_event_summarize(c->fd, false, &known);
		s.first = known.bytes_unknown ? s.first : known.first;
	}
	sock_close(&c->fd);
	conn_event_closed(DIAG_NOTE,
	    &(struct conn){c->local, c->remote, c->opened_ns, 0}, &s, status);
}
