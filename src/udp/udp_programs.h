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
};

struct udp_programs {
	/* Set by the caller. */
	int64_t max;           /* at once */
	int64_t limit_ms;      /* for each */
	char *const *argv;     /* NULL: none is run */
	struct deadline until; /* of the server */
	/* One has ended. */
	void (*on_end)(void *context, const struct udp_program *p);
	void *context;

	struct udp_program *slots; /* owned */
	struct pollfd *fds;        /* owned */
	size_t count;              /* that run */
	bool is_short;             /* a shortage was reported */
};

/*
 * Runs the program for a copy of *d, with the UCSPI variables of its addresses
 * (net/proc.h). Call it only while fewer than max run. Where descriptors or
 * processes are short, it waits until another one has ended. Returns 0, or -1
 * with *e.
 */
int udp_programs_run(
    struct udp_programs *w, const struct dgram *d, struct err *e);

/*
 * Fills in what to poll with proc_poll(), two entries per program.
 * Returns their number.
 */
size_t udp_programs_pollfds(const struct udp_programs *w, struct pollfd *fds);

/* Moves bytes without blocking. Returns whether a program has ended. */
bool udp_programs_advance(struct udp_programs *w);

/* Ends and reaps all programs, and frees the storage. */
void udp_programs_stop(struct udp_programs *w);

#endif
