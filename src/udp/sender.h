/*
 * A windowed sender: sends the messages of a source as datagrams, of which a
 * limited number may be unanswered, and passes every reply to the caller.
 */
#ifndef UDP_SENDER_H
#define UDP_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/deadline.h"
#include "base/err.h"
#include "net/addr.h"
#include "udp/dgram.h"
#include "udp/rtt_stats.h"

struct source;

/*
 * Values of replies: nothing is received; whatever comes is, and belongs to no
 * datagram, until the source has ended and nothing has come for the timeout; or
 * any number within the timeout.
 */
#define SENDER_NO_REPLY (-2)
#define SENDER_STREAM (-1)
#define SENDER_ANY_REPLIES 0

struct sender_reply {
	const struct dgram *d;
	enum rtt_stats_kind kind;
	int64_t rtt_ns; /* -1: belongs to no datagram, or to any */
};

/*
 * They return 0, or -1 with *e, which ends sender_run(). sender_on_sent() gets
 * datagrams that were sent together.
 */
typedef int sender_on_sent(
    void *context, const struct dgram *d, int count, struct err *e);
typedef int sender_on_reply(
    void *context, const struct sender_reply *r, struct err *e);
typedef int sender_on_idle(void *context, struct err *e);

struct sender_options {
	int64_t replies;       /* to each datagram, or one of the above */
	int64_t timeout_ms;    /* for replies; -1: no limit */
	int64_t window;        /* max. unanswered, 1 to RTT_STATS_MAX */
	int64_t count;         /* of datagrams; 0: to the end of the source */
	int64_t interval_ns;   /* between datagrams; 0: none */
	bool number;           /* "#N " before each message, N from 0 */
	struct deadline until; /* of the command */

	struct source *source;
	sender_on_sent *on_sent; /* NULL: none */
	sender_on_reply *on_reply;
	sender_on_idle *on_idle; /* called before each wait, to flush */
	void *context;           /* of all of them */
};

/* The destination of datagrams. */
struct sender_target {
	int fd; /* owned by the caller */
	struct addr peer;
	bool unconnected; /* fd is not connected to peer */
	bool is_last;     /* there is no other address to try */
};

/* Why a datagram is unsent, and what ends the wait for it. */
enum sender_block {
	SENDER_FREE,  /* nothing blocks it */
	SENDER_FULL,  /* no space; poll(2) reports when there is some */
	SENDER_PAUSED /* no space, and poll(2) does not report it */
};

struct sender {
	const struct sender_options *o;
	struct sender_target to;
	struct rtt_stats stats;
	uint64_t bytes_sent, bytes_received;
	struct dgram *in;  /* owned: a batch */
	int64_t moved_ns;  /* when the source ended, or the last one came */
	unsigned in_a_row; /* replies received since none was waiting */
	bool is_trial; /* another address may be tried, so only one datagram is
			  sent until it is known not to be refused */
	bool is_over;  /* SENDER_STREAM: nothing came in time */

	/* Messages lent by the source until the kernel accepts them all. */
	struct dgram *out;       /* owned, DGRAM_MAX_SEND of them */
	unsigned char *numbered; /* owned: messages with numbers, or NULL */
	int64_t next_ns;         /* when the next datagram may be sent */
	int out_count, sent;     /* lent; accepted by kernel */
	struct err source_error; /* for the message after them, if any */
	bool starved;            /* the source needs to be read */
	bool ended;              /* the source is at its end */

	bool retried;      /* EMSGSIZE may be that of an earlier datagram */
	bool was_writable; /* in the last poll */
	enum sender_block block;
	struct backoff pause;    /* the last pause, in nanoseconds */
	struct deadline resume;  /* end of the pause */
	struct deadline timeout; /* when a blocked datagram times out */
};

/*
 * Starts a sender. Call sender_release() afterwards. *o must remain valid; the
 * caller may change o->replies until sender_use().
 */
void sender_start(struct sender *x, const struct sender_options *o);

/* Sets the destination: at first, and again after a refusal. */
void sender_use(struct sender *x, const struct sender_target *to);

/*
 * Runs until the source has ended and no reply is awaited. Returns 0, or -1
 * with *e; ERR_FAILED with EINTR for a caught signal. Datagrams without a reply
 * are not an error here: see x->stats.failed.
 */
int sender_run(struct sender *x, struct err *e);

/*
 * Whether sender_run() failed before anything was received, so that the caller
 * may send the same datagrams to another address, with sender_use() and
 * sender_run().
 */
bool sender_may_retry(const struct sender *x, const struct err *e);

/* The number of replies that found the receive buffer full; 0 if unknown. */
uint64_t sender_dropped(const struct sender *x);

/* Reports the "summary" event, and at -v a line. ns is the duration. */
void sender_report(const struct sender *x, int64_t ns);

void sender_release(struct sender *x);

#endif
