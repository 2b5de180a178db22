/*
 * A relay: two flows between a socket and a pair of descriptors, and the
 * policy that says when it is over. The rule by default: own input ends, then
 * the sending side is closed (FIN) and receiving goes on; the peer finishes,
 * then what was received is written out, what the input holds by then is
 * still sent, and nothing more is waited for. No time limit.
 */
#ifndef NET_RELAY_H
#define NET_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "net/addr.h"

struct err;

/* When own input ends. */
enum relay_on_eof {
	RELAY_EOF_FIN,  /* send FIN, go on receiving */
	RELAY_EOF_KEEP, /* say nothing, go on receiving */
	RELAY_EOF_QUIT  /* leave as soon as everything is sent */
};

/* When the peer finishes. */
enum relay_on_peer_eof {
	RELAY_PEER_DRAIN,  /* send what the input holds by then, leave */
	RELAY_PEER_FINISH, /* go on sending until own input ends */
	RELAY_PEER_QUIT    /* leave */
};

struct relay_options {
	int in, out; /* stdin and stdout, or -1: not used */
	enum relay_on_eof on_eof;
	enum relay_on_peer_eof on_peer_eof;
	int64_t idle_ms;       /* no byte either way for so long; -1: any */
	struct deadline until; /* end of the whole run */
};

/* Who ended it. */
enum relay_first {
	RELAY_NOBODY, /* neither has: a limit or an error did */
	RELAY_US,
	RELAY_PEER
};

struct relay_result {
	uint64_t sent, received; /* bytes */
	enum relay_first first;  /* whose end came first */
	bool reset;              /* the peer reset the connection */
};

/*
 * Relays until it is over. fd is a connected socket, non-blocking or not,
 * and stays the caller's; so do in and out. in may be the same socket as out:
 * a forwarder; its sending side is then closed when fd's peer finishes. 0, or
 * -1 with *e: ERR_TIMEOUT, ERR_LOST, ERR_OUTPUT, or ERR_FAILED with EINTR for
 * a caught signal. *r is filled in both cases.
 */
int relay_run(int fd, const struct relay_options *o, struct relay_result *r,
    struct err *e);

/*
 * Tells how a connection ended: the "closed" event, at level. status is the
 * exit status of this connection.
 */
void relay_tell_closed(int level, const struct addr *local,
    const struct addr *remote, const struct relay_result *r, int64_t ns,
    int status);

#endif
