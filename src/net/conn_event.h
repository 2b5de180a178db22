/* The events of a connection: accepted, denied, closed. */
#ifndef NET_CONN_EVENT_H
#define NET_CONN_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"

/* A connection: its two addresses, and when it began (base/clock.h). */
struct conn {
	struct addr local, remote;
	int64_t start_ns;
	unsigned number; /* of those that a server accepted, from 1; 0: none */
};

/* Which side finished first. */
enum conn_first {
	CONN_FIRST_NOBODY, /* neither has finished */
	CONN_FIRST_US,
	CONN_FIRST_PEER
};

struct conn_summary {
	bool bytes_unknown; /* sent and received are not known */
	uint64_t sent, received;
	uint64_t undelivered; /* bytes read from stdin but not delivered */
	enum conn_first first;
	bool is_fin_sent, is_fin_received;
	bool reset;       /* the connection was reset, by the peer */
	bool reset_by_us; /* or, if reset is set, by this side */
	bool is_aborted;  /* it ended before everything was delivered */
};

/*
 * Fills *s from the kernel's counters of the connected socket fd, whose bytes
 * this process did not see; fd may be -1. goes_on means that another process
 * still uses the connection. If nothing is known, *s is zero except for
 * bytes_unknown.
 */
void conn_event_summarize(int fd, bool goes_on, struct conn_summary *s);

/* Logs that a process still uses a connection whose program has exited. */
void conn_event_goes_on(const struct conn *c);

/*
 * Whether the peer only probed the port: it sent nothing and reset the
 * connection, and nothing of stdin is lost. For a server that continues that is
 * not an error, and logged here at -v.
 */
bool conn_event_probe(const struct conn *c, const struct conn_summary *s);

/*
 * Reports the "connected" event, at -v as a line; it took from start_ns until
 * now. A datagram socket (is_stream false) only has a destination.
 */
void conn_event_connected(const struct conn *c, bool is_stream);

/*
 * Reports what a server has received, the "message" or the "request" event, as
 * a line at level. full is the length before it was cut to n bytes, SIZE_MAX if
 * that is unknown.
 */
void conn_event_message(int level, const char *name, const struct conn *c,
    const void *bytes, size_t n, size_t full);

/*
 * Reports the "accepted" event, as a line at level; or the "denied" event,
 * where why, otherwise NULL, names the option that denies c.
 */
void conn_event_accepted(int level, const struct conn *c, const char *why);

/*
 * Reports the "closed" event, as a line at level; status is the exit status of
 * the connection.
 */
void conn_event_closed(
    int level, const struct conn *c, const struct conn_summary *s, int status);

#endif
