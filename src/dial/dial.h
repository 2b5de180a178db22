/*
 * A dial resolves an endpoint and connects to it with Happy Eyeballs (RFC
 * 8305): it tries the addresses of the name, each 250 ms after the previous
 * one, or at once when that fails. The first to connect wins, and the others
 * are closed.
 *
 *	d = dial_start(ep, o, until);
 *	while (dial_advance(d, fds) == DIAL_WAITING) {
 *		n = dial_poll(d, fds, &wake);
 *		wait_poll(fds, n, wake);
 *	}
 *	result = dial_finish(&d, &link, &e);
 */
#ifndef DIAL_DIAL_H
#define DIAL_DIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "net/resolve.h"
#include "net/sock.h"

struct dial;
struct endpoint;
struct err;
struct link;
struct pollfd;
struct proxy;

/* The caller owns what the members point to. */
struct dial_options {
	/* How to resolve the name of the endpoint. */
	const struct name_options *names;
	/* What to set on each socket before it is connected. */
	const struct sock_options *sock;
	/* If the endpoint is a proxy, this one: errors name it. Or NULL. */
	const struct proxy *proxy;
	/* Whether an immediate reset counts as connected. */
	bool accepts_reset;
};

enum dial_state { DIAL_WAITING, DIAL_CONNECTED, DIAL_FAILED };

/* Starts to resolve ep. The arguments must stay valid. The caller ends the dial
 * with dial_finish() or, early, with dial_free(). */
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

/* Whether nobody listens: an address refused, and no other can be reached. */
bool dial_is_refused(const struct dial *d);

/*
 * Ends a dial that is not DIAL_WAITING, and reports "connected" at -v. Returns
 * 0 with *l, which the caller owns, and whose fd is non-blocking; or -1 with
 * *e, and l->fd is -1: e->errnum is a shortage (base/err.h) if one kept an
 * address from being tried.
 */
int dial_finish(struct dial **d, struct link *l, struct err *e);

/* Closes the sockets of a dial, if there is one, and sets *d to NULL. */
void dial_free(struct dial **d);

#endif
