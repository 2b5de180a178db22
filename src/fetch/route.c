/* Chooses the proxy of a request, from an option or the environment. */
#include "fetch/route.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "dial/no_proxy.h"
#include "fetch/http_client.h"
#include "http/url.h"

int
route_init(struct route_rules *r, const struct proxy *proxy, struct err *e)
{
	/* HTTP_PROXY is not read: a web server sets it from a field of the
	 * request when it runs a program (CGI). */
	const char *env = getenv("http_proxy");

	memset(r, 0, sizeof(*r));
	if (proxy->kind != PROXY_NONE) {
		r->proxy = proxy;
	} else if (env != NULL && *env != '\0') {
		r->no_proxy = no_proxy_list();
		if (proxy_parse(&r->env_proxy, env, e) < 0)
			return err_prefix(e, "http_proxy");
	}
	return 0;
}

int
route_find(const struct route_rules *r, const struct url *u,
    struct http_route *route, struct err *e)
{
	const struct endpoint *ep = &route->server;

	if (url_endpoint(u, &route->server, e) < 0)
		return -1;
	route->proxy = r->proxy;
	if (r->env_proxy.kind != PROXY_NONE && !no_proxy_has(r->no_proxy, ep))
		route->proxy = &r->env_proxy;
	return 0;
}
