/* What is told of a connection: when it comes and when it is over. */
#ifndef NET_SUMMARY_H
#define NET_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

struct addr;

/* Whose end came first. */
enum summary_first {
	FIRST_NOBODY, /* neither has finished: a limit or an error did it */
	FIRST_US,
	FIRST_PEER
};

struct summary {
	bool bytes_unknown; /* sent and received are not known */
	uint64_t sent, received;
	uint64_t undelivered; /* taken from stdin, and not delivered */
	enum summary_first first;
	bool reset;  /* the peer reset the connection */
	bool is_cut; /* it ended before everything was delivered */
};

/*
 * Fills *s from what the kernel knows of the connected socket fd, for
 * connections whose bytes went past us. *s keeps zeros and bytes_unknown
 * where it tells nothing.
 */
void summary_of_socket(int fd, struct summary *s);

/*
 * Whether a connection was of somebody who only asked if the port is open: the
 * peer has reset it, has sent nothing before, and nothing of stdin is lost.
 */
bool summary_is_probe(const struct summary *s);

/* It is no error for a server that goes on: a line at -v. */
void summary_tell_probe(const struct addr *remote);

/* The "accepted" event, its line at level. */
void summary_tell_accepted(
    int level, const struct addr *local, const struct addr *remote);

/* The "turned-away" event: why names the option that did it. */
void summary_tell_refused(int level, const struct addr *local,
    const struct addr *remote, const char *why);

/*
 * The "closed" event, its line at level. start_ns is when the connection began
 * (base/clock.h), status its exit status.
 */
void summary_tell(int level, const struct addr *local,
    const struct addr *remote, const struct summary *s, int64_t start_ns,
    int status);

#endif
