/* What is told of a connection: when it comes and when it is over. */
#ifndef NET_CONN_EVENT_H
#define NET_CONN_EVENT_H

#include <stdbool.h>
#include <stdint.h>

struct addr;

/* Whose end came first. */
enum conn_first {
	CONN_FIRST_NOBODY, /* neither has finished: a limit or an error did it
			    */
	CONN_FIRST_US,
	CONN_FIRST_PEER
};

struct conn_event {
	bool bytes_unknown; /* sent and received are not known */
	uint64_t sent, received;
	uint64_t undelivered; /* taken from stdin, and not delivered */
	enum conn_first first;
	bool reset;  /* the peer reset the connection */
	bool is_cut; /* it ended before everything was delivered */
};

/*
 * Fills *s from what the kernel knows of the connected socket fd, for
 * connections whose bytes went past us. *s keeps zeros and bytes_unknown
 * where it tells nothing.
 */
void conn_event_of_socket(int fd, struct conn_event *s);

/*
 * Whether a connection was of somebody who only asked if the port is open: the
 * peer has reset it, has sent nothing before, and nothing of stdin is lost.
 */
bool conn_event_is_probe(const struct conn_event *s);

/* It is no error for a server that goes on: a line at -v. */
void conn_event_probe(const struct addr *remote);

/* The "accepted" event, its line at level. */
void conn_event_accepted(
    int level, const struct addr *local, const struct addr *remote);

/* The "turned-away" event: why names the option that did it. */
void conn_event_denied(int level, const struct addr *local,
    const struct addr *remote, const char *why);

/*
 * The "closed" event, its line at level. start_ns is when the connection began
 * (base/clock.h), status its exit status.
 */
void conn_event_closed(int level, const struct addr *local,
    const struct addr *remote, const struct conn_event *s, int64_t start_ns,
    int status);

#endif
