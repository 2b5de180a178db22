/*
 * An HTTP client: one exchange at a time over a connection that is kept while
 * both sides allow it. It connects, sends the request, reads the head, then
 * copies the body to a sink.
 */
#ifndef FETCH_HTTP_CLIENT_H
#define FETCH_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/deadline.h"
#include "http/http_response.h"
#include "fetch/http_conn.h"
#include "fetch/http_timing.h"
#include "dial/connector.h"

struct err;
struct http_request;
struct sink;

/* Capacity for received bytes. */
#define HTTP_CLIENT_BUFFER (256 * 1024)

struct http_client_options {
	struct connector_options connector;
	int64_t idle_ms; /* limit without data in either direction; -1: none */
	struct deadline until; /* --max-time */
};

/* Called while a body is read, with the number of its bytes so far. */
struct http_progress {
	void (*report)(void *context, uint64_t received);
	void *context;
};

struct http_client {
	const struct http_client_options *options; /* the caller's */
	struct deadline until; /* of the options, or an earlier one */
	struct http_conn conn;
	int send_errnum;                /* why the request was not sent, or 0 */
	bool is_truncated;              /* the response ended early */
	struct buf in;                  /* received, not yet parsed */
	void *storage;                  /* of in, owned */
	char *request;                  /* HTTP_REQUEST_SIZE bytes, owned */
	size_t request_length;          /* of the request that is sent */
	struct http_response *response; /* owned */
	struct http_timing times;
	const struct http_progress
	    *progress; /* while a body is read, or NULL */
};

/* Allocates the buffers. http_client_release() frees them and closes the
 * connection. */
void http_client_init(
    struct http_client *c, const struct http_client_options *o);
void http_client_release(struct http_client *c);

/*
 * Limits what follows to until, if that is earlier than the limit of the
 * options. deadline_none() lifts it.
 */
void http_client_limit(struct http_client *c, struct deadline until);

/*
 * Checks a route before any attempt to connect. Returns 0, or -1 with
 * ERR_USAGE.
 */
int http_client_check(
    const struct http_client *c, const struct http_route *route, struct err *e);

/*
 * Sends r along route, on the kept connection if it has that route, and reads
 * the head of the response. Interim responses are reported at -v. Returns 0, or
 * -1 with *e and the connection closed.
 */
int http_client_request(struct http_client *c, const struct http_route *route,
    const struct http_request *r, struct err *e);

/*
 * The response to the last request. Its head is valid after
 * http_client_request(), its length and the bytes received at any time later.
 */
const struct http_response *http_client_response(const struct http_client *c);

/* How far the last request got. */
enum http_stage {
	HTTP_STAGE_NONE,      /* it was not built, or not connected */
	HTTP_STAGE_CONNECTED, /* to the server or its HTTP proxy */
	HTTP_STAGE_ANSWERED,  /* part of a response was received */
	HTTP_STAGE_TRUNCATED  /* the response ended early */
};

enum http_stage http_client_stage(const struct http_client *c);

/*
 * Reports the last response, from url, as an event and, with_chart, as a chart.
 */
void http_client_report(
    const struct http_client *c, const char *url, bool with_chart);

/*
 * Reads the body into s; progress may be NULL. Returns 0 if it is complete, or
 * -1 with *e and the connection closed: ERR_PROTOCOL if it is malformed or
 * truncated, ERR_LOST, ERR_TIMEOUT, an error of the sink, or EINTR after a
 * caught signal.
 */
int http_client_read(struct http_client *c, struct sink *s,
    const struct http_progress *progress, struct err *e);

/*
 * Call this after the response: keeps the connection for the next request if
 * both sides can, otherwise closes it. A short body that was not read is
 * discarded.
 */
void http_client_finish(struct http_client *c, bool wants_more);

#endif
