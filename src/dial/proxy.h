/*
 * Proxies: SOCKS4 and SOCKS4a, SOCKS5 (RFC 1928, RFC 1929), and HTTP CONNECT
 * (RFC 9110 section 9.3.6).
 */
#ifndef DIAL_PROXY_H
#define DIAL_PROXY_H

#include "base/deadline.h"
#include "net/endpoint.h"

struct err;
struct link;

/* The longest user and password, with a NUL: RFC 1929 has one byte for each
 * length. */
#define PROXY_SECRET 256

enum proxy_kind { PROXY_NONE, PROXY_HTTP, PROXY_SOCKS4, PROXY_SOCKS5 };

/* The proxy that a user names. */
struct proxy {
	enum proxy_kind kind;
	struct endpoint server;
	/* Where its name comes from: "--proxy", or "from http_proxy". */
	const char *origin;
	/* The credentials. An empty user means that there are none. */
	char user[PROXY_SECRET];
	char password[PROXY_SECRET];
	/* "USER:PASSWORD" for HTTP, or "" without credentials. */
	char basic[2 * PROXY_SECRET];
};

/*
 * Parses "socks5://", "socks4://" or "http://" (the default), then
 * [USER:PASSWORD@], HOST and [:PORT]; the port is 1080 for SOCKS, 8080 for
 * HTTP. origin becomes "--proxy". %XX in USER and PASSWORD are decoded. Returns
 * 0, or -1 with ERR_USAGE and an error that shows no password.
 */
int proxy_parse(struct proxy *p, const char *text, struct err *e);

/* "the HTTP proxy 10.0.0.1 port 3128 (--proxy)", in a buffer of text_slot(). */
const char *proxy_text(const struct proxy *p);

/*
 * Makes the proxy at the other end of l connect to target, and reports that.
 * The target was checked by connector_check(); the proxy resolves its name.
 * Returns 0, after which the connection carries the target's data, or -1 with
 * *e: ERR_PEER if the proxy declined (e->waits if it cannot reach the target),
 * ERR_PROTOCOL, ERR_LOST, ERR_TIMEOUT, or ERR_FAILED with EINTR after a caught
 * signal.
 */
int proxy_open(const struct proxy *p, const struct endpoint *target,
    struct link *l, struct deadline until, struct err *e);

#endif
