/*
 * A datagram server: opens its sockets, joins multicast groups, and reads in
 * batches; decides which senders are admitted and which may be answered; sends
 * answers, or forwards to a target, with a session for each client.
 */
#ifndef UDP_DGRAM_SERVER_H
#define UDP_DGRAM_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/listener.h"
#include "udp/dgram.h"

struct access;
struct endpoint;
struct err;
struct sessions;

struct dgram_server_options {
	const struct listener_options *listener;
	const struct access *access;          /* NULL: admits every sender */
	const struct multicast_group *groups; /* to be joined */
	size_t group_count;
	int64_t max_rate; /* answers per second and host; 0: no limit */

	/* A forwarder's target, or NULL. Datagrams that must not reach it are
	 * not received. */
	const struct endpoint *to;
	int64_t max_sessions; /* at once */
	int64_t session_ms;   /* of one without a datagram either way */
};

struct dgram_server {
	const struct dgram_server_options *o;
	struct listener listener;
	struct dgram *received;  /* owned: the last batch received, */
	struct dgram *answers;   /* and space for the answers to it */
	int64_t last_ns;         /* when it was received; or the start */
	uint64_t reported[1024]; /* hashes of senders and texts; 0: free */

	/* The limit of answers: one token bucket per host. */
	int64_t *full_ns; /* owned: when each is full again; NULL: no limit */
	uint64_t key;     /* of hashes of addresses, here and of sessions */
	int64_t next_warning_ns;
	uint64_t limited_count; /* not answered since the last warning, */
	struct addr limited;    /* and the last sender of these */

	struct sessions *sessions; /* owned: of a forwarder, or NULL */

	/* Losses of the receive buffers. */
	int64_t next_check_ns; /* time of the next count */
	uint32_t *drops;       /* owned: last count of each socket */
	uint64_t lost;         /* in total */
	bool lost_is_known;    /* the system reports them */

	/* Statistics. */
	uint64_t received_count, received_bytes; /* from admitted senders */
	uint64_t answered_count, answered_bytes;
	uint64_t ignored_count; /* not admitted, or not answered */
	/* Sessions so far, those that ended for another client, and ICMP errors
	 * of the target. */
	uint64_t begun_count, evicted_count, refused_count;
};

/*
 * Opens or inherits the sockets. Each group is joined on every socket of its
 * family. If ep names no host, the sockets are bound to the groups, so that
 * they receive nothing else. A forwarder looks up the target, and raises the
 * limit of descriptors. Returns 0, or -1 with *e and nothing open: ERR_USAGE if
 * the target is one of the sockets.
 */
int dgram_server_open(struct dgram_server *s, const struct endpoint *ep,
    const struct dgram_server_options *o, struct err *e);

/*
 * Receives up to max datagrams from a socket, given by its index, into
 * s->received, without those whose senders are not admitted. Reports losses
 * once a second. Returns how many there are, perhaps 0, or -1 with *e.
 */
int dgram_server_receive(
    struct dgram_server *s, size_t socket, int max, struct err *e);

/*
 * Whether a datagram may be answered; counts and reports one that may not: it
 * comes from port 0, from this server's port or from a port where servers
 * answer whatever they receive, it is truncated, or above the rate limit.
 */
bool dgram_server_may_answer(struct dgram_server *s, const struct dgram *d);

/*
 * Whether text is reported about a sender for the first time; another sender
 * may take its place in the table.
 */
bool dgram_server_is_news(
    struct dgram_server *s, const struct dgram *d, const char *text);

/* Reports that a datagram is not answered. */
void dgram_server_ignore(
    struct dgram_server *s, const struct dgram *d, const char *why);

/*
 * Sends answers, all from the socket of the first. Those of a target that are
 * above the rate limit, that cannot be sent, or find no space for a moment, are
 * reported and moved to the end of the array. Returns how many were sent.
 */
int dgram_server_answer(struct dgram_server *s, struct dgram *d, int count);

/* Ends the sessions, and reports the totals: the "summary" event, at -v a line.
 */
void dgram_server_report(struct dgram_server *s);

void dgram_server_close(struct dgram_server *s);

/*
 * For a forwarder: each client has a socket of its own, connected to the
 * target, so that the system sorts the answers and drops what others send.
 * dgram_server_wait() ends the sessions whose time has passed, and waits for
 * datagrams. It returns how many sockets are ready; 0 if until has passed; or
 * -1 with errno, EINTR for a caught signal.
 */
int dgram_server_wait(struct dgram_server *s, struct deadline until);

/*
 * The index of the i-th ready socket in the listener, or -1 if it is that of a
 * session: then receives *count answers of the target, perhaps 0, into
 * s->answers, addressed to their client.
 */
int dgram_server_receive_answers(struct dgram_server *s, int i, int *count);

/*
 * Forwards the first datagrams of s->received, and clears their remote and
 * local addresses. A session begins with a client's first one; if there are too
 * many, the one that has been idle longest ends. Those that cannot be sent are
 * reported as ignored.
 */
void dgram_server_forward(struct dgram_server *s, int count);

#endif
