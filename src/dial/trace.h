/* --trace: the routers on the way of a TCP connection. */
#ifndef DIAL_TRACE_H
#define DIAL_TRACE_H

#include <stdint.h>

#include "base/deadline.h"
#include "net/addr.h"

struct err;
struct sock_options;

/* A row of a trace: a hop, or several that did not answer. */
struct trace_hop {
	/* The numbers of its hops, from 1. */
	int first, last;
	/* The address that answered; len is 0 if there was no answer. */
	struct addr addr;
	/* The round trip; 0: unknown, because the SYN was repeated. */
	int64_t ns;
	/* The port state of the last hop, such as "open". NULL: a router. */
	const char *state;
};

/*
 * Traces the hops of a TCP connection without privileges: attempts to connect
 * with small times to live (IP_TTL, RFC 791 3.2; RFC 8200 3), and the ICMP
 * errors "time exceeded" of the routers where they end. wait limits the wait
 * for each batch of hops; the default is 2 s. Passes each row to report(),
 * which returns 0, or -1 with *e to end the trace.
 *
 * Returns 0 if the port is open, or -1 with *e: why the port is not open;
 * ERR_TIMEOUT if the host has not answered, or until has passed; ERR_FAILED
 * with EINTR after a caught signal, or if the system does not report the
 * senders of ICMP errors.
 */
int trace_run(const struct addr *to, const struct sock_options *o,
    struct limit wait, struct deadline until,
    int (*report)(const struct trace_hop *hop, struct err *e), struct err *e);

#endif
