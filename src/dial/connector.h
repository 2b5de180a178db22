/*
 * Connects to a peer for a command: name lookup, dial, proxy handshake, and
 * retries until it succeeds, all under their limits.
 */
#ifndef DIAL_CONNECTOR_H
#define DIAL_CONNECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "dial/dial.h"
#include "tls/tls_options.h"

struct endpoint;
struct err;
struct proxy;

/* A connection is direct, through a proxy or through a program; TLS may be
 * added to each. */
struct connector_options {
	struct dial_options dial;
	const struct proxy *proxy; /* NULL: none */
	/* --via: a program is the connection, as with ProxyCommand in
	 * ssh_config(5). sh -c runs this, with %h and %p replaced by the host
	 * and the port and %% by a percent sign. NULL: none. */
	const char *via;
	struct tls_options tls;
	bool checks_via; /* wait whether the program of via fails at once, as
			    retries do */
	bool stops_via;  /* terminate it when the connection is closed */
	struct limit timeout; /* of an attempt with lookup and proxy */
	int64_t retry_ms;     /* retry for this long; -1: one attempt */
};

/*
 * Checks ep, the proxy, via and tls before any attempt. Returns 0, or -1 with
 * ERR_USAGE, or the error of tls_check().
 */
int connector_check(const struct endpoint *ep,
    const struct connector_options *o, struct err *e);

/*
 * Connects to ep. A proxy resolves its name; the remote address in result is
 * then the proxy's. Between attempts it waits 50 ms, doubling up to 1 s; each
 * distinct cause of a failure is reported once. Returns a non-blocking fd,
 * which the caller owns, or -1 with *e: the error of the only attempt; with
 * retry_ms, ERR_TIMEOUT that quotes the last error; ERR_FAILED with EINTR after
 * a caught signal. End the connection with connector_close() or
 * connector_discard().
 */
int connector_open(const struct endpoint *ep, const struct connector_options *o,
    struct deadline until, struct dial_result *result, struct err *e);

/*
 * Ends the processes of a connection (--via, --tls), if there are any, after
 * its descriptor has been closed. status and *e are the result of what was done
 * with it: 0 promises that the connection ended as it should, so this waits
 * until the processes have exited and checks how they did; after ERR_LOST it
 * finds out why; after any other error it terminates them. Returns status, or
 * -1 with *e: ERR_LOST, the error of tls_end(), or 126 or 127 if the shell
 * cannot run the program. It is bounded in time.
 */
int connector_close(struct dial_result *result, int status,
    struct deadline until, struct err *e);

/*
 * Closes a connection of which nothing more is wanted: informs a TLS peer,
 * without waiting long, and terminates the processes. Sets *fd to -1.
 */
void connector_discard(struct dial_result *result, int *fd);

#endif
