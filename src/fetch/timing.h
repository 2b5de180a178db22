/* How long the phases of an exchange took: a request and its response. */
#ifndef FETCH_TIMING_H
#define FETCH_TIMING_H

#include <stdbool.h>
#include <stdint.h>

struct http_response;
struct url;

/* The phases of an exchange, each named for the event that ends it. */
enum timing_phase {
	TIMING_RESOLVED,   /* The name was resolved. */
	TIMING_CONNECTED,  /* The server, or a proxy, was connected to. */
	TIMING_SECURED,    /* The TLS handshake was completed. */
	TIMING_SENT,       /* The request was sent. */
	TIMING_FIRST_BYTE, /* The first byte of the response was received. */
	TIMING_RECEIVED,   /* The last byte of the response was received. */
	TIMING_PHASES
};

/* Times are readings of clock_now(). */
struct timing {
	/* The exchange began at this time. */
	int64_t start_ns;
	/* The phases ended at these times; 0: the phase was not reached. */
	int64_t ends_ns[TIMING_PHASES];
	/* The connection was kept from an earlier exchange: it took no time. */
	bool is_reused;
};

/* Reports the response r, from u, as the event "response" and, with_chart, as a
 * chart on stderr. */
void timing_report(const struct timing *t, const struct http_response *r,
    const struct url *u, bool with_chart);

#endif
