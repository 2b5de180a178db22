/*
 * Connects to a peer for a command: name lookup, dial, proxy handshake or the
 * program of --via, TLS, and retries until it succeeds, all under their limits.
 */
#ifndef DIAL_CONNECTOR_H
#define DIAL_CONNECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "dial/dial.h"
#include "dial/starttls.h"
#include "net/link.h"
#include "tls/tls.h"

struct endpoint;
struct err;
struct proxy;

/* A connection is direct, through a proxy or a program; each may have TLS. The
 * caller owns what the members point to. */
struct connector_options {
	struct dial_options dial;

	/* The proxy to connect through, or NULL. */
	const struct proxy *proxy;

	/* --via: the command for sh -c that makes the connection, or NULL. In
	 * it %h is the host, %p the port, and %% a percent sign. */
	const char *via;

	/* TLS, and the request for it that precedes the handshake if
	 * tls.is_on. */
	struct tls_options tls;
	enum starttls starttls;

	/* Whether to wait for the program of --via to fail at once. With
	 * retries this is always done. */
	bool checks_via;

	/* Whether to terminate the program of --via when the connection is
	 * closed. */
	bool stops_via;

	/* What the end of this side does to a peer that is reached by TLS or a
	 * proxy; or LINK_EOF_PROGRAM, to a program. To others it is
	 * LINK_EOF_SAFE, as with TLS alone if no answer is expected. */
	enum link_eof eof;
	bool expects_answer;

	/* The limit of one attempt, with lookup and proxy. */
	struct limit timeout;

	/* For how long to retry, in milliseconds; -1: one attempt. */
	int64_t retry_ms;
};

/* Checks ep and the options. Returns 0, or -1 as tls_check(), or ERR_USAGE. */
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
