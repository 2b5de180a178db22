/*
 * A windowed sender: sends the messages of a source as datagrams, of which a
 * limited number may be unanswered, and passes every reply to the caller; and
 * its round-trip statistics.
 */
#ifndef UDP_SENDER_H
#define UDP_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/deadline.h"
#include "base/err.h"
#include "base/rtt.h"
#include "net/addr.h"
#include "udp/dgram.h"

struct addr_list;
struct source;

/* The number of datagrams remembered, and how many may be awaited at once. */
#define SENDER_RING 65536
#define SENDER_MAX_WINDOW (SENDER_RING / 2)

/* One datagram that was sent. */
struct sender_sent {
	int64_t sent_ns;
	int64_t replies; /* received so far */
	bool is_done;    /* no more replies are awaited */
};

/* Which replies belong to which datagrams, and how long they took. */
struct sender_stats {
	struct sender_sent *ring; /* owned; index: number modulo SENDER_RING */
	uint64_t oldest;          /* number of the first awaited one, from 0 */
	uint64_t awaited;         /* datagrams for which replies are awaited */
	uint64_t silent;          /* those of them without a reply */
	uint64_t sent;            /* datagrams; the number of the next one */
	uint64_t received;        /* replies of all kinds */
	uint64_t answered;        /* datagrams with a reply in time */
	uint64_t failed;          /* timed out with fewer replies than wanted */
	uint64_t duplicates;      /* replies beyond those wanted */
	uint64_t late;            /* replies after the timeout */
	struct rtt times;
};

/* The kinds of replies. */
enum sender_reply { SENDER_REPLY, SENDER_DUPLICATE, SENDER_LATE };

/*
 * Values of replies: nothing is received; everything is received, belongs to no
 * datagram, and ends when the source has ended and nothing has come for the
 * timeout; one reply from a single host, but from a group or broadcast address
 * as SENDER_ANY_REPLIES; any number within the timeout.
 */
#define SENDER_NO_REPLY (-3)
#define SENDER_STREAM (-2)
#define SENDER_ONE_OF_EACH (-1)
#define SENDER_ANY_REPLIES 0

struct sender_options {
	struct dgram_options dgram; /* the sender sets some members itself */
	int any_source;             /* receive from others than the peer */
	int64_t replies;            /* to each datagram, or one of the above */
	int64_t timeout_ms;         /* for replies; -1: no limit */
	int64_t window;        /* max. unanswered, 1 to SENDER_MAX_WINDOW */
	int64_t count;         /* of datagrams; 0: to the end of the source */
	int64_t interval_ns;   /* between datagrams; 0: none */
	int number;            /* "#N " before each message, N from 0 */
	struct deadline until; /* of the command */
	int64_t start_ns;      /* the same */

	struct source *source;
	/* They return 0, or -1 with *e, which ends sender_run(). rtt_ns is -1
	 * for a reply that belongs to no datagram, or to any. */
	int (*on_sent)(void *context, const struct dgram *d, struct err *e);
	int (*on_reply)(void *context, const struct dgram *d,
	    enum sender_reply kind, int64_t rtt_ns, struct err *e);
	int (*on_idle)(struct err *e); /* before each wait, to flush */
	void *context;
};

struct sender {
	const struct sender_options *o;
	int fd; /* owned; -1: none */
	struct addr peer;
	bool unconnected; /* fd is not connected to peer */
	int64_t replies;  /* of the options, for this peer; negative: none is
			     awaited */
	struct sender_stats stats;
	uint64_t bytes_sent, bytes_received;
	struct dgram *in; /* owned: a batch */
	int64_t moved_ns; /* when the source ended, or the last one came */
	uint64_t dropped; /* replies that found the receive buffer full, if that
			     is known; set at the end */
	unsigned in_a_row; /* replies received since none was waiting */
	bool is_trial; /* another address may be tried, so only one datagram is
			  sent until it is known not to be refused */
	bool is_over;  /* SENDER_STREAM: nothing came in time */

	/* Messages lent by the source until the kernel accepts them all. */
	struct dgram *out;       /* owned, DGRAM_MAX_SEND of them */
	unsigned char *numbered; /* owned: messages with numbers, or NULL */
	int64_t next_ns;         /* when the next datagram may be sent */
	int out_count, sent;     /* lent; accepted by kernel */
	int found;               /* enum source_next: what follows them */
	struct err source_error; /* if that is SOURCE_ERROR */

	bool retried;         /* EMSGSIZE may be that of an earlier datagram */
	bool is_blocked;      /* there was no space for a datagram */
	bool was_writable;    /* in the last poll */
	struct backoff pause; /* the last pause, in nanoseconds */
	struct deadline resume;  /* its end, where poll(2) reports no space */
	struct deadline timeout; /* when a blocked datagram times out */
};

/*
 * Sends to the first of the peers that does not refuse before anything was
 * received, until the source has ended and no reply is awaited. *o must remain
 * valid. If something was sent, reports the "summary" event, and at -v a line.
 * Returns 0, or -1 with *e: also if a datagram has not got its replies;
 * ERR_FAILED with EINTR for a caught signal. Afterwards *x owns nothing, and
 * its counts and peer remain.
 */
int sender_run(struct sender *x, const struct sender_options *o,
    const struct addr_list *peers, struct err *e);

/* The statistics as two or three lines, after sender_run() has sent something.
 */
const char *sender_stats_text(const struct sender *x);

#endif
