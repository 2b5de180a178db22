/*
 * One HTTP exchange at a time over a connection that is kept while both sides
 * want it: connect, send the request, read the head, then the body into a sink.
 */
#ifndef FETCH_HTTP_CLIENT_H
#define FETCH_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/deadline.h"
#include "net/addr.h"
#include "net/endpoint.h"
#include "http/http_response.h"
#include "fetch/http_timing.h"
#include "dial/connector.h"

struct err;
struct http_request;
struct proxy;
struct sink;

/* Capacity for received bytes. */
#define HTTP_CLIENT_BUFFER (256 * 1024)

struct http_client_options {
	struct connector_options connector;
	int64_t idle_ms;       /* limit without a byte either way; -1: none */
	struct deadline until; /* --max-time */
};

/* Where a request goes. */
struct http_route {
	struct endpoint server;
	const struct proxy *proxy; /* the caller's, known by its address; NULL:
				      none. An HTTP proxy is sent the request
				      itself, in the absolute form; others
				      connect to the server. */
};

/* Called while a body is read, with its bytes received so far. */
struct http_progress {
	void (*report)(void *context, uint64_t received);
	void *context;
};

struct http_client {
	const struct http_client_options *options; /* the caller's */
	int fd;                                    /* owned; -1: none */
	struct http_route route;                   /* where it leads */
	struct addr local, remote;
	int64_t opened_ns;
	uint64_t sent, received;        /* on this connection */
	bool peer_finished;             /* its FIN or reset was received */
	int send_errnum;                /* why the request was not sent, or 0 */
	bool is_truncated;              /* the response ended before its end */
	struct buf in;                  /* received, not yet parsed */
	void *storage;                  /* of in, owned */
	struct http_response *response; /* owned */
	struct http_timing times;
	const struct http_progress
	    *progress; /* while a body is read, or NULL */
};

/* Allocates. http_client_release() frees, and closes the connection. */
void http_client_init(
    struct http_client *c, const struct http_client_options *o);
void http_client_release(struct http_client *c);

/*
 * What is wrong with a route before anything is attempted. 0, or -1 with
 * ERR_USAGE.
 */
int http_client_check(
    const struct http_client *c, const struct http_route *route, struct err *e);

/*
 * Sends r along route, on the kept connection if it leads there, and reads the
 * head of the response. Interim responses are reported at -v. 0, or -1 with
 * *e; the connection is closed then.
 */
int http_client_request(struct http_client *c, const struct http_route *route,
    const struct http_request *r, struct err *e);

/*
 * The response to the last request: its head is there after
 * http_client_request(), its length and the bytes received at any time later.
 */
const struct http_response *http_client_response(const struct http_client *c);

/* How far the last request came. */
enum http_stage {
	HTTP_STAGE_NONE,      /* it was not built, or found no connection */
	HTTP_STAGE_CONNECTED, /* to the server or its HTTP proxy */
	HTTP_STAGE_ANSWERED,  /* part of a response was received */
	HTTP_STAGE_TRUNCATED  /* which ended before its declared end */
};

enum http_stage http_client_stage(const struct http_client *c);

/* Reports the last response, from url: as an event, and as a chart. */
void http_client_report(
    const struct http_client *c, const char *url, bool with_chart);

/*
 * Reads the body into s; progress may be NULL. 0 when it is complete; or -1
 * with *e, and the connection is closed: ERR_PROTOCOL when it is malformed or
 * truncated, ERR_LOST, ERR_TIMEOUT, an error of the sink, or EINTR for a caught
 * signal.
 */
int http_client_read(struct http_client *c, struct sink *s,
    const struct http_progress *progress, struct err *e);

/*
 * After the response: keeps the connection for the next request where both
 * sides can, else closes it. A short body that was not read is dropped.
 */
void http_client_finish(struct http_client *c, bool wants_more);

#endif
