/*
 * A datagram server's sockets: opened and joined to their groups, read in
 * batches, and the senders judged: who is let in, and who may be answered.
 */
#ifndef UDP_DGRAM_SERVER_H
#define UDP_DGRAM_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "net/addr.h"
#include "udp/dgram.h"
#include "net/listener.h"
#include "udp/loop.h"
#include "udp/unsent.h"

struct access;
struct endpoint;
struct err;
struct multicast_group;

/* Refused senders that are remembered as told. */
#define DGRAM_SERVER_TOLD 1024

struct dgram_server_options {
	struct listener_options listener;
	const struct access *access;          /* NULL: everybody is let in */
	const struct multicast_group *groups; /* to be joined */
	size_t group_count;
	int64_t max_rate;  /* answers a second and a host; see udp/loop.h */
	bool answers_vary; /* though messages repeat */
	bool any_port;     /* answer known reflectors and the own port too */
};

struct dgram_server {
	const struct dgram_server_options *o;
	struct listener listener;
	struct loop loop;
	int64_t next_warning_ns; /* when a refusal for it is told again */
	struct unsent unsent;
	int64_t next_look_ns;     /* when losses are looked for again */
	uint32_t *drops;          /* owned: that were counted, of each socket */
	uint64_t lost, told_lost; /* all losses; those that were told */
	bool knows_lost;          /* the system counts them */
	uint64_t told[DGRAM_SERVER_TOLD]; /* hashes of refusals; 0: free */

	/* Statistics. */
	uint64_t received, bytes_received; /* of all who were let in */
	uint64_t answered, bytes_sent;
	uint64_t ignored; /* not let in, or not to be answered */
};

/* A datagram's sender and the address it came to, for people and rules. */
struct dgram_parties {
	struct addr remote, local;
};

/*
 * Opens and announces. Groups are joined on every socket of their family;
 * where ep names no host, the sockets are bound to the groups themselves, so
 * that nothing else reaches them. 0, or -1 with *e and nothing open.
 */
int dgram_server_open(struct dgram_server *s, const struct endpoint *ep,
    const struct dgram_server_options *o, struct err *e);

/*
 * Receives from the socket at, up to most. Returns how many, perhaps 0, or -1
 * with *e. Looks for losses now and then and tells them.
 */
int dgram_server_receive(struct dgram_server *s, size_t at, struct dgram *d,
    int most, struct err *e);

/* Who sent it and to which address. */
void dgram_server_parties(const struct dgram_server *s, size_t at,
    const struct dgram *d, struct dgram_parties *p);

/* Whether the sender is let in; counts it, or tells why not. */
bool dgram_server_admits(struct dgram_server *s, const struct dgram *d,
    const struct dgram_parties *p);

/*
 * Whether the sender may be answered; tells why not. Never: what came from
 * port 0, or was cut, or is beyond the rate; unless any_port: what came from
 * this server's own port, or one where servers answer whatever they are sent.
 */
bool dgram_server_may_answer(struct dgram_server *s, const struct dgram *d,
    const struct dgram_parties *p, int64_t now_ns);

/* Tells that a datagram gets no answer. */
void dgram_server_ignore(
    struct dgram_server *s, const struct dgram_parties *p, const char *why);

/*
 * Sends answers from the socket at, without waiting. What finds no room is
 * kept (udp/unsent.h); what cannot be sent is told.
 */
void dgram_server_answer(
    struct dgram_server *s, size_t at, const struct dgram *d, int count);

/*
 * Whether the socket at is to be read. A full UDP socket has no room for
 * anybody's answer, so its messages wait; on a unix socket each client has a
 * queue of its own.
 */
bool dgram_server_takes(const struct dgram_server *s, size_t at);

/* When dgram_server_resume() is due. */
struct deadline dgram_server_deadline(const struct dgram_server *s);

/* Tries answers again that found no room, and gives up those whose time has
 * passed. */
void dgram_server_resume(struct dgram_server *s);

/* Tells what was done: the "summary" event, at -v. */
void dgram_server_tell(struct dgram_server *s);

void dgram_server_close(struct dgram_server *s);

#endif
