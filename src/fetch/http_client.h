/*
 * One HTTP exchange at a time over a connection that is kept while both sides
 * want it: dial, send the request, read the head, then the body into a sink.
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

/* Received bytes that wait at most. */
#define HTTP_CLIENT_BUFFER (256 * 1024)

struct http_client_options {
	struct connector_options reach;
	int64_t idle_ms;       /* no byte either way for so long; -1: any */
	struct deadline until; /* end of the whole run */
};

/* Told while the body is read: how many bytes of it have come. */
typedef void http_client_progress(void *context, uint64_t received);

struct http_client {
	const struct http_client_options *options; /* the caller's */
	int fd;                                    /* owned; -1: none */
	struct endpoint peer;                      /* where it leads */
	const struct proxy *proxy;                 /* and by which way */
	struct addr local, remote;
	int64_t opened_ns;
	uint64_t sent, received; /* on this connection */
	bool peer_finished;      /* its FIN or reset has come */
	int send_errnum;         /* why the request was not sent, or 0 */
	bool is_fresh;           /* nothing of a response has come */
	bool is_truncated;       /* it ended before its declared end */
	struct buf in;           /* received, not yet looked at */
	void *storage;           /* in's, owned */
	struct http_response
	    *response; /* owned; response->head is the response's */
	struct http_timing times;
	http_client_progress *progress; /* while a body is read, or NULL */
	void *progress_context;
};

/* Allocates; http_client_release() is due, which closes the connection. */
void http_client_init(
    struct http_client *c, const struct http_client_options *o);
void http_client_release(struct http_client *c);

/*
 * What can be said against peer and the way to it before anything is
 * attempted; proxy as for http_client_ask(). 0, or -1 with ERR_USAGE.
 */
int http_client_check(const struct http_client *c, const struct endpoint *peer,
    const struct proxy *proxy, struct err *e);

/*
 * Sends r to the server at peer, on the kept connection if it leads there,
 * and reads the head of the response into c->response->head. proxy is the way
 * there, or NULL: an HTTP proxy is sent the request itself, which is to be in
 * the absolute form; others connect us through. It is the caller's and is
 * known by its address. Interim responses are told at -v. 0, or -1 with *e;
 * the connection is closed then, and times.connected_ns is 0 when it was
 * never open.
 */
int http_client_ask(struct http_client *c, const struct endpoint *peer,
    const struct proxy *proxy, const struct http_request *r, struct err *e);

/*
 * Reads the body into s. 0 when it is whole; or -1 with *e, and the
 * connection is closed: ERR_PROTOCOL when it is malformed or truncated,
 * ERR_LOST, ERR_TIMEOUT, what the sink met, or EINTR for a caught signal.
 */
int http_client_read(struct http_client *c, struct sink *s,
    http_client_progress *progress, void *context, struct err *e);

/*
 * After the response: keeps the connection for the next request where both
 * sides can, else closes it. A short body that nobody read is dropped.
 */
void http_client_finish(struct http_client *c, bool wants_more);

#endif
