/*
 * Connects with Happy Eyeballs (RFC 8305): tries the addresses of a name, each
 * 250 ms after the previous one, or at once when that fails. The first to
 * connect wins, the others are closed. connect, http-get and listen's
 * forwarding use it.
 */
#ifndef DIAL_DIAL_H
#define DIAL_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "net/addr.h"
#include "net/resolve.h"
#include "net/sock.h"

struct endpoint;
struct err;
struct tls;
struct via;

struct dial_options {
	struct name_options names;
	int type;                 /* SOCK_STREAM, or SOCK_DGRAM for unix(7) */
	struct addr source;       /* local address, or len 0 */
	uint16_t source_port;     /* local port, or 0 */
	struct sock_options sock; /* set before connecting */
	const char *name;         /* in errors; NULL: the endpoint's */
};

/* A connection that dial_connect() or connector_open() made. */
struct dial_result {
	struct addr local, remote;
	int64_t ns;         /* the whole phase, with its name lookup */
	int64_t resolve_ns; /* the name lookup alone */
	int64_t tls_ns;     /* the TLS handshake, after ns; 0: none */
	struct via *via;    /* of connector_open(), which owns them; NULL */
	struct tls *tls;
};

/*
 * Resolves ep, connects to one of its addresses, and reports "connected" at -v.
 * Returns a non-blocking fd, which the caller owns, or -1 with *e; ERR_FAILED
 * with EINTR after a caught signal. result may be NULL.
 */
int dial_connect(const struct endpoint *ep, const struct dial_options *o,
    struct deadline until, struct dial_result *result, struct err *e);

#endif
