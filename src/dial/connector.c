/* Connects to a peer: resolve, dial, proxy or program, TLS, and retries. */
#include "dial/connector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "dial/proxy.h"
#include "dial/reconnect.h"
#include "dial/via.h"
#include "net/wait.h"

/* A program that runs for this long is connected, without --timeout. */
#define CHECK_MS 1000

/* Bytes that are permitted in a host that replaces %h. */
#define PLAIN                                                         \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456" \
	"789.-_:%/@+,"

/*
 * Returns the command for ep, with %h, %p and %% replaced, which the caller
 * frees; or NULL with *e: it has other percent signs, or %p for a Unix socket,
 * or a program could take the host for an option. The host must be one plain
 * word for every shell: quotes around it could end those of the command, and
 * ssh(1) hands its words to a second shell.
 */
static char *
make_command(const char *command, const struct endpoint *ep, struct err *e)
{
	const char *from = command, *host = ep->host;
	bool has_host = false, has_port = false;
	char port[8], *text, *at;

	if (ep->is_unix)
		host = addr_ip_text(&ep->unix_addr);
	snprintf(port, sizeof(port), "%u", ep->port);
	/* Each pair of bytes becomes at most a host or a port. */
	text = at = mem_array(strlen(command) + 1, strlen(host) + sizeof(port));
	for (; *from != '\0'; from++) {
		if (*from != '%') {
			*at++ = *from;
			continue;
		}
		has_host = has_host || from[1] == 'h';
		has_port = has_port || from[1] == 'p';
		if (from[1] == '%')
			*at++ = '%';
		else if (from[1] == 'h' || from[1] == 'p')
			at = stpcpy(at, from[1] == 'h' ? host : port);
		else
			break;
		from++;
	}
	if (command[strspn(command, " \t")] == '\0')
		err_set(e, ERR_USAGE, "--via: the command is empty");
	else if (*from != '\0')
		err_set(e, ERR_USAGE,
		    "--via: '%s': there are %%h (host), %%p (port) and %%%% (a "
		    "percent sign)",
		    text_shown(from));
	else if (ep->is_unix && has_port)
		err_set(
		    e, ERR_USAGE, "--via: a Unix socket has no port for %%p");
	else if (has_host && host[0] == '-')
		err_set(e, ERR_USAGE,
		    "--via: the program would take the host '%s' for an option",
		    text_shown(host));
	else if (has_host && host[strspn(host, PLAIN)] != '\0')
		err_set(e, ERR_USAGE,
		    "--via: the host '%s' has characters with a meaning to a "
		    "shell",
		    text_shown(host));
	else
		return text;
	free(text);
	return NULL;
}

int
connector_check(
    const struct endpoint *ep, const struct connector_options *o, struct err *e)
{
	const unsigned char *at = (const unsigned char *)ep->host;
	char *command;
	int result;

	if (o->tls.is_on && tls_check(&o->tls, e) < 0)
		return -1;
	if (o->via != NULL) {
		command = make_command(o->via, ep, e);
		result = command == NULL ? -1 : 0;
		free(command);
		return result;
	}
	if (o->proxy == NULL)
		return resolve_check(ep, o->dial.names, e);
	/* The proxy gets the name unchanged: it must not break the request. */
	while (*at > 0x20 && *at != 0x7f)
		at++;
	if (ep->is_unix || *at != '\0')
		return err_set(e, ERR_USAGE,
		    "%s cannot be reached through a proxy", endpoint_text(ep));
	if (resolve_check(&o->proxy->server, o->dial.names, e) == 0)
		return 0;
	return err_prefix(e, "%s", proxy_text(o->proxy));
}

/* One connector_open(). */
struct connector {
	const struct endpoint *ep;
	const struct connector_options *o;
	struct deadline until; /* The limit of the present attempt. */
	struct link *link;
	struct err *e;
};

static const char *
wait_text(void *context)
{
	const struct connector *c = context;
	const char *through = "", *hint = "";

	if (c->o->proxy != NULL && c->o->via == NULL)
		through = text_format(" through %s", proxy_text(c->o->proxy));
	if (!deadline_is_set(c->until))
		hint = " (--connect-timeout limits this)";
	return text_format("%s %s%s: no answer yet%s",
	    resolve_is_pending() ? "looking up" : "connecting to",
	    endpoint_text(c->ep), through, hint);
}

/* Dials the endpoint or the proxy, and waits for the result. */
static int
open_socket(const struct connector *c)
{
	const struct proxy *p = c->o->proxy;
	struct dial_options o = c->o->dial;
	struct pollfd *fds = NULL;
	struct deadline wake;
	struct dial *d;
	int ready = 0;

	if (p != NULL)
		o.proxy = p;
	d = dial_start(p != NULL ? &p->server : c->ep, &o, c->until);
	*c->link = (struct link){.fd = -1};
	while (ready >= 0 && dial_advance(d, fds) == DIAL_WAITING) {
		fds = mem_resize(
		    fds, dial_capacity(d) + WAIT_SPARE, sizeof(fds[0]));
		wake = deadline_none();
		ready = wait_poll(fds, dial_poll(d, fds, &wake), wake);
	}
	if (ready < 0) {
		err_sys(c->e, ERR_FAILED, errno, "connecting");
		dial_free(&d);
	}
	free(fds);
	if (d == NULL || dial_finish(&d, c->link, c->e) < 0)
		return p == NULL ? -1
				 : err_prefix(c->e, "%s", endpoint_text(c->ep));
	if (p != NULL)
		c->link->route = LINK_ROUTE_PROXY;
	if (p == NULL || proxy_open(p, c->ep, c->link, c->until, c->e) == 0)
		return 0;
	sock_close(&c->link->fd);
	return -1;
}

static int
open_program(const struct connector *c)
{
	const struct connector_options *o = c->o;
	int64_t check_ms = o->timeout.ms >= 0 ? o->timeout.ms : CHECK_MS;
	struct link *l = c->link;
	char *command;
	int result;

	/* A redirect may have named the host. */
	command = make_command(o->via, c->ep, c->e);
	if (command == NULL)
		return -1;
	result = via_open(l, command, endpoint_text(c->ep), o->stops_via, c->e);
	free(command);
	if (result == 0 && (o->checks_via || o->retry_ms >= 0) && !o->tls.is_on)
		result = via_check(l,
		    deadline_first(c->until, deadline_after(check_ms)), c->e);
	l->dial_ns = clock_now() - l->start_ns;
	return result;
}

/* Adds TLS to the connection, which is closed on failure: if a program has
 * failed, link_close() reports it. */
static int
add_tls(const struct connector *c)
{
	struct tls_request request = {
	    .options = &c->o->tls, .server = c->ep, .until = c->until};
	struct link *l = c->link;

	if (c->o->starttls != STARTTLS_NONE &&
	    starttls_open(c->o->starttls, l, c->until, c->e) < 0)
		err_prefix(c->e, "%s", endpoint_text(c->ep));
	else if (tls_start(&request, l, c->e) == 0)
		return 0;
	return link_close(l, -1, c->until, c->e);
}

/* What an end does to the peer of a connection: a proxy may also drop what its
 * target has not read yet. */
static enum link_eof
choose_eof(const struct link *l, const struct connector_options *o)
{
	if (o->eof == LINK_EOF_PROGRAM)
		return l->route == LINK_ROUTE_PROGRAM && !o->tls.is_on
			   ? LINK_EOF_PROGRAM
			   : LINK_EOF_SAFE;
	if (l->route == LINK_ROUTE_PROXY || (o->tls.is_on && o->expects_answer))
		return o->eof;
	return LINK_EOF_SAFE;
}

int
connector_open(const struct endpoint *ep, const struct connector_options *o,
    struct deadline until, struct link *l, struct err *e)
{
	struct connector c = {.ep = ep, .o = o, .link = l, .e = e};
	struct wait_reason reason;
	struct reconnect r;
	int result;

	reconnect_start(&r, o->retry_ms, until);
	wait_begin(&reason, wait_text, &c);
	do {
		reason.due = deadline_after(WAIT_REPORT_MS);
		c.until = deadline_first(
		    r.end, deadline_limit(o->timeout.ms, o->timeout.option));
		result = o->via != NULL ? open_program(&c) : open_socket(&c);
		if (result == 0 && o->tls.is_on)
			result = add_tls(&c);
		/* Failed attempts are reported. */
		reason.due = deadline_none();
	} while (result < 0 && e->waits &&
		 reconnect_wait(&r, "no connection", e) == 0);
	wait_end();
	if (result == 0)
		l->eof = choose_eof(l, o);
	return result;
}
