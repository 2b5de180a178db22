/*
 * Programs that answer datagrams, one process each: the payload is its stdin,
 * its stdout is the answer. Their number and their time are limited.
 */
#ifndef UDP_UDP_PROGRAMS_H
#define UDP_UDP_PROGRAMS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"
#include "net/child.h"
#include "udp/batch.h"

struct err;

/* One program and the datagram that it answers. */
struct udp_program {
	struct child child; /* killed at once when its time has passed */
	int in, out;    /* the server's ends of its stdin and stdout; or -1 */
	bool timed_out; /* it was killed */
	int status;     /* shell status, where it was reaped */
	int errnum;     /* what a pipe to it failed with, or 0 */

	unsigned char *payload; /* owned */
	size_t length, written; /* of payload */
	struct dgram answer;    /* its bytes are owned */
	bool too_long;          /* it has written more than an answer holds */
	struct dgram_endpoints endpoints;
};

struct udp_programs {
	struct udp_program *slots; /* owned */
	size_t count, max;
	char *const *argv; /* the caller's */
	int64_t limit_ms;
};

/* At most max at once, for limit_ms each; call udp_programs_stop() afterwards.
 */
void udp_programs_start(
    struct udp_programs *w, char *const *argv, size_t max, int64_t limit_ms);

/*
 * Runs the program for a copy of *d, with the variables of UCSPI for its
 * endpoints (net/program.h). There must be fewer than max. 0, or -1 with *e.
 */
int udp_programs_run(struct udp_programs *w, const struct dgram *d,
    const struct dgram_endpoints *ep, struct err *e);

/*
 * What to poll for them, at most two entries each; *until becomes earlier where
 * the limit of one is. Returns the number of entries.
 */
size_t udp_programs_pollfds(
    const struct udp_programs *w, struct pollfd *fds, struct deadline *until);

/*
 * Moves bytes, reaps, kills what took too long, without waiting. Returns one
 * that has ended, which the caller removes, or NULL.
 */
struct udp_program *udp_programs_advance(struct udp_programs *w);

void udp_programs_remove(struct udp_programs *w, struct udp_program *one);

/* Ends and reaps all of them. */
void udp_programs_stop(struct udp_programs *w);

#endif
