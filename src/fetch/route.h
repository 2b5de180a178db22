/* Where a request goes: to the server of its URL, or through a proxy that the
 * options or the environment name. */
#ifndef FETCH_ROUTE_H
#define FETCH_ROUTE_H

#include <stdbool.h>

#include "base/err.h"
#include "dial/connector.h"
#include "dial/proxy.h"
#include "net/endpoint.h"

struct url;

/* What the routes of all URLs follow from. */
struct route_rules {
	const struct connector_options *options; /* The caller owns them. */
	/* This replaces the server of a URL: a Unix socket replaces any server,
	 * a host only those of the URLs that the user gave. */
	struct endpoint other;
	struct proxy env_proxy; /* http_proxy, or PROXY_NONE. */
	struct proxy
	    tls_proxy;        /* https_proxy, for https URLs; or PROXY_NONE. */
	struct err tls_error; /* Why https_proxy cannot be used. */
	const char *no_proxy; /* Hosts reached without these two, or NULL. */
};

/*
 * Makes the rules. unix_path, a Unix socket, and connect_to, HOST:PORT, are
 * what replaces the servers of URLs; NULL: nothing. Without a proxy or a
 * program in the options, http_proxy, https_proxy and no_proxy in the
 * environment apply. There is nothing to release. Returns 0, or -1 with
 * ERR_USAGE if http_proxy, unix_path or connect_to is malformed.
 */
int route_init(struct route_rules *rules, const struct connector_options *o,
    const char *unix_path, const char *connect_to, struct err *e);

struct route {
	struct endpoint origin; /* The server that the URL names. */
	struct endpoint server; /* The server that is connected to. */
	/* If options.proxy is set, that proxy makes the connection to the
	 * server. For plain HTTP to the origin itself, an HTTP proxy forwards
	 * the requests (absolute form) and is options.dial.proxy; it is then
	 * the server. options.tls.name may point into the URL. */
	struct connector_options options;
};

/*
 * Finds the route for u. left_origin: a redirect has led away from the server
 * that the user named, so that no client certificate is sent. Both u and rules
 * must stay valid as long as the route. Returns 0, or -1 with ERR_USAGE if no
 * host has that name, the URL is https and a Unix socket is used, or
 * https_proxy is needed and malformed.
 */
int route_find(const struct route_rules *rules, const struct url *u,
    bool left_origin, struct route *route, struct err *e);

/* Whether a connection along one route serves requests of the other. */
bool route_is_same(const struct route *a, const struct route *b);

#endif
