/*
 * Connects with Happy Eyeballs (RFC 8305): tries the addresses of a name, each
 * 250 ms after the previous one, or at once when that fails. The first to
 * connect wins, the others are closed. connect, http-get and listen's
 * forwarding use it.
 */
#ifndef DIAL_DIAL_H
#define DIAL_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "net/addr.h"
#include "net/resolve.h"
#include "net/sock.h"

struct dial;
struct endpoint;
struct err;
struct pollfd;
struct tls;
struct via;

struct dial_options {
	const struct name_options *names;
	const struct sock_options *sock; /* set before connecting */
	const char *name;                /* in errors; NULL: the endpoint's */
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
 * Returns a non-blocking fd, which the caller owns, or -1 with *e: e->errnum is
 * a shortage (base/err.h) if one kept an address from being tried; ERR_FAILED
 * with EINTR after a caught signal. result may be NULL.
 */
int dial_connect(const struct endpoint *ep, const struct dial_options *o,
    struct deadline until, struct dial_result *result, struct err *e);

/*
 * The same as a state machine, for many at a time:
 *
 *	d = dial_start(ep, o, until);
 *	while (dial_advance(d, fds) == DIAL_WAITING) {
 *		n = dial_poll(d, fds, &wake);
 *		wait_poll(fds, n, wake);
 *	}
 *	fd = dial_finish(&d, &result, &e);
 */
enum dial_state { DIAL_WAITING, DIAL_CONNECTED, DIAL_FAILED };

/* What the arguments point to must stay valid. The caller ends it with
 * dial_finish() or, early, with dial_free(). */
struct dial *dial_start(const struct endpoint *ep, const struct dial_options *o,
    struct deadline until);

/* The most entries that dial_poll() sets next. */
size_t dial_capacity(const struct dial *d);

/* Sets fds to what d waits for, makes *wake no later than when it goes on
 * without, and returns the number of entries. */
size_t dial_poll(
    const struct dial *d, struct pollfd *fds, struct deadline *wake);

/* Goes on. fds is what dial_poll() set, after the poll; NULL before the first
 * one. */
enum dial_state dial_advance(struct dial *d, const struct pollfd *fds);

/*
 * Whether a dial that has failed shows that nobody listens: addresses have
 * refused, and no other one could be reached from here at all.
 */
bool dial_is_refused(const struct dial *d);

/* Ends a dial that waits no more. Returns as dial_connect(). */
int dial_finish(struct dial **d, struct dial_result *result, struct err *e);

void dial_free(struct dial **d);

#endif
