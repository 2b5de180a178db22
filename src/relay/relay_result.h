/*
 * How a relay ended: its state, what that means for the exit status, and the
 * words for it. Private to relay.c.
 */
#ifndef RELAY_RELAY_RESULT_H
#define RELAY_RELAY_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/backoff.h"
#include "relay/flow.h"
#include "net/conn_event.h"

struct err;
struct relay_options;

/* The state of one run. up goes to the socket, down comes from it. */
struct relay {
	int fd;
	const struct relay_options *o;
	struct flow up, down;
	bool finished;     /* the input has ended, FIN is sent if it is to be */
	bool out_finished; /* a forwarder's other side got its FIN */
	bool peer_finished;                  /* the peer's FIN or reset came */
	int64_t peer_end_ns;                 /* when it did */
	struct conn_summary sum, target_sum; /* of both sides */
	bool input_abandoned;     /* the input was abandoned before its end */
	bool is_waiting_reported; /* what is waited for has been reported */
	bool is_receiving_over;   /* what was read is still written, no more */
	int64_t finished_ns;      /* when everything had been sent */
	int64_t written_ns;       /* when bytes last waited for the output */
	uint64_t unsent;          /* bytes that the system still had to send */
	int64_t moved_ns;         /* when they last became fewer */
	struct deadline recheck;  /* next look at what is acknowledged */
	struct backoff recheck_pause;
	struct err *e; /* of the run, for tap */
};

/* stdin and stdout are one socket: the target of a forwarder. */
bool relay_result_is_forwarder(const struct relay *r);

/* Something failed on either side: there is nothing to be delivered. */
bool relay_result_has_failed(const struct relay *r);

/* Received bytes wait for the output. */
bool relay_result_is_output_late(const struct relay *r);

/* The earliest limit of all: --max-time, --linger, --idle-timeout. */
struct deadline relay_result_deadline(const struct relay *r);

/* The error of the limit that has passed. Returns -1. */
int relay_result_limit(const struct relay *r, struct err *e);

/*
 * The result of a relay that is over, now that everything readable was read:
 * 0 when all was delivered, or -1 with *e; see relay_run().
 */
int relay_result_check(const struct relay *r, struct err *e);

/* Fills *sum; status and *e are how the relay ended. */
void relay_result_summarise(const struct relay *r, struct conn_summary *sum,
    int status, const struct err *e);

#endif
