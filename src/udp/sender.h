/*
 * A windowed sender: messages of a source are sent as datagrams, a limited
 * number of them unanswered, and every reply is passed on.
 */
#ifndef UDP_SENDER_H
#define UDP_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/deadline.h"
#include "base/err.h"
#include "net/addr.h"
#include "udp/batch.h"
#include "udp/rtt_stats.h"

struct message_source;

/* Replies to each datagram: none are awaited, or all within the timeout. */
#define SENDER_NO_REPLY (-1)
#define SENDER_ANY_REPLIES 0

struct sender_reply {
	const struct dgram *d;
	enum rtt_stats_kind kind;
	int64_t rtt_ns; /* -1: it belongs to no datagram */
};

/* Both return 0, or -1 with *e, which ends the run. */
typedef int sender_on_reply(
    void *context, const struct sender_reply *r, struct err *e);
typedef int sender_on_idle(void *context, struct err *e);

struct sender_options {
	int64_t replies;       /* to each datagram; or one of the above */
	int64_t timeout_ms;    /* for them; -1: no limit */
	int64_t window;        /* unanswered at once, 1 to RTT_STATS_MAX */
	int64_t count;         /* datagrams in all; 0: to the source's end */
	int64_t interval_ns;   /* between datagrams; 0: none */
	bool number;           /* "#N " before each message, N from 0 */
	struct deadline until; /* of the command */

	struct message_source *source;
	sender_on_reply *on_reply;
	sender_on_idle *on_idle; /* called before it waits, to flush */
	void *context;           /* of both */
};

/* Where datagrams are sent. */
struct sender_target {
	int fd; /* the caller's */
	struct addr peer;
	bool unconnected; /* fd is: each datagram is addressed to peer */
	bool is_last;     /* no other address will be tried */
};

/* Why a datagram is still unsent, and what ends the wait for it. */
enum sender_block {
	SENDER_FREE,  /* nothing has refused it */
	SENDER_FULL,  /* no space for it: poll(2) reports when there is some */
	SENDER_PAUSED /* no space, and poll(2) does not report it */
};

struct sender {
	const struct sender_options *o;
	struct sender_target to;
	bool is_trial; /* another address may be tried: no second datagram
			  before the first one is known not to be refused */
	struct rtt_stats stats;
	uint64_t bytes_sent, bytes_received;
	struct dgram *in; /* owned: a batch */

	/* Messages that the source has lent until the kernel has them all. */
	struct dgram *out;       /* owned, BATCH_MAX_SEND of them */
	unsigned char *numbered; /* owned: messages with numbers, or NULL */
	int out_count, sent;     /* lent; accepted by the kernel */
	struct err source_error; /* of the message after them, if any */
	bool starved;            /* the source is empty until it is read */
	bool ended;              /* the source is at its end */
	int64_t next_ns;         /* when the next one may be sent */

	enum sender_block block;
	struct backoff pause;   /* the last pause, in nanoseconds */
	struct deadline resume; /* the end of the pause */
	struct deadline stuck;  /* when the datagram counts as unanswered */
	bool tried_again;       /* "too long" may have been an earlier one's */
	bool was_writable;      /* by the last poll */
};

/*
 * Call sender_release() afterwards. *o stays the caller's, who may change
 * o->replies until sender_use().
 */
void sender_start(struct sender *x, const struct sender_options *o);

/* Where to send: first of all, and once more after a refusal. */
void sender_use(struct sender *x, const struct sender_target *to);

/*
 * Runs until the source has ended and nothing is awaited. 0, or -1 with *e;
 * ERR_FAILED with EINTR for a caught signal. Datagrams without a reply are not
 * an error here: see x->stats.failed.
 */
int sender_run(struct sender *x, struct err *e);

/*
 * Whether a run failed before anything was received, so that the same datagrams
 * may be sent to another address with sender_use() and sender_run().
 */
bool sender_may_retry(const struct sender *x, const struct err *e);

/* Replies that the receive buffer had no space for; 0 where unknown. */
uint64_t sender_dropped(const struct sender *x);

/* The "summary" event, and at -v a line. ns is how long it all took. */
void sender_report(const struct sender *x, int64_t ns);

void sender_release(struct sender *x);

#endif
