/*
 * Programs that answer datagrams, one process each: the payload is its stdin,
 * its stdout is the answer. So many at once, each for so long.
 */
#ifndef UDP_UDP_PROGRAMS_H
#define UDP_UDP_PROGRAMS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"
#include "net/addr.h"
#include "net/child.h"

struct dgram;
struct err;

/* One program and the datagram that it answers. */
struct udp_program {
	struct child child; /* killed at once when its time has passed */
	int in, out;        /* our ends of its stdin and stdout; or -1 */
	bool timed_out;     /* it was killed */
	int status;         /* shell status, where it was reaped */
	int errnum;         /* what a pipe of it failed with, or 0 */

	unsigned char *payload; /* owned */
	size_t length, written; /* of payload */
	unsigned char *answer;  /* owned, UDP_PROGRAMS_REPLY_SIZE bytes */
	size_t answer_length;
	bool too_long; /* more came than an answer may have */

	size_t at;          /* which socket it came on */
	struct addr remote; /* as struct dgram has them */
	struct addr local;
	struct addr to, from; /* remote and local for people */
};

/* Longest answer: no datagram carries more. */
#define UDP_PROGRAMS_REPLY_SIZE 65536

struct udp_programs {
	struct udp_program *slots; /* owned */
	size_t count, most;
	char *const *argv; /* the caller's */
	int64_t limit_ms;
};

/* udp_programs_stop() is due. */
void udp_programs_start(
    struct udp_programs *w, char *const *argv, size_t most, int64_t limit_ms);

/* Whether one more may run. */
bool udp_programs_have_capacity(const struct udp_programs *w);

/*
 * Runs the program on a copy of *d, which came on socket at; from and to are
 * its sender and the address asked, for UCSPI's variables (net/program.h). 0,
 * or -1 with *e.
 */
int udp_programs_run(struct udp_programs *w, const struct dgram *d, size_t at,
    const struct addr *from, const struct addr *to, struct err *e);

/*
 * What to poll for them, at most two entries each; *until becomes earlier
 * where a limit is. Returns the number of entries.
 */
size_t udp_programs_pollfds(
    const struct udp_programs *w, struct pollfd *fds, struct deadline *until);

/*
 * Moves bytes, reaps, kills what took too long. Never waits. Returns one
 * whose end has come, or NULL: it is to be given back by udp_programs_remove().
 */
struct udp_program *udp_programs_advance(struct udp_programs *w);

void udp_programs_remove(struct udp_programs *w, struct udp_program *one);

/* Ends and reaps all of them. */
void udp_programs_stop(struct udp_programs *w);

#endif
