/*
 * A datagram server: opens its sockets, joins multicast groups, and receives in
 * batches; decides which senders are admitted and which may be answered; sends
 * answers. What it receives can be sent on to a target: udp/forwarder.h.
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

struct dgram_server_options {
	const struct listener_options *listener;
	const struct access *access;          /* NULL: admits every sender */
	const struct multicast_group *groups; /* to be joined */
	size_t group_count;
	int64_t max_rate; /* answers per second and host; 0: no limit */
	/* The datagrams are forwarded to a target, and its answers are sent:
	 * datagrams that must not reach the target are not received. */
	bool is_forwarder;
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
	uint64_t key;     /* of addr_hash(), which no sender can guess */
	int64_t next_warning_ns;
	uint64_t limited_count; /* not answered since the last warning, */
	struct addr limited;    /* and the last sender of these */

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

/* Reports the totals: the "summary" event, at -v a line. */
void dgram_server_report(struct dgram_server *s);

void dgram_server_close(struct dgram_server *s);

#endif
