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

struct endpoint;
struct err;
struct proxy;

struct connector_options {
	struct dial_options dial;
	const struct proxy *proxy; /* NULL: directly */
	int64_t timeout_ms; /* for an attempt with lookup and proxy; -1: none */
	int64_t retry_ms;   /* retry for this long; -1: one attempt */
};

/*
 * Checks ep and the proxy before any attempt. Returns 0, or -1 with ERR_USAGE.
 */
int connector_check(const struct endpoint *ep,
    const struct connector_options *o, struct err *e);

/*
 * Whether a failure of connector_open() may be temporary. Others come from this
 * machine, the user or a proxy that declines.
 */
bool connector_is_transient(const struct err *e);

/*
 * Connects to ep. A proxy resolves its name; the remote address in result is
 * then the proxy's. Between attempts it waits 50 ms, doubling up to 1 s; each
 * distinct cause of a failure is reported once. Returns a non-blocking fd,
 * which the caller owns, or -1 with *e: the error of the only attempt; with
 * retry_ms, ERR_TIMEOUT that quotes the last error; ERR_FAILED with EINTR after
 * a caught signal.
 */
int connector_open(const struct endpoint *ep, const struct connector_options *o,
    struct deadline until, struct dial_result *result, struct err *e);

#endif
