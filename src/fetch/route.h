/* Where a request goes: to its server, or through a proxy. */
#ifndef FETCH_ROUTE_H
#define FETCH_ROUTE_H

#include "dial/proxy.h"

struct err;
struct http_route;
struct url;

struct route_rules {
	const struct proxy *proxy; /* the caller's, for every URL; NULL: none */
	struct proxy env_proxy;    /* of http_proxy; PROXY_NONE: none */
	const char *no_proxy; /* hosts that env_proxy is not for; or NULL */
};

/*
 * proxy comes from an option; where its kind is PROXY_NONE, http_proxy and
 * no_proxy of the environment decide. 0, or -1 with ERR_USAGE when http_proxy
 * is malformed.
 */
int route_init(struct route_rules *r, const struct proxy *proxy, struct err *e);

/*
 * The route for u, which refers to r. The items of no_proxy stand between
 * commas or blanks: "*" is every host; NAME and .NAME are that name and all
 * under it; an address or a network ADDRESS/BITS counts for hosts given in
 * numbers; with :PORT after it an item counts for that port only. 0, or -1
 * with *e.
 */
int route_find(const struct route_rules *r, const struct url *u,
    struct http_route *route, struct err *e);

#endif
