/*
 * A datagram server: opens its sockets, joins multicast groups, and reads in
 * batches; decides which senders are admitted and which may be answered; sends
 * answers.
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
struct multicast_group;

/* The number of senders whose refusal is remembered as reported. */
#define DGRAM_SERVER_REPORTED 1024

struct dgram_server_options {
	const struct listener_options *listener;
	const struct access *access;    /* NULL: admits every sender */
	struct multicast_group *groups; /* to be joined */
	size_t group_count;
	int64_t max_rate; /* answers per second and host; 0: no limit */

	/* Called with each datagram that is admitted. */
	void (*on_received)(void *context, const struct dgram *d);
	/* Called with one that may be answered; returns whether *out is the
	 * answer, whose addresses are set and whose bytes are storage. NULL: no
	 * datagram is answered. */
	bool (*answer)(void *context, const struct dgram *d, struct dgram *out);
	/* Called with each answer that was sent; NULL: not. */
	void (*on_sent)(void *context, const struct dgram *d);
	void *context;
};

struct dgram_server {
	const struct dgram_server_options *o;
	struct listener listener;
	struct dgram *received; /* owned: the last batch received, */
	struct dgram *answers;  /* and the answers to it */
	int64_t last_ns;        /* when it was received; or the start */
	uint64_t reported[DGRAM_SERVER_REPORTED]; /* hashes; 0: free */

	/* The limit of answers: one token bucket per host. */
	int64_t *full_ns; /* owned: when each is full again; NULL: no limit */
	uint64_t key;     /* of the hash that chooses it */
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
};

/*
 * Opens or inherits the sockets. Each group is joined on
 * every socket of its family. If ep names no host, the sockets are bound to the
 * groups, so that they receive nothing else. Returns 0, or -1 with *e and
 * nothing open.
 */
int dgram_server_open(struct dgram_server *s, const struct endpoint *ep,
    const struct dgram_server_options *o, struct err *e);

/*
 * Receives up to max datagrams from a socket, given by its index, and answers
 * them. Never answered: a datagram from port 0, a truncated one, one above the
 * rate limit, and one from this server's port or from a port where servers
 * answer whatever they receive; what is not admitted or not answered is
 * reported. Reports losses once a second. Returns 0, perhaps without a
 * datagram, or -1 with *e.
 */
int dgram_server_serve(
    struct dgram_server *s, size_t socket, int max, struct err *e);

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
 * Sends answers, all from the socket of the first. Those that cannot be sent,
 * or find no space for a moment, are dropped and reported.
 */
void dgram_server_answer(
    struct dgram_server *s, const struct dgram *d, int count);

/* Reports the totals: the "summary" event, at -v. */
void dgram_server_report(struct dgram_server *s);

void dgram_server_close(struct dgram_server *s);

#endif
