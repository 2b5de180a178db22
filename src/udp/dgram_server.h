/*
 * A datagram server: its sockets are opened and joined to multicast groups, and
 * read in batches; which senders are let in and which may be answered; answers,
 * and those that have to wait until there is space for them.
 */
#ifndef UDP_DGRAM_SERVER_H
#define UDP_DGRAM_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/deadline.h"
#include "net/listener.h"
#include "udp/batch.h"
#include "udp/rate_limit.h"

struct access;
struct endpoint;
struct err;
struct multicast_group;
struct pollfd;

/* Senders whose refusal is remembered as reported. */
#define DGRAM_SERVER_REPORTED 1024

struct dgram_server_options {
	struct listener_options listener;
	const struct access *access;          /* NULL: everybody is let in */
	const struct multicast_group *groups; /* to be joined */
	size_t group_count;
	int64_t max_rate;  /* answers per second and host; see rate_limit.h */
	bool answers_vary; /* even to equal messages */
	bool any_port;     /* answer known reflectors and the local port too */
};

/* An answer that found no space, and until when it is tried again. */
struct dgram_server_unsent {
	struct dgram d; /* its bytes are owned */
	struct deadline until;
};

struct dgram_server {
	const struct dgram_server_options *o;
	struct listener listener;
	struct dgram *received; /* owned: what was received last */
	struct rate_limit rate_limit;
	int64_t next_warning_ns; /* when it may be warned of again */
	uint64_t reported[DGRAM_SERVER_REPORTED]; /* hashes; 0: free */

	/* Unsent answers. A client that does not read delays only its own. */
	struct dgram_server_unsent *unsent; /* owned, the oldest first */
	size_t unsent_count;
	struct deadline resume; /* when they are tried again; or never */
	struct backoff pause;   /* the last pause, in nanoseconds */

	/* Losses of the receive buffers. */
	int64_t next_check_ns;        /* when they are counted again */
	uint32_t *drops;              /* owned: of each socket, as counted */
	uint64_t lost, reported_lost; /* all of them; those reported */
	bool knows_lost;              /* the system counts them */

	/* Statistics. */
	uint64_t received_count, received_bytes; /* of all who were let in */
	uint64_t answered_count, answered_bytes;
	uint64_t ignored_count; /* not let in, or not to be answered */
};

/*
 * Opens and announces. Groups are joined on every socket of their family;
 * where ep names no host, the sockets are bound to the groups themselves, so
 * that nothing else reaches them. 0, or -1 with *e and nothing open.
 */
int dgram_server_open(struct dgram_server *s, const struct endpoint *ep,
    const struct dgram_server_options *o, struct err *e);

/*
 * What to poll: one entry per socket, to be read if receives is true and there
 * is space for answers; *until becomes earlier where dgram_server_resume() is
 * to be called. Returns the number of entries.
 */
size_t dgram_server_pollfds(const struct dgram_server *s, bool receives,
    struct pollfd *fds, struct deadline *until);

/*
 * Receives up to max datagrams from the socket of that index into s->received.
 * Returns how many, perhaps 0, or -1 with *e. Reports losses once a second.
 */
int dgram_server_receive(
    struct dgram_server *s, size_t socket, int max, struct err *e);

/*
 * Whether the sender of a datagram is let in: counts it, or reports why not.
 * *ep gets its endpoints.
 */
bool dgram_server_admits(
    struct dgram_server *s, const struct dgram *d, struct dgram_endpoints *ep);

/*
 * Whether the sender may be answered; reports why not. Never: what came from
 * port 0, is truncated or exceeds the rate limit; unless any_port: what came
 * from this server's port, or one where servers answer whatever they receive.
 */
bool dgram_server_may_answer(struct dgram_server *s, const struct dgram *d,
    const struct dgram_endpoints *ep, int64_t now_ns);

/* Reports that a datagram gets no answer. */
void dgram_server_ignore(
    struct dgram_server *s, const struct dgram_endpoints *ep, const char *why);

/*
 * Sends answers, all by the socket of the first, without waiting. What finds no
 * space is kept and tried again; what cannot be sent is reported.
 */
void dgram_server_answer(
    struct dgram_server *s, const struct dgram *d, int count);

/* Tries unsent answers again, and drops those whose time has passed. */
void dgram_server_resume(struct dgram_server *s);

/* Reports what was done: the "summary" event, at -v. */
void dgram_server_report(struct dgram_server *s);

void dgram_server_close(struct dgram_server *s);

#endif
