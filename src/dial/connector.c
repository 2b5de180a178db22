/*
 * Connects to a peer: resolve, dial, proxy handshake, and retries of all three.
 */
#include "dial/connector.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/text.h"
#include "net/endpoint.h"
#include "dial/proxy.h"
#include "dial/reconnect.h"
#include "dial/via.h"
#include "net/proc.h"
#include "net/resolve.h"
#include "net/sock.h"
#include "net/wait.h"
#include "tls/tls.h"

/* How long a TLS peer may take to end a connection that is discarded. */
#define DISCARD_MS 500

int
connector_check(
    const struct endpoint *ep, const struct connector_options *o, struct err *e)
{
	if (o->tls.is_on && tls_check(&o->tls, e) < 0)
		return -1;
	if (o->via != NULL)
		return via_check(o->via, ep, e);
	if (o->proxy == NULL)
		return resolve_check(ep, o->dial.names, e);
	if (proxy_check(ep, e) < 0)
		return -1;
	if (resolve_check(&o->proxy->server, o->dial.names, e) == 0)
		return 0;
	return err_prefix(e, "%s", proxy_text(o->proxy));
}

/* One attempt to connect. */
struct attempt {
	const struct endpoint *ep;
	const struct connector_options *o;
	struct deadline until;
	struct dial_result *result;
	struct err *e;
};

/* What the attempt waits for. */
static const char *
wait_text(void *context)
{
	const struct attempt *a = context;
	const struct proxy *p = a->o->via == NULL ? a->o->proxy : NULL;

	return text_format("%s %s%s%s: no answer yet%s",
	    resolve_is_pending() ? "looking up" : "connecting to",
	    endpoint_text(a->ep), p != NULL ? " through " : "",
	    p != NULL ? proxy_text(p) : "",
	    deadline_is_set(a->until)
		? ""
		: " (--connect-timeout would wait no longer)");
}

/* Connects to the proxy, and through it to the endpoint. */
static int
open_through_proxy(const struct attempt *a)
{
	const struct proxy *p = a->o->proxy;
	struct dial_options dial = a->o->dial;
	char name[PROXY_TEXT];
	int fd;

	snprintf(name, sizeof(name), "%s", proxy_text(p));
	dial.name = name;
	fd = dial_connect(&p->server, &dial, a->until, a->result, a->e);
	if (fd < 0)
		return err_prefix(a->e, "%s", endpoint_text(a->ep));
	if (proxy_open(p, a->ep, fd, a->until, a->e) < 0)
		sock_close(&fd);
	return fd;
}

/* Terminates the processes of a connection. */
static void
release(struct dial_result *result)
{
	tls_release(result->tls);
	via_release(result->via);
	result->tls = NULL;
	result->via = NULL;
}

/* Starts the program of --via, which is the connection to the endpoint. */
static int
open_program(const struct attempt *a)
{
	struct via_command command = {
	    a->o->via, a->ep, a->o->stops_via, a->o->timeout.ms};
	bool checks = a->o->checks_via || a->o->retry_ms >= 0;
	int64_t start = clock_now();
	int fd;

	*a->result = (struct dial_result){.ns = 0};
	a->result->via = via_start(&command, &fd, a->e);
	if (a->result->via == NULL)
		return -1;
	if (checks && !a->o->tls.is_on &&
	    via_wait(a->result->via, fd, a->until, a->e) < 0) {
		sock_close(&fd);
		release(a->result);
		return -1;
	}
	a->result->ns = clock_now() - start;
	sock_local(fd, &a->result->local);
	a->result->remote = a->result->local;
	return fd;
}

/* Adds TLS to *fd, which is -1 after a failure. */
static void
add_tls(const struct attempt *a, int *fd)
{
	struct tls_request request = {.options = &a->o->tls,
	    .name = endpoint_text(a->ep),
	    .host = a->ep->is_unix ? NULL : a->ep->host,
	    .until = a->until};
	struct via *via = a->result->via;
	int64_t start = clock_now();
	struct err reason;

	a->result->tls = tls_start(&request, fd, a->e);
	a->result->tls_ns = clock_now() - start;
	if (a->result->tls != NULL)
		return;
	/* The failure of a program may be why the peer was lost. */
	if (via != NULL && err_is_reset(a->e->errnum) &&
	    via_end(via,
		deadline_first(a->until, deadline_after(PROC_GRACE_MS)),
		&reason) < 0 &&
	    reason.errnum != ETIMEDOUT)
		*a->e = reason;
	release(a->result);
}

static int
try_once(const struct attempt *a)
{
	int fd;

	if (a->o->via != NULL)
		fd = open_program(a);
	else if (a->o->proxy != NULL)
		fd = open_through_proxy(a);
	else
		fd =
		    dial_connect(a->ep, &a->o->dial, a->until, a->result, a->e);
	if (fd >= 0 && a->o->tls.is_on)
		add_tls(a, &fd);
	return fd;
}

int
connector_open(const struct endpoint *ep, const struct connector_options *o,
    struct deadline until, struct dial_result *result, struct err *e)
{
	struct attempt a = {.ep = ep, .o = o, .result = result, .e = e};
	struct wait_reason reason;
	struct reconnect r;
	int fd;

	reconnect_start(&r, o->retry_ms, until);
	wait_begin(&reason, wait_text, &a);
	do {
		reason.due = deadline_after(WAIT_REPORT_MS);
		a.until = deadline_first(
		    r.end, deadline_limit(o->timeout.ms, o->timeout.option));
		fd = try_once(&a);
		/* The attempts that failed were reported. */
		reason.due = deadline_none();
	} while (
	    fd < 0 && e->waits && reconnect_wait(&r, "no connection", e) == 0);
	wait_end();
	return fd;
}

int
connector_close(struct dial_result *result, int status, struct deadline until,
    struct err *e)
{
	struct err reason = ERR_INIT;
	bool waits = status == 0 || e->kind == ERR_LOST;
	char text[ERR_TEXT];
	int ended = 0;

	if (status < 0)
		until = deadline_first(until, deadline_after(PROC_GRACE_MS));
	if (result->tls != NULL && waits)
		ended = tls_end(result->tls, status == 0, until, &reason);
	if (result->via != NULL && waits && ended == 0)
		ended = via_end(result->via, until, &reason);
	release(result);
	/* That they had to be terminated says nothing. */
	if (ended == 0 || (status < 0 && reason.errnum == ETIMEDOUT))
		return status;
	snprintf(text, sizeof(text), "%s", e->text);
	*e = reason;
	return status == 0 ? -1 : err_append(e, "%s", text);
}

void
connector_discard(struct dial_result *result, int *fd)
{
	struct err ignored;

	if (result->tls != NULL) {
		(void)sock_finish(*fd);
		sock_close(fd);
		(void)tls_end(
		    result->tls, true, deadline_after(DISCARD_MS), &ignored);
	}
	sock_close(fd);
	release(result);
}
