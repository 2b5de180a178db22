/*
 * The limit of a server's answers to one host: what the user says, or by
 * default one that ends loops. Two servers that answer each other's answers say
 * the same over and over again, as fast as they can; clients do not. So what
 * counts by default is a turn: datagrams that came together, one of which at
 * least its sender has sent before.
 */
#ifndef UDP_LOOP_H
#define UDP_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "udp/rate_limit.h"

struct dgram;

/* The default: turns of repeated messages that a host has a second, those that
 * it may save up, and how long it rests once it has had them: every datagram
 * of a loop is dropped in that time. */
#define LOOP_RATE 1000
#define LOOP_BURST 30000
#define LOOP_REST_MS 1000

/* Of struct loop's max_rate: the default, or any number. */
#define LOOP_DEFAULT (-1)
#define LOOP_ANY 0

struct loop {
	int64_t max_rate; /* answers a second and a host, or one of the above */
	bool counts_all; /* by default: answers differ though messages do not */
	struct rate_limit rate;
	uint32_t *seen; /* owned: fingerprints of messages; NULL: not needed */
};

/* Begins. loop_release() is due. */
void loop_start(struct loop *l, int64_t max_rate, bool counts_all);

/*
 * Whether a message may be answered: remote is its sender, unmapped. Counts it.
 * False where its host has had its answers for now.
 */
bool loop_allows(struct loop *l, const struct dgram *d,
    const struct addr *remote, int64_t now_ns);

void loop_release(struct loop *l);

#endif
