/* The route of a request: a proxy of the options or the environment, no_proxy,
 * and what replaces the server of a URL. */
#include "fetch/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "http/url.h"
#include "net/access.h"
#include "net/addr.h"

/* Whether an item of a no_proxy list matches ep; changes item. */
static bool
matches(char *item, const struct endpoint *ep)
{
	char *colon = strrchr(item, ':');
	struct access list = ACCESS_INIT;
	struct addr a;
	struct err e;
	int64_t port;
	size_t n;
	bool result;

	if (strcmp(item, "*") == 0)
		return true;
	if (colon != NULL && (strchr(item, ':') == colon || colon[-1] == ']') &&
	    num_parse(colon + 1, 1, 65535, &port)) {
		if (port != ep->port)
			return false;
		*colon = '\0';
	}
	n = strlen(item);
	if (item[0] == '[' && item[n - 1] == ']') {
		item[n - 1] = '\0';
		item++;
	}
	if (endpoint_is_under(ep, item + (item[0] == '.')))
		return true;
	/* Otherwise it may be a network, and the host an address in it. */
	if (item[0] == '@' || !addr_parse_ip(&a, ep->host, 0))
		return false;
	result = access_add(&list, true, item, deadline_none(), &e) == 0 &&
		 access_allows(&list, &a);
	access_release(&list);
	return result;
}

/*
 * Whether ep is in a list like no_proxy, which may be NULL: items that commas
 * or blanks separate. "*" is every host; NAME and .NAME are that name and its
 * subdomains; an address or a network ADDRESS/BITS matches numeric hosts; with
 * :PORT after it an item matches only that port.
 */
static bool
is_listed(const char *list, const struct endpoint *ep)
{
	char *copy = mem_text(list != NULL ? list : ""), *rest;
	char *item = strtok_r(copy, ", \t", &rest);
	bool result;

	while (item != NULL && !matches(item, ep))
		item = strtok_r(NULL, ", \t", &rest);
	result = item != NULL;
	free(copy);
	return result;
}

/* Parses a proxy of the environment, unless there is none. 0, or -1. */
static int
parse_env(struct proxy *p, const char *text, const char *origin, struct err *e)
{
	if (text == NULL || *text == '\0')
		return 0;
	if (proxy_parse(p, text, e) < 0)
		return err_prefix(e, "the proxy %s", origin);
	p->origin = origin;
	return 0;
}

int
route_init(struct route_rules *rules, const struct connector_options *o,
    const char *unix_path, const char *connect_to, struct err *e)
{
	const char *tls = getenv("https_proxy"), *none = getenv("no_proxy");
	char text[512], *other[] = {text};

	*rules = (struct route_rules){.options = o};
	if (unix_path != NULL) {
		snprintf(text, sizeof(text), "unix:%s", unix_path);
		return endpoint_parse(&rules->other, other, 0, "tcp", e);
	}
	if (connect_to != NULL) {
		other[0] = (char *)connect_to;
		if (endpoint_parse(&rules->other, other, 0, "tcp", e) < 0)
			return err_prefix(e, "--connect-to");
		if (rules->other.is_unix)
			return err_set(e, ERR_USAGE,
			    "--connect-to: a Unix socket is --unix PATH");
	}
	if (o->via != NULL || o->proxy != NULL)
		return 0;
	rules->no_proxy = none != NULL ? none : getenv("NO_PROXY");
	(void)parse_env(&rules->tls_proxy,
	    tls != NULL ? tls : getenv("HTTPS_PROXY"), "from https_proxy",
	    &rules->tls_error);
	/* HTTP_PROXY is not read: a web server sets it from a field of the
	 * request when it runs a program (CGI). */
	return parse_env(
	    &rules->env_proxy, getenv("http_proxy"), "from http_proxy", e);
}

int
route_find(const struct route_rules *rules, const struct url *u,
    bool left_origin, struct route *route, struct err *e)
{
	const struct proxy *env =
	    u->is_https ? &rules->tls_proxy : &rules->env_proxy;
	struct connector_options *o = &route->options;
	bool is_bad = u->is_https && rules->tls_error.kind != ERR_NONE;

	memset(route, 0, sizeof(*route));
	snprintf(route->origin.host, sizeof(route->origin.host), "%s", u->host);
	route->origin.port = u->port;
	route->server = rules->other.is_unix ||
				(!left_origin && rules->other.host[0] != '\0')
			    ? rules->other
			    : route->origin;
	*o = *rules->options;
	o->tls.is_on = u->is_https;
	if (left_origin)
		o->tls.certificate = o->tls.key = NULL;
	/* The certificate is still that of the URL's host. */
	if (o->tls.name == NULL && rules->other.host[0] != '\0')
		o->tls.name = u->host;
	if (rules->other.is_unix && u->is_https)
		return err_set(e, ERR_USAGE, "--unix is for http URLs");
	if (rules->other.is_unix)
		return 0;
	if (endpoint_check_host(u->host, e) < 0)
		return -1;
	if ((env->kind != PROXY_NONE || is_bad) &&
	    !is_listed(rules->no_proxy, &route->origin)) {
		if (is_bad) {
			*e = rules->tls_error;
			return -1;
		}
		o->proxy = env;
	}
	if (o->proxy != NULL && o->proxy->kind == PROXY_HTTP && !u->is_https &&
	    strcmp(route->server.host, u->host) == 0 &&
	    route->server.port == u->port) {
		o->dial.proxy = o->proxy;
		route->server = o->proxy->server;
		o->proxy = NULL;
	}
	return 0;
}

bool
route_is_same(const struct route *a, const struct route *b)
{
	const struct connector_options *x = &a->options, *y = &b->options;

	return strcmp(a->origin.host, b->origin.host) == 0 &&
	       a->origin.port == b->origin.port &&
	       strcmp(a->server.host, b->server.host) == 0 &&
	       a->server.port == b->server.port &&
	       x->dial.proxy == y->dial.proxy && x->tls.is_on == y->tls.is_on &&
	       x->tls.certificate == y->tls.certificate;
}
