/* Chooses the proxy of a request, from an option or the environment. */
#include "fetch/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/num.h"
#include "http/url.h"
#include "net/access.h"
#include "net/addr.h"

#define ITEM_SIZE 320

/* Whether host is name, or ends in "." and name. */
static bool
is_under(const char *host, const char *name)
{
	size_t h = strlen(host), n;

	if (*name == '.')
		name++;
	n = strlen(name);
	if (h > 0 && host[h - 1] == '.')
		h--;
	if (n == 0 || n > h || strncasecmp(host + h - n, name, n) != 0)
		return false;
	return n == h || host[h - n - 1] == '.';
}

/* Whether an item of no_proxy matches ep; changes item. */
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
	if (is_under(ep->host, item))
		return true;
	/* Otherwise it may be a network, and the host an address in it. */
	if (item[0] == '@' || !addr_parse_ip(&a, ep->host, 0))
		return false;
	result = access_add(&list, true, item, deadline_none(), &e) == 0 &&
		 access_allows(&list, &a);
	access_release(&list);
	return result;
}

/* Whether ep is in list, which may be NULL. */
static bool
is_listed(const char *list, const struct endpoint *ep)
{
	char item[ITEM_SIZE];
	size_t n;

	for (; list != NULL && *list != '\0'; list += n) {
		list += strspn(list, ", \t");
		n = strcspn(list, ", \t");
		if (n == 0 || n >= sizeof(item))
			continue;
		memcpy(item, list, n);
		item[n] = '\0';
		if (matches(item, ep))
			return true;
	}
	return false;
}

/* Parses a proxy of the environment, whose variable is named. 0, or -1. */
static int
parse_env(struct proxy *p, const char *text, const char *name, struct err *e)
{
	if (text == NULL || *text == '\0')
		return 0;
	if (proxy_parse(p, text, e) < 0)
		return err_prefix(e, "%s (in the environment)", name);
	return 0;
}

int
route_init(struct route_rules *r, const struct proxy *proxy,
    const char *unix_path, struct err *e)
{
	const char *tls = getenv("https_proxy"), *none = getenv("no_proxy");
	char text[512], *operands[] = {text, NULL};

	memset(r, 0, sizeof(*r));
	if (unix_path != NULL) {
		snprintf(text, sizeof(text), "unix:%s", unix_path);
		return endpoint_parse(&r->other, operands, 1, "tcp", e);
	}
	r->proxy = proxy;
	if (proxy != NULL)
		return 0;
	r->no_proxy = none != NULL ? none : getenv("NO_PROXY");
	(void)parse_env(&r->tls_proxy,
	    tls != NULL ? tls : getenv("HTTPS_PROXY"), "https_proxy",
	    &r->tls_error);
	r->tls_proxy.origin = "from https_proxy";
	/* HTTP_PROXY is not read: a web server sets it from a field of the
	 * request when it runs a program (CGI). */
	if (parse_env(&r->env_proxy, getenv("http_proxy"), "http_proxy", e) < 0)
		return -1;
	r->env_proxy.origin = "from http_proxy";
	return 0;
}

int
route_find(const struct route_rules *r, const struct url *u, bool is_first,
    struct route *route, struct err *e)
{
	const struct proxy *env;
	bool is_bad;

	memset(route, 0, sizeof(*route));
	snprintf(route->origin.host, sizeof(route->origin.host), "%s", u->host);
	route->origin.port = u->port;
	route->server =
	    is_first && r->other.host[0] != '\0' ? r->other : route->origin;
	route->is_tls = u->is_https;
	if (r->other.is_unix) {
		route->server = r->other;
		return route->is_tls
			   ? err_set(e, ERR_USAGE, "--unix is for http URLs")
			   : 0;
	}
	if (endpoint_check_host(u->host, e) < 0)
		return -1;
	route->proxy = r->proxy;
	env = route->is_tls ? &r->tls_proxy : &r->env_proxy;
	is_bad = route->is_tls && r->tls_error.kind != ERR_NONE;
	if ((env->kind != PROXY_NONE || is_bad) &&
	    !is_listed(r->no_proxy, &route->origin)) {
		route->proxy = env;
		if (is_bad) {
			*e = r->tls_error;
			return -1;
		}
	}
	route->is_forwarded =
	    route->proxy != NULL && route->proxy->kind == PROXY_HTTP &&
	    !route->is_tls && strcmp(route->server.host, u->host) == 0 &&
	    route->server.port == u->port;
	return 0;
}
