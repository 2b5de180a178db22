/*
 * A datagram server: opens its sockets, joins multicast groups, and reads in
 * batches; decides which senders are admitted and which may be answered; sends
 * answers, and keeps those that must wait for space.
 */
#ifndef UDP_DGRAM_SERVER_H
#define UDP_DGRAM_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/deadline.h"
#include "net/listener.h"
#include "udp/dgram.h"
#include "udp/rate_limit.h"

struct access;
struct endpoint;
struct err;
struct inherited_options;
struct multicast_group;
struct pollfd;

/* The number of senders whose refusal is remembered as reported. */
#define DGRAM_SERVER_REPORTED 1024

struct dgram_server_options {
	struct listener_options listener;
	const struct inherited_options *inherited; /* instead; or NULL */
	const struct access *access;          /* NULL: admits every sender */
	const struct multicast_group *groups; /* to be joined */
	size_t group_count;
	int64_t max_rate;  /* answers per second and host; see rate_limit.h */
	bool answers_vary; /* even for equal messages */
	bool any_port;     /* also answer known reflectors and the local port */

	/* Called with each answer that was sent, unless it is NULL. */
	void (*on_sent)(void *context, const struct dgram *d);
	void *context; /* of on_sent */
};

/* An answer without space to be sent, and how long it is tried again. */
struct dgram_server_unsent {
	struct dgram d; /* owns its bytes */
	struct deadline until;
};

struct dgram_server {
	const struct dgram_server_options *o;
	struct listener listener;
	struct dgram *received; /* owned: the last batch received */
	struct rate_limit rate_limit;
	int64_t next_warning_ns; /* earliest time of another warning */
	uint64_t reported[DGRAM_SERVER_REPORTED]; /* hashes; 0: free */

	/* Unsent answers. A client that does not read delays only its own. */
	struct dgram_server_unsent *unsent; /* owned; oldest first */
	size_t unsent_count;
	struct deadline resume; /* when they are tried again, or never */
	struct backoff pause;   /* the last pause, in nanoseconds */

	/* Losses of the receive buffers. */
	int64_t next_check_ns;        /* time of the next count */
	uint32_t *drops;              /* owned: last count of each socket */
	uint64_t lost, reported_lost; /* in total; reported */
	bool lost_is_known;           /* the system reports them */

	/* Statistics. */
	uint64_t received_count, received_bytes; /* from admitted senders */
	uint64_t answered_count, answered_bytes;
	uint64_t ignored_count; /* not admitted, or not answered */
};

/*
 * Opens or inherits the sockets, and announces them. Each group is joined on
 * every socket of its family. If ep names no host, the sockets are bound to the
 * groups, so that they receive nothing else. Returns 0, or -1 with *e and
 * nothing open.
 */
int dgram_server_open(struct dgram_server *s, const struct endpoint *ep,
    const struct dgram_server_options *o, struct err *e);

/*
 * Fills in what to poll: one entry per socket, for reading if receives is true
 * and answers have space. Makes *until earlier if dgram_server_resume() has to
 * be called then. Returns the number of entries.
 */
size_t dgram_server_pollfds(const struct dgram_server *s, bool receives,
    struct pollfd *fds, struct deadline *until);

/*
 * Receives up to max datagrams from a socket, given by its index, into
 * s->received. Returns how many, perhaps 0, or -1 with *e. Reports losses once
 * a second.
 */
int dgram_server_receive(
    struct dgram_server *s, size_t socket, int max, struct err *e);

/*
 * Whether the sender of a datagram is admitted. Counts the datagram, or reports
 * why not, and sets *ep to its endpoints.
 */
bool dgram_server_admits(
    struct dgram_server *s, const struct dgram *d, struct dgram_endpoints *ep);

/*
 * Whether a datagram may be answered; reports why not. Never answered: a
 * datagram from port 0, a truncated one, one above the rate limit and, unless
 * any_port is set, one from this server's port or from a port where servers
 * answer whatever they receive.
 */
bool dgram_server_may_answer(struct dgram_server *s, const struct dgram *d,
    const struct dgram_endpoints *ep, int64_t now_ns);

/* Reports that a datagram is not answered. */
void dgram_server_ignore(
    struct dgram_server *s, const struct dgram_endpoints *ep, const char *why);

/*
 * Sends answers without blocking, all from the socket of the first. Answers
 * without space are kept and tried again; others that cannot be sent are
 * reported.
 */
void dgram_server_answer(
    struct dgram_server *s, const struct dgram *d, int count);

/* Tries unsent answers again and drops those that have expired. */
void dgram_server_resume(struct dgram_server *s);

/* Reports the totals: the "summary" event, at -v. */
void dgram_server_report(struct dgram_server *s);

void dgram_server_close(struct dgram_server *s);

#endif
