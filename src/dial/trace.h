/*
 * The hops of a TCP connection, without privileges: attempts to connect with
 * small times to live (IP_TTL, RFC 791 3.2; RFC 8200 3), and the ICMP errors
 * "time exceeded" of the routers where they end.
 */
#ifndef DIAL_TRACE_H
#define DIAL_TRACE_H

#include <stdint.h>

#include "base/deadline.h"
#include "net/addr.h"

struct err;
struct sock_options;
struct trace;

/* A row: a hop, or hops that did not answer. */
struct trace_hop {
	int first, last;
	struct addr addr;  /* len 0: silent */
	int64_t ns;        /* round trip */
	const char *state; /* of the last hop: "open"; NULL: a router */
};

/* Prepares a trace to an address; the pointers stay the caller's. wait limits
 * the wait for each batch of hops; the default is 2 s. */
struct trace *trace_start(
    const struct addr *to, const struct sock_options *o, struct limit wait);

/*
 * Waits for the next row. Returns 1 with *hop, 0 at the end if the port is
 * open, or -1 with *e: why the port is not open; ERR_TIMEOUT if the host has
 * not answered, or until has passed; ERR_FAILED with EINTR after a caught
 * signal, or if the system does not report the senders of ICMP errors.
 */
int trace_next(struct trace *t, struct deadline until, struct trace_hop *hop,
    struct err *e);

/* "3  192.0.2.7  0.31 ms  open", or "3  *" and "3-30  *". In a buffer of
 * text_slot(). */
const char *trace_hop_text(const struct trace_hop *hop);

void trace_free(struct trace *t);

#endif
