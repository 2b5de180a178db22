/*
 * Connects to a peer: resolve, dial, proxy handshake, and retries of all three.
 */
#include "dial/connector.h"

#include <errno.h>

#include "base/diag.h"
#include "base/step.h"
#include "base/err.h"
#include "base/num.h"
#include "dial/http_connect.h"
#include "net/endpoint.h"
#include "dial/proxy.h"
#include "dial/reconnect.h"
#include "dial/socks.h"
#include "dial/tunnel.h"
#include "net/resolve.h"
#include "net/sock.h"

int
connector_check(
    const struct endpoint *ep, const struct connector_options *o, struct err *e)
{
	char name[PROXY_TEXT];

	if (o->proxy == NULL)
		return resolve_check(ep, &o->dial.names, e);
	if (proxy_check(ep, e) < 0)
		return -1;
	if (resolve_check(&o->proxy->server, &o->dial.names, e) == 0)
		return 0;
	return err_prefix(e, "%s", proxy_format(o->proxy, name, sizeof(name)));
}

bool
connector_is_transient(const struct err *e)
{
	switch (e->kind) {
	case ERR_NAME:
	case ERR_REFUSED:
	case ERR_TIMEOUT:
	case ERR_UNREACHABLE:
	case ERR_LOST:
		return true;
	case ERR_PEER:
		/* The proxy cannot reach the target; see dial/tunnel.h. */
		return e->errnum != 0;
	default:
		return false;
	}
}

/* Reports the connection through the proxy. */
static void
announce(const struct tunnel *t, int64_t ns)
{
	char text[ENDPOINT_TEXT], name[PROXY_TEXT], duration[32];
	struct event ev;

	diag_event_begin(&ev, EVENT_PROXIED);
	event_text(&ev, "host", t->target->host);
	event_number(&ev, "port", t->target->port);
	event_seconds(&ev, "seconds", (double)ns / 1e9);
	diag_event_end(&ev, DIAG_NOTE, "reached %s through %s in %s",
	    endpoint_format(t->target, text, sizeof(text)),
	    proxy_format(t->proxy, name, sizeof(name)),
	    num_format_duration(duration, sizeof(duration), ns));
}

/* The cause of a failed handshake, for its step. */
static int
handshake_cause(const struct err *e)
{
	if (e->kind == ERR_PEER)
		return CAUSE_DECLINED;
	if (e->kind == ERR_TIMEOUT)
		return CAUSE_NO_ANSWER;
	return e->errnum != 0 ? e->errnum : EPROTO;
}

/*
 * Makes the proxy connect to the target. Returns 0, after which the connection
 * carries the target's data, or -1 with an error; see dial/tunnel.h.
 */
static int
open_tunnel(struct tunnel *t)
{
	char text[ENDPOINT_TEXT], name[PROXY_TEXT];
	int64_t start = clock_now();
	int result;

	if (proxy_check(t->target, t->e) < 0)
		return -1;
	result =
	    t->proxy->kind == PROXY_HTTP ? http_connect_open(t) : socks_open(t);
	endpoint_format(t->target, text, sizeof(text));
	step_report(&(struct step){.call = "proxy",
			.start_ns = start,
			.errnum = result < 0 ? handshake_cause(t->e) : 0,
			.note = "the proxy has connected to the target",
			.failure = t->e->text},
	    "to %s", text);
	if (result == 0) {
		announce(t, clock_now() - start);
		return 0;
	}
	return err_prefix(
	    t->e, "%s: %s", text, proxy_format(t->proxy, name, sizeof(name)));
}

static int
try_once(const struct endpoint *ep, const struct connector_options *o,
    struct deadline until, struct dial_result *result, struct err *e)
{
	const struct proxy *p = o->proxy;
	struct dial_options dial;
	struct tunnel t;
	char name[PROXY_TEXT], text[ENDPOINT_TEXT];
	int fd;

	until =
	    deadline_first(until, deadline_limit(o->timeout_ms, "--timeout"));
	if (p == NULL)
		return dial_connect(ep, &o->dial, until, result, e);
	dial = o->dial;
	dial.name = proxy_format(p, name, sizeof(name));
	fd = dial_connect(&p->server, &dial, until, result, e);
	if (fd < 0)
		return err_prefix(
		    e, "%s", endpoint_format(ep, text, sizeof(text)));
	t = (struct tunnel){.proxy = p,
	    .target = ep,
	    .stream = {.fd = fd, .until = until, .idle_ms = -1},
	    .e = e};
	if (open_tunnel(&t) < 0)
		sock_close(&fd);
	return fd;
}

int
connector_open(const struct endpoint *ep, const struct connector_options *o,
    struct deadline until, struct dial_result *result, struct err *e)
{
	struct reconnect r;
	int fd;

	if (o->retry_ms < 0)
		return try_once(ep, o, until, result, e);
	reconnect_start(&r, o->retry_ms, until);
	do
		fd = try_once(ep, o, r.end, result, e);
	while (fd < 0 && connector_is_transient(e) &&
	       reconnect_wait(&r, "no connection", e) == 0);
	return fd;
}
