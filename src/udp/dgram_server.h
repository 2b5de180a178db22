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
	/* It admits senders; NULL: every sender is admitted. */
	const struct access *access;
	/* The server joins these groups. */
	const struct multicast_group *groups;
	size_t group_count;
	/* Each host gets at most this many answers per second; 0: any number.
	 */
	int64_t max_rate;
	/* The datagrams are forwarded to a target, and its answers are sent:
	 * datagrams that must not reach the target are not received. */
	bool is_forwarder;
};

struct dgram_server {
	const struct dgram_server_options *o;
	struct listener listener;
	/* The server owns both: the last batch that was received, and space
	 * for the answers to it. */
	struct dgram *received, *answers;
	/* The time of that batch, at first the start of the server. */
	int64_t last_ns;
	/* The hashes of the senders and texts that were reported; 0: free. */
	uint64_t reported[1024];

	/* The limit of answers has one token bucket per host. The server owns
	 * the times when each bucket is full again; NULL: there is no limit. */
	int64_t *full_ns;
	/* The key of addr_hash(), which no sender can guess. */
	uint64_t key;
	/* The next warning may come at this time. It reports how many datagrams
	 * were not answered since the last one, and the last sender of them. */
	int64_t next_warning_ns;
	uint64_t limited_count;
	struct addr limited;

	/* The losses of the receive buffers are counted again at this time. The
	 * server owns the last count of each socket; lost is their sum. */
	int64_t next_check_ns;
	uint32_t *drops;
	uint64_t lost;
	bool lost_is_known; /* The system reports them. */

	/* What was received from admitted senders, and what was answered. */
	uint64_t received_count, received_bytes;
	uint64_t answered_count, answered_bytes;
	/* What was received, but not admitted or not answered. */
	uint64_t ignored_count;
	/* A forwarder counts the sessions so far, those that were closed for
	 * another client, and the ICMP errors of the target. */
	uint64_t begun_count, evicted_count, refused_count;
};

/*
 * Opens or inherits the sockets. Each group is joined on every socket of its
 * family. If ep names no host, the sockets are bound to the groups, so that
 * they receive nothing else. Returns 0, or -1 with *e and nothing open.
 */
int dgram_server_open(struct dgram_server *s, const struct endpoint *ep,
    const struct dgram_server_options *o, struct err *e);

/*
 * Receives up to max datagrams from a socket, given by its index, into
 * s->received, and ignores those whose senders are not admitted. Reports losses
 * once a second. Returns how many there are, perhaps 0, or -1 with *e.
 */
int dgram_server_receive(
    struct dgram_server *s, size_t socket, int max, struct err *e);

/*
 * Whether a datagram may be answered. It may not if it comes from port 0, from
 * this server's port or from a port where servers answer whatever they receive,
 * if it is truncated, or above the rate limit: then it is counted and reported.
 */
bool dgram_server_may_answer(struct dgram_server *s, const struct dgram *d);

/*
 * Whether text is reported about the sender of d for the first time. The table
 * is small: another sender may replace this one.
 */
bool dgram_server_is_news(
    struct dgram_server *s, const struct dgram *d, const char *text);

/* Reports that a datagram is not answered. */
void dgram_server_ignore(
    struct dgram_server *s, const struct dgram *d, const char *why);

/*
 * Sends answers, all from the socket of the first one. An answer that cannot be
 * sent, that finds no space for a moment or, from a forwarder's target, exceeds
 * the rate limit, is reported and moved to the end of the array. Returns how
 * many were sent.
 */
int dgram_server_answer(struct dgram_server *s, struct dgram *d, int count);

/* Reports the totals: the "summary" event, at -v a line. */
void dgram_server_report(struct dgram_server *s);

/* Closes the sockets, and frees what the server owns. */
void dgram_server_close(struct dgram_server *s);

#endif
