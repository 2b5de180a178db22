/*
 * Reaching a peer, as a command wants it: name look-up, dial, a proxy's
 * handshake, and retries until it succeeds, all under their limits.
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
	int64_t timeout_ms; /* for one try, with look-up and proxy; -1: none */
	int64_t retry_ms;   /* try again for this long; -1: one try */
};

/*
 * What is wrong with ep or the proxy before anything is attempted: 0, or -1
 * with ERR_USAGE.
 */
int connector_check(const struct endpoint *ep,
    const struct connector_options *o, struct err *e);

/*
 * Whether connector_open()'s failure may go away without anyone's doing; others
 * are about this machine, the user or a proxy that declines.
 */
bool connector_is_transient(const struct err *e);

/*
 * Connects to ep, whose name a proxy resolves; result's remote address is the
 * proxy's then. Between tries it waits 50 ms, doubling up to 1 s; each
 * distinct cause of a failed try is reported once. Returns the fd, the caller's
 * and non-blocking, or -1 with *e: that of the only try; with retry_ms
 * ERR_TIMEOUT that quotes the last one's; ERR_FAILED with EINTR for a caught
 * signal.
 */
int connector_open(const struct endpoint *ep, const struct connector_options *o,
    struct deadline until, struct dial_result *result, struct err *e);

#endif
