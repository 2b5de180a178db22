/*
 * The HTTP client: one exchange at a time over a connection that is kept while
 * both sides allow it. It connects, sends the request, reads the head, then
 * copies the body to a sink.
 */
#ifndef FETCH_HTTP_CLIENT_H
#define FETCH_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/deadline.h"
#include "base/progress.h"
#include "base/rate.h"
#include "fetch/route.h"
#include "fetch/timing.h"
#include "http/http_request.h"
#include "net/link.h"

struct err;
struct sha256;
struct sink;

/* It has over 200 KiB, too many for the stack. */
struct http_client {
	struct limit idle;     /* The longest time without data. */
	struct deadline until; /* The caller sets the limit of what follows. */

	bool is_open;     /* There is a connection; the next two describe it. */
	struct link link; /* The client owns it; its fd is -1 after its end. */
	struct route route; /* The route that it was made along. */

	struct timing timing; /* The phases of the last exchange. */
	int send_errnum;      /* Why the request was not sent, or 0. */
	bool is_truncated;    /* The response ended early. */
	struct rate rate;     /* Limits what is received. */
	struct buf in;        /* Bytes received and not yet parsed; owned. */
	char request[HTTP_REQUEST_SIZE];
	/* The caller may read its head after http_client_request(); and its
	 * length, and how many bytes were received, at any later time. */
	struct http_response response;
	/* If the caller has started it, it is drawn while the body is read. The
	 * body counts from count.skipped on. */
	struct progress progress;
	struct progress_count count;
};

/* Allocates the buffer. rate limits the bytes received per second; 0 does not.
 * http_client_release() frees the buffer and closes the connection. */
void http_client_init(struct http_client *c, struct limit idle, int64_t rate);
void http_client_release(struct http_client *c);

/*
 * Sends r along the route, on the kept connection if that leads there, and
 * reads the head of the response. Sets the members of r that are for a proxy.
 * Interim responses are reported at -v. Returns 0, or -1 with *e and the
 * connection closed. Here and below, e->waits is set if the response ended
 * early: another attempt may be whole.
 */
int http_client_request(struct http_client *c, const struct route *route,
    struct http_request *r, struct err *e);

/*
 * Reads the body into s, and adds it to the digest, unless that is NULL.
 * Returns 0 if the body is complete, or -1 with *e and the connection closed:
 * ERR_PROTOCOL if it is malformed or truncated, ERR_LOST, ERR_TIMEOUT, an error
 * of the sink, or EINTR after a caught signal.
 */
int http_client_read(struct http_client *c, struct sink *s,
    struct sha256 *digest, struct err *e);

/* Prints the head of the response on stderr, with "..." in place of
 * credentials; escaped if that is a terminal, unless raw. */
void http_client_show_head(const struct http_client *c, bool raw);

/*
 * Call this after the response: keeps the connection for the next request if
 * both sides can, otherwise closes it. Discards the rest of a short body.
 */
void http_client_finish(struct http_client *c, bool wants_more);

#endif
