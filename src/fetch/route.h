/* Where a request goes: to its server, or through a proxy. */
#ifndef FETCH_ROUTE_H
#define FETCH_ROUTE_H

#include <stdbool.h>

#include "base/err.h"
#include "dial/proxy.h"
#include "net/endpoint.h"

struct url;

struct route {
	struct endpoint origin; /* that of the URL */
	struct endpoint server; /* what is connected to */
	bool is_tls;
	const struct proxy *proxy; /* the caller's, compared by address; NULL:
				      none. An HTTP proxy receives the request
				      in the absolute form; with TLS, and any
				      other proxy, it connects to the server. */
	bool is_forwarded; /* an HTTP proxy forwards the requests; if the server
			      is not the origin, it connects instead */
};

struct route_rules {
	const struct proxy *proxy; /* the caller's, for every URL; NULL: none */
	struct endpoint local;     /* a Unix socket, for every URL; none unless
				      is_unix is set */
	struct endpoint other; /* what replaces the origin of the user's URL, if
				  it has a host */
	struct proxy env_proxy; /* of http_proxy; PROXY_NONE: none */
	struct proxy tls_proxy; /* of https_proxy, for https URLs */
	struct err tls_error;   /* why https_proxy cannot be used */
	const char *no_proxy;   /* hosts reached without these two, or NULL */
};

/*
 * Sets the rules. unix_path, if not NULL, is that of a Unix socket, to which
 * all requests go. proxy comes from an option; if it is NULL,
 * http_proxy, https_proxy and no_proxy in the environment apply. Returns 0, or
 * -1 with ERR_USAGE if http_proxy or unix_path is malformed.
 */
int route_init(struct route_rules *r, const struct proxy *proxy,
    const char *unix_path, struct err *e);

/*
 * Finds the route for u, which has the origin that the user gave (is_first) or
 * that a redirect led to. The route points into r. The items of no_proxy are
 * separated by commas or spaces: "*" is every host; NAME and .NAME are that
 * name and its subdomains; an address or a network ADDRESS/BITS matches numeric
 * hosts; with :PORT after it an item matches only that port. Returns 0, or -1
 * with *e, because no host has that name, the URL is https and a Unix socket is
 * used, or the route needs https_proxy and that is malformed.
 */
int route_find(const struct route_rules *r, const struct url *u, bool is_first,
    struct route *route, struct err *e);

#endif
