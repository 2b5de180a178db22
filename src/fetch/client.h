/*
 * An HTTP client: one exchange at a time over a connection that is kept while
 * both sides allow it. It connects, sends the request, reads the head, then
 * copies the body to a sink.
 */
#ifndef FETCH_CLIENT_H
#define FETCH_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/deadline.h"
#include "base/progress.h"
#include "base/rate.h"
#include "dial/connector.h"
#include "fetch/route.h"
#include "http/http_response.h"
#include "net/link.h"

struct err;
struct http_request;
struct sha256;
struct sink;
struct url;

/* Capacity for received bytes. */
#define CLIENT_BUFFER (256 * 1024)

struct client_options {
	/* Its tls is for https; without its proxy and via, the environment
	 * names the proxy. */
	const struct connector_options *connector;
	const char *connect_to; /* HOST:PORT, in place of the origin of the
				   user's URLs; NULL: none */
	const char *unix_path;  /* a Unix socket for every request, or NULL */
	struct limit idle;      /* without data in either direction */
	struct deadline until;  /* --max-time */
	int64_t rate;           /* received, bytes per second; 0: no limit */
};

/* The phases of an exchange, by what ends them. */
enum client_phase {
	CLIENT_RESOLVED,  /* the name is resolved */
	CLIENT_CONNECTED, /* connected, to a proxy too */
	CLIENT_SECURED,   /* the TLS handshake is done */
	CLIENT_SENT,      /* the request is sent */
	CLIENT_ANSWERED,  /* the first byte of the response was received */
	CLIENT_RECEIVED,  /* and the last */
	CLIENT_PHASES
};

struct client {
	const struct client_options *options; /* the caller's */
	struct route_rules rules;             /* where requests go */
	struct deadline until; /* the caller may set it: that of the options, or
				  an earlier one */
	bool left_origin; /* the caller sets it: a redirect has led to another
			     origin, which gets no client certificate */

	struct sha256 *digest; /* the caller sets it: the digest of the body
				  that is read; NULL: none */

	bool is_open; /* there is a connection, which the next three describe */
	struct link link; /* owned; its fd is -1 after its end */
	struct route route;
	bool may_certify; /* it may show the client certificate */

	bool is_reused;        /* the request went over a kept connection */
	int send_errnum;       /* why the request was not sent, or 0 */
	bool is_truncated;     /* the response ended early */
	const struct url *url; /* of the request, the caller's */
	int64_t start_ns;      /* of the exchange, a reading of clock_now() */
	int64_t ends_ns[CLIENT_PHASES]; /* likewise; 0: not reached */
	struct rate rate;               /* what is received */
	struct buf in;                  /* received, not yet parsed; owned */
	char *request;                  /* that is sent, owned */
	struct http_response *response; /* owned; the caller reads it: its head
					   is valid after client_request(), its
					   length and the bytes received at any
					   time later */
	/* Drawn while the body is read, if the caller has started it.
	 * count.done becomes count.skipped plus the bytes of the body so far.
	 */
	struct progress progress;
	struct progress_count count;
};

/*
 * Allocates the buffers. client_release() frees them and closes the connection;
 * call it in any case. Returns 0, or -1 with the error of route_init().
 */
int client_init(
    struct client *c, const struct client_options *o, struct err *e);
void client_release(struct client *c);

/*
 * Checks the host of a URL and the route to it before any attempt to connect.
 * Returns 0, or -1 with ERR_USAGE.
 */
int client_check(const struct client *c, const struct url *u, struct err *e);

/*
 * Sends r, on the kept connection if that leads to its URL, and reads the head
 * of the response. Sets the members of r that are for a proxy. Interim
 * responses are reported at -v. Returns 0, or -1 with *e and the connection
 * closed.
 */
int client_request(struct client *c, struct http_request *r, struct err *e);

/*
 * Reports the last response as the event "response" and, with_chart, as a chart
 * on stderr.
 */
void client_report(const struct client *c, bool with_chart);

/*
 * Reads the body into s. Returns 0 if it is complete, or -1 with *e and the
 * connection closed: ERR_PROTOCOL if it is malformed or truncated, ERR_LOST,
 * ERR_TIMEOUT, an error of the sink, or EINTR after a caught signal.
 */
int client_read(struct client *c, struct sink *s, struct err *e);

/* Prints the head of the response on stderr, escaped if that is a terminal,
 * unless raw; with "..." in place of credentials. */
void client_show_head(const struct client *c, bool raw);

/*
 * Call this after the response: keeps the connection for the next request if
 * both sides can, otherwise closes it. A short body that was not read is
 * discarded.
 */
void client_finish(struct client *c, bool wants_more);

#endif
