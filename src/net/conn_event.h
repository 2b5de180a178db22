/* The events of a connection: accepted, denied, closed. */
#ifndef NET_CONN_EVENT_H
#define NET_CONN_EVENT_H

#include <stdbool.h>
#include <stddef.h>

struct link;

/* Logs that the program has exited and a process it started keeps the
 * connection. */
void conn_event_goes_on(const struct link *l);

/*
 * Whether the peer only probed the port: it sent nothing and reset the
 * connection, and no input is lost. A server that continues does not report
 * this as an error; it is logged here at -v.
 */
bool conn_event_probe(const struct link *l);

/*
 * Reports the "connected" event, at -v as a line, with the time since start_ns.
 * A datagram socket (is_stream false) only has a destination.
 */
void conn_event_connected(const struct link *l, bool is_stream);

/*
 * Reports the "message" or "request" event, for data that a server received, as
 * a line at level. full is the length before it was cut to n bytes, or SIZE_MAX
 * if that is unknown.
 */
void conn_event_message(int level, const char *name, const struct link *l,
    const void *bytes, size_t n, size_t full);

/*
 * Reports the "accepted" event, as a line at level; or the "denied" event,
 * where why, otherwise NULL, names the option that denies it.
 */
void conn_event_accepted(int level, const struct link *l, const char *why);

/*
 * Reports the "closed" event, as a line at level; status is the exit status of
 * the connection.
 */
void conn_event_closed(int level, const struct link *l, int status);

#endif
