/* The proxy that a user names, and connecting through it. */
#ifndef DIAL_PROXY_H
#define DIAL_PROXY_H

#include "base/deadline.h"
#include "net/endpoint.h"

struct err;
struct link;

/* Longest user and password: RFC 1929 has one byte for each length. */
#define PROXY_SECRET 256

enum proxy_kind { PROXY_NONE, PROXY_HTTP, PROXY_SOCKS4, PROXY_SOCKS5 };

struct proxy {
	enum proxy_kind kind;
	struct endpoint server;
	const char *origin; /* its source: "--proxy", or "from http_proxy" */
	char user[PROXY_SECRET]; /* "": no credentials */
	char password[PROXY_SECRET];
	char basic[2 * PROXY_SECRET]; /* "USER:PASSWORD" for Basic
					 authentication; "": no credentials */
};

/*
 * Parses "socks5://", "socks4://" or "http://" (the default), then
 * [USER:PASSWORD@], HOST and [:PORT]; the port is 1080 for SOCKS, 8080 for
 * HTTP. origin becomes "--proxy". %XX in USER and PASSWORD are decoded. Returns
 * 0, or -1 with ERR_USAGE and an error that shows no password.
 */
int proxy_parse(struct proxy *p, const char *text, struct err *e);

/*
 * Checks that a proxy can be used for target: it is not a Unix socket, and its
 * name has no spaces or control bytes. Returns 0, or -1 with ERR_USAGE.
 */
int proxy_check(const struct endpoint *target, struct err *e);

/* "the HTTP proxy 10.0.0.1 port 3128 (--proxy)", escaped; in a buffer of
 * text_slot(). */
const char *proxy_text(const struct proxy *p);

/*
 * Makes the proxy at the other end of l connect to target, whose name it
 * resolves, and reports it. Returns 0, after which the connection carries the
 * target's data, or -1 with *e: ERR_PEER if the proxy declined (with the errno
 * of a direct connection if the target was unreachable, otherwise 0),
 * ERR_PROTOCOL, ERR_LOST, ERR_TIMEOUT, or ERR_FAILED with EINTR after a caught
 * signal.
 */
int proxy_open(const struct proxy *p, const struct endpoint *target,
    struct link *l, struct deadline until, struct err *e);

#endif
