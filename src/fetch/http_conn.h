/*
 * A connection of the HTTP client: where it leads, what went over it, and
 * whether it can be used again.
 */
#ifndef FETCH_HTTP_CONN_H
#define FETCH_HTTP_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "dial/connector.h"
#include "net/endpoint.h"

struct err;
struct proxy;

/* Where a request goes. */
struct http_route {
	struct endpoint server;
	bool is_tls;
	const struct proxy *proxy; /* the caller's, compared by address; NULL:
				      none. An HTTP proxy receives the request
				      in the absolute form; with TLS, and any
				      other proxy, it connects to the server. */
};

struct http_conn {
	const struct connector_options *options; /* the caller's */
	bool is_open;
	int fd; /* owned; -1 after http_conn_end() */
	struct http_route route;
	struct dial_result made; /* with its processes, owned */
	int64_t opened_ns;       /* when it began to connect */
	int64_t open_ns;         /* when it was connected, with TLS */
	uint64_t sent, received;
	bool peer_finished; /* its FIN or reset was received */
};

/*
 * Sets *c to no connection. The proxy of o is ignored: a route has it. Its tls
 * is for routes with TLS.
 */
void http_conn_init(struct http_conn *c, const struct connector_options *o);

/*
 * Checks a route before any attempt to connect. Returns 0, or -1 with
 * ERR_USAGE.
 */
int http_conn_check(
    const struct http_conn *c, const struct http_route *route, struct err *e);

/* Whether requests along route go to an HTTP proxy, which forwards them. */
bool http_conn_is_forwarded(const struct http_route *route);

/* Whether the open connection has that route, and nothing to read. */
bool http_conn_is_reusable(
    const struct http_conn *c, const struct http_route *route);

/*
 * Connects along route, after http_conn_close(). Returns 0, or -1 with *e and
 * no connection; see dial/connector.h.
 */
int http_conn_open(struct http_conn *c, const struct http_route *route,
    struct deadline until, struct err *e);

/*
 * Call this at the end of what the peer sends. Returns 0 if nothing else says
 * that the end came early, or -1 with *e: TLS was not ended by the peer, or the
 * program that carries the connection failed.
 */
int http_conn_end(struct http_conn *c, struct deadline until, struct err *e);

/*
 * Closes the connection, if there is one, after an error; *e may become the
 * error of a process that carries it. Always returns -1.
 */
int http_conn_abort(struct http_conn *c, struct deadline until, struct err *e);

/* Closes the connection, if there is one, and reports it; status is the exit
 * status of its last exchange. */
void http_conn_close(struct http_conn *c, int status);

#endif
