/* The result of a relay: its state, the exit status and the error message.
 * Private to relay.c. */
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

/* The state of a relay. up sends to the socket, down receives from it. */
struct relay {
	int fd;
	const struct relay_options *o;
	struct flow up, down;
	bool finished;       /* the input has ended; FIN is sent if needed */
	bool fin_sent;       /* to the peer */
	bool out_finished;   /* a forwarder's FIN was sent to its target */
	bool peer_finished;  /* the peer's FIN or reset has arrived */
	int64_t peer_end_ns; /* when it arrived */
	struct conn_summary sum, target_sum; /* of both sides */
	bool input_abandoned;       /* the input was abandoned before its end */
	bool is_waiting_reported;   /* report_waiting() has reported */
	bool has_stopped_receiving; /* no more reads, only writes */
	int64_t finished_ns;        /* when all input was sent */
	int64_t written_ns;         /* when bytes last waited for out */
	uint64_t unsent;            /* bytes not yet acknowledged */
	int64_t moved_ns;           /* when their number last decreased */
	struct deadline recheck;    /* next check of the acknowledgements */
	struct backoff recheck_pause;
	struct err *e; /* the caller's, for tap */
};

/* Whether in and out are one socket: the target of a forwarder. */
bool relay_result_is_forwarder(const struct relay *r);

/* Whether any end has failed. */
bool relay_result_has_failed(const struct relay *r);

/* Whether received bytes wait for the output. */
bool relay_result_is_output_pending(const struct relay *r);

/* The earliest limit: --max-time, --linger, --idle-timeout. */
struct deadline relay_result_deadline(const struct relay *r);

/* Sets *e for the limit that has passed. Returns -1. */
int relay_result_limit(const struct relay *r, struct err *e);

/* The result of a relay that has ended, after all readable data was read: 0
 * when everything was delivered, or -1 with *e; see relay_run(). */
int relay_result_check(const struct relay *r, struct err *e);

/* Fills *sum; status and *e are the relay's result. */
void relay_result_summarize(const struct relay *r, struct conn_summary *sum,
    int status, const struct err *e);

#endif
