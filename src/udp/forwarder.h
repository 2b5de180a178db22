/*
 * A forwarder of datagrams: sends what the clients of a server send on to a
 * target, and receives the target's answers to them. Each client has a session
 * with a socket of its own, connected to the target, so that the system sorts
 * the answers by client and drops what others send to it. A target with several
 * addresses that refuses at one of them before it has answered is tried at the
 * next; one that stays silent is looked up again.
 */
#ifndef UDP_FORWARDER_H
#define UDP_FORWARDER_H

#include <stdint.h>

#include "base/deadline.h"

struct dgram_server;
struct endpoint;
struct err;

struct forwarder_options {
	/* The maximum number of sessions at once. If descriptors are short,
	 * there are fewer. */
	int64_t max_sessions;
	/* A session ends when this time has passed without a datagram in
	 * either direction. */
	int64_t session_ms;
};

struct forwarder;

/*
 * Looks up the target, and raises the limit of descriptors. The server, whose
 * options have is_forwarder set, *to and *o must remain valid: the sessions'
 * sockets get the server's socket options, and its statistics count sessions.
 * Returns a forwarder, which forwarder_free() frees, or NULL with *e: ERR_USAGE
 * if the target is one of the server's sockets.
 */
struct forwarder *forwarder_new(struct dgram_server *server,
    const struct endpoint *to, const struct forwarder_options *o,
    struct err *e);

/*
 * Ends the sessions whose time has passed, and waits for datagrams of clients
 * and of the target. Returns how many sockets are ready; 0 if until has passed;
 * or -1 with errno, EINTR for a caught signal.
 */
int forwarder_wait(struct forwarder *f, struct deadline until);

/*
 * Receives from the i-th ready socket if it belongs to a session: sets *count
 * to the number of the target's answers in server->answers, perhaps 0, each
 * addressed to the client, and returns -1. For a socket of the server, returns
 * its index in the listener, with *count 0.
 */
int forwarder_receive(struct forwarder *f, int i, int *count);

/*
 * Sends the first datagrams of server->received to the target, and clears their
 * remote and local addresses. A session begins with a client's first datagram;
 * if there are too many sessions, the one that has been idle longest ends. A
 * datagram that cannot be sent is reported as ignored.
 */
void forwarder_send(struct forwarder *f, int count);

/* Closes all sessions and reports each one. Call it before
 * dgram_server_report(). NULL is ignored. */
void forwarder_finish(struct forwarder *f);

/* Frees the forwarder, which has no sessions any more; NULL is ignored. */
void forwarder_free(struct forwarder *f);

#endif
