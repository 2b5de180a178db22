/* The result of a relay: its state, the exit status and the error message.
 * Private to relay.c and relay_policy.c. */
#ifndef RELAY_RELAY_RESULT_H
#define RELAY_RELAY_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/backoff.h"
#include "relay/flow.h"
#include "relay/policy.h"
#include "net/conn_event.h"

struct err;
struct relay_options;

/* The state of a relay. up sends to the socket, down receives from it. */
struct relay {
	int fd;
	const struct relay_options *o;
	struct flow up, down;
	unsigned state;      /* a set of enum policy_state */
	unsigned wants;      /* policy_wants() of it */
	bool is_unix;        /* so is fd */
	bool has_no_target;  /* it was closed, and has everything */
	bool watches_unread; /* o->unread has not ended */
	bool is_searching;   /* the script has more to search at once */
	bool fin_sent;       /* to the peer */
	int64_t peer_end_ns; /* when its FIN or reset arrived */
	struct conn_summary sum, target_sum; /* of both sides */
	bool is_waiting_reported;            /* report_waiting() has reported */
	int64_t finished_ns;                 /* when all input was sent */
	int64_t written_ns;      /* when bytes last waited for out */
	uint64_t unsent;         /* bytes not yet acknowledged */
	int64_t moved_ns;        /* when their number last decreased */
	struct deadline recheck; /* next check of the acknowledgements */
	struct backoff recheck_pause;
	struct err *e; /* the caller's, for tap */
};

/* Whether the state has one of these bits, of enum policy_state. */
static inline bool
relay_is(const struct relay *r, unsigned bits)
{
	return (r->state & bits) != 0;
}

/* Whether the state wants one of these, of enum policy_want. */
static inline bool
relay_wants(const struct relay *r, unsigned wants)
{
	return (r->wants & wants) != 0;
}

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
