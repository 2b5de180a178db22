/*
 * Programs that answer datagrams, one process each: its standard input is the
 * payload, its standard output the answer. Their number and time are limited.
 */
#ifndef UDP_UDP_PROGRAMS_H
#define UDP_UDP_PROGRAMS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"
#include "net/proc.h"
#include "udp/dgram.h"

struct err;

/* One program and the datagram that it answers. */
struct udp_program {
	struct proc *proc; /* ended when its time has passed */
	int in, out; /* the server's ends of its stdin and stdout, or -1 */
	int errnum;  /* of a failure of a pipe to it, or 0 */

	unsigned char *payload; /* owned */
	size_t length, written; /* of payload */
	struct dgram answer;    /* owns its bytes */
	bool too_long;          /* its output exceeds the size of an answer */
	struct dgram_endpoints endpoints;
};

struct udp_programs {
	struct udp_program *slots; /* owned */
	size_t count, max;
	char *const *argv; /* owned by the caller */
	int64_t limit_ms;
};

/* Allows at most max programs at once, for limit_ms each. Call
 * udp_programs_stop() afterwards. */
void udp_programs_start(
    struct udp_programs *w, char *const *argv, size_t max, int64_t limit_ms);

/*
 * Runs the program for a copy of *d, with the UCSPI variables of its endpoints
 * (net/proc.h). Call it only while fewer than max run. Returns 0, or -1 with
 * *e.
 */
int udp_programs_run(struct udp_programs *w, const struct dgram *d,
    const struct dgram_endpoints *ep, struct err *e);

/*
 * Fills in what to poll with proc_poll(), at most two entries per program.
 * Returns their number.
 */
size_t udp_programs_pollfds(const struct udp_programs *w, struct pollfd *fds);

/*
 * Moves bytes without blocking. Returns a program that has ended, which the
 * caller removes, or NULL.
 */
struct udp_program *udp_programs_advance(struct udp_programs *w);

/*
 * Waits until one has ended, which the caller removes, and returns it; or NULL
 * if none runs, the deadline passes or a caught signal asks sockt to stop. fds
 * has space for what udp_programs_pollfds() fills in, and one more.
 */
struct udp_program *udp_programs_wait(
    struct udp_programs *w, struct pollfd *fds, struct deadline until);

void udp_programs_remove(struct udp_programs *w, struct udp_program *p);

/* Ends and reaps all programs, and frees the storage. */
void udp_programs_stop(struct udp_programs *w);

#endif
