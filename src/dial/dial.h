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

#include "base/deadline.h"
#include "net/addr.h"
#include "net/resolve.h"
#include "net/sock.h"

struct dial;
struct endpoint;
struct err;
struct link;
struct pollfd;

struct dial_options {
	const struct name_options *names;
	const struct sock_options *sock; /* set before connecting */
	const char *name;                /* in errors; NULL: the endpoint's */
	bool accepts_reset; /* a peer that resets at once is connected, too */
};

/*
 * Resolves ep, connects to one of its addresses, and reports "connected" at -v.
 * Returns 0 with *l, which the caller owns, and whose fd is non-blocking; or -1
 * with *e, and l->fd is -1: e->errnum is a shortage (base/err.h) if one kept an
 * address from being tried; ERR_FAILED with EINTR after a caught signal.
 */
int dial_connect(const struct endpoint *ep, const struct dial_options *o,
    struct deadline until, struct link *l, struct err *e);

/*
 * dial_connect() as a state machine, for many dials at a time:
 *
 *	d = dial_start(ep, o, until);
 *	while (dial_advance(d, fds) == DIAL_WAITING) {
 *		n = dial_poll(d, fds, &wake);
 *		wait_poll(fds, n, wake);
 *	}
 *	result = dial_finish(&d, &link, &e);
 */
enum dial_state { DIAL_WAITING, DIAL_CONNECTED, DIAL_FAILED };

/* The arguments must stay valid. The caller ends the dial with dial_finish()
 * or, early, with dial_free(). */
struct dial *dial_start(const struct endpoint *ep, const struct dial_options *o,
    struct deadline until);

/* The most entries that the next dial_poll() sets. */
size_t dial_capacity(const struct dial *d);

/* Sets fds to the descriptors that d waits for, and returns their number. Makes
 * *wake no later than the time when d continues without them. */
size_t dial_poll(
    const struct dial *d, struct pollfd *fds, struct deadline *wake);

/* Continues the dial. fds are the entries that dial_poll() set, after poll(2);
 * NULL before the first poll. */
enum dial_state dial_advance(struct dial *d, const struct pollfd *fds);

/*
 * Whether a failed dial shows that nobody listens: some address refused, and
 * all others cannot be reached from this machine.
 */
bool dial_is_refused(const struct dial *d);

/* Ends a dial that is not DIAL_WAITING. Returns as dial_connect(). */
int dial_finish(struct dial **d, struct link *l, struct err *e);

void dial_free(struct dial **d);

#endif
