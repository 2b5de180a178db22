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
#include "dial/starttls.h"
#include "tls/tls.h"

struct endpoint;
struct err;
struct link;
struct proxy;

/* A connection is direct, through a proxy or through a program; each may have
 * TLS. */
struct connector_options {
	struct dial_options dial;
	const struct proxy *proxy; /* NULL: none */
	/* --via: the command of a program that makes the connection, as with
	 * ProxyCommand in ssh_config(5). sh -c runs it, with %h and %p replaced
	 * by host and port, and %% by a percent sign. NULL: none. */
	const char *via;
	struct tls_options tls;
	enum starttls starttls; /* before TLS, if tls.is_on */
	bool checks_via; /* wait for the program of via to fail at once; always
			    with retries */
	bool stops_via;  /* terminate it when the connection is closed */
	struct limit timeout; /* of an attempt with lookup and proxy */
	bool is_single;       /* only one connection will be made */
	struct limit idle;    /* without progress while TLS ends */
	int64_t retry_ms;     /* retry for this long; -1: one attempt */
};

/*
 * Checks ep, the proxy, via and tls before any attempt. Returns 0, or -1 with
 * ERR_USAGE, or the error of tls_check().
 */
int connector_check(const struct endpoint *ep,
    const struct connector_options *o, struct err *e);

/*
 * Connects to ep. A proxy resolves its name; the remote address is then the
 * proxy's. Between attempts it waits 50 ms, doubling up to 1 s; each distinct
 * cause of a failure is reported once. Returns 0 with *l, whose fd is
 * non-blocking; or -1 with *e, and l->fd is -1: the error of the only attempt;
 * with retry_ms, ERR_TIMEOUT that quotes the last error; ERR_FAILED with EINTR
 * after a caught signal.
 */
int connector_open(const struct endpoint *ep, const struct connector_options *o,
    struct deadline until, struct link *l, struct err *e);

#endif
