/*
 * The sessions of a datagram forwarder: each client has a socket of its own,
 * connected to the target, so that the system sorts the answers and drops what
 * others send.
 */
#ifndef UDP_SESSIONS_H
#define UDP_SESSIONS_H

#include <stdint.h>

#include "net/endpoint.h"
#include "udp/dgram.h"

struct err;
struct listener;
struct name_options;
struct sessions;

struct sessions_options {
	struct endpoint to;
	const struct name_options *names;
	const struct sock_options *sock;      /* of the sockets to the target */
	const struct multicast_group *groups; /* that the server has joined */
	size_t group_count;
	int64_t max;           /* sessions at once */
	int64_t timeout_ms;    /* of one without a datagram either way */
	struct deadline until; /* of the command */
};

/*
 * Looks up the target, and raises the limit of descriptors. *o, and the
 * listener, whose sockets are waited for, must remain valid. Returns NULL with
 * *e, ERR_USAGE if the target is one of the listener's sockets; the caller
 * frees it with sessions_free().
 */
struct sessions *sessions_new(
    const struct sessions_options *o, const struct listener *l, struct err *e);

/* Sessions so far, those that ended for another client, and ICMP errors. */
struct sessions_counts {
	uint64_t begun, evicted, refused;
};

/* Ends all sessions, and frees them. Returns their counts. */
struct sessions_counts sessions_free(struct sessions *s);

/*
 * Ends the sessions whose time has passed, and waits for datagrams. Returns how
 * many sockets are ready; 0 if until has passed; or -1 with errno, EINTR for a
 * caught signal.
 */
int sessions_wait(struct sessions *s, struct deadline until);

/* The index of the i-th ready socket in the listener, or -1 if it is that of a
 * session: then receives up to DGRAM_MAX_RECEIVE answers of the target into
 * d, addressed to its client, and sets *count. */
int sessions_receive(struct sessions *s, int i, struct dgram *d, int *count);

/*
 * Forwards datagrams of clients, and clears their remote and local addresses.
 * A session begins with a client's first one; if there are too many, the one
 * that has been idle longest ends. Returns how many could not be sent, which
 * were reported as ignored.
 */
uint64_t sessions_forward(struct sessions *s, struct dgram *d, int count);

#endif
