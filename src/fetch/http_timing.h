/* How long the phases of an HTTP exchange took, as an event and as a chart. */
#ifndef FETCH_HTTP_TIMING_H
#define FETCH_HTTP_TIMING_H

#include <stdbool.h>
#include <stdint.h>

/* When the phases ended, as readings of clock_now(); 0: not reached. */
struct http_timing {
	int64_t start_ns;
	int64_t resolved_ns;  /* the name is resolved */
	int64_t connected_ns; /* connected, to a proxy too */
	int64_t secured_ns;   /* the TLS handshake is done; 0: without TLS */
	int64_t sent_ns;      /* the request is sent */
	int64_t first_ns;     /* the first byte of the response */
	int64_t end_ns;       /* the last byte of the response */
	bool is_reused;       /* on the previous request's connection */
};

/*
 * The "response" event: status, bytes of body and the phases in seconds since
 * the start.
 */
void http_timing_report(
    const struct http_timing *t, const char *url, int status, uint64_t bytes);

/* The same as a small chart on stderr, for --timing. */
void http_timing_draw(
    const struct http_timing *t, const char *url, int status, uint64_t bytes);

#endif
