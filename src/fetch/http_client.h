/* The HTTP client: sends a request and reads its response, over a connection
 * that is kept for the next one. */
#ifndef FETCH_HTTP_CLIENT_H
#define FETCH_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/deadline.h"
#include "base/err.h"
#include "base/diag.h"
#include "base/rate.h"
#include "fetch/route.h"
#include "fetch/timing.h"
#include "http/http_request.h"
#include "net/link.h"

struct download_options;
struct sha256;
struct sink;
struct url;

/*
 * An HTTP client: one exchange at a time over a connection that is kept while
 * both sides allow it. It connects, sends the request, reads the head, then
 * copies the body to a sink. Over 200 KiB: too large for the stack.
 */
struct http_client {
	const struct download_options *options; /* the caller's */

	struct route_rules rules;

	struct deadline until; /* the caller may set it: that of the options, or
				  an earlier one */
	bool left_origin; /* the caller sets it: a redirect has led to another
			     origin, which gets no client certificate */

	struct sha256 *digest; /* the caller sets it: the digest of the body
				  that is read; NULL: none */

	bool is_open; /* there is a connection, which the next three describe */
	struct link link; /* owned; its fd is -1 after its end */
	struct route route;

	int send_errnum;      /* why the request was not sent, or 0 */
	bool is_truncated;    /* the response ended early */
	struct timing timing; /* of the exchange */
	struct rate rate;     /* what is received */
	struct buf in;        /* received, not yet parsed; owned */
	char request[HTTP_REQUEST_SIZE];
	/* The caller reads its head after http_client_request(), its length and
	 * the bytes received at any time later. */
	struct http_response response;
	/* Drawn while the body is read, if the caller has started it; the body
	 * counts from count.skipped on. */
	struct progress progress;
	struct progress_count count;
};

/*
 * Allocates the buffer. http_client_release() frees it and closes the
 * connection; call it in any case. Without a proxy of the options, http_proxy,
 * https_proxy and no_proxy in the environment apply. Returns 0, or -1 with
 * ERR_USAGE if http_proxy, the Unix socket or --connect-to is malformed.
 */
int http_client_init(
    struct http_client *c, const struct download_options *o, struct err *e);
void http_client_release(struct http_client *c);

/* Checks the host of a URL and the route to it, without connecting. Returns 0,
 * or -1 with ERR_USAGE. */
int http_client_check(
    const struct http_client *c, const struct url *u, struct err *e);

/*
 * Sends r, on the kept connection if that leads to its URL, and reads the head
 * of the response. Sets the members of r that are for a proxy. Interim
 * responses are reported at -v. Returns 0, or -1 with *e and the connection
 * closed.
 */
int http_client_request(
    struct http_client *c, struct http_request *r, struct err *e);

/*
 * Reads the body into s. Returns 0 if it is complete, or -1 with *e and the
 * connection closed: ERR_PROTOCOL if it is malformed or truncated, ERR_LOST,
 * ERR_TIMEOUT, an error of the sink, or EINTR after a caught signal.
 */
int http_client_read(struct http_client *c, struct sink *s, struct err *e);

/* Prints the head of the response on stderr, escaped if that is a terminal,
 * unless raw; with "..." in place of credentials. */
void http_client_show_head(const struct http_client *c, bool raw);

/*
 * Call this after the response: keeps the connection for the next request if
 * both sides can, otherwise closes it. Discards what is left of a short body.
 */
void http_client_finish(struct http_client *c, bool wants_more);

#endif
