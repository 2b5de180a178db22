/*
 * Datagrams out and replies back: what a feed gives is sent, at most a window
 * of them unanswered, and every reply is handed on.
 */
#ifndef UDP_SENDER_H
#define UDP_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "net/addr.h"
#include "udp/dgram.h"
#include "udp/message_source.h"
#include "udp/outbox.h"
#include "udp/rtt_stats.h"

struct err;

/* Replies to each datagram: none are awaited, or all that come in time. */
#define SENDER_NO_REPLY (-1)
#define SENDER_ANY_REPLIES 0

struct sender_options {
	int64_t replies;       /* awaited to each; or one of the above */
	int64_t timeout_ms;    /* for them; -1: no limit */
	int64_t window;        /* unanswered at once, 1 to RTT_STATS_MAX */
	int64_t count;         /* datagrams in all; 0: what the feed has */
	int64_t interval_ns;   /* between datagrams; 0: as fast as it goes */
	bool number;           /* "#N " in front of each, N from 0 */
	struct deadline until; /* of the whole run */
};

/* Takes a reply. trip_ns is -1 where it belongs to none. 0, or -1 with *e. */
typedef int sender_reply(void *context, const struct dgram *d,
    enum rtt_stats_kind kind, int64_t trip_ns, struct err *e);

/* Is called before it waits: what was written may be flushed. As above. */
typedef int sender_idle(void *context, struct err *e);

/* Why a datagram is still unsent, and what ends the wait for it. */
enum sender_block {
	SENDER_FREE,  /* nothing has refused it */
	SENDER_FULL,  /* no room for it: poll(2) tells when there is some */
	SENDER_PAUSED /* no room, and only time tells */
};

struct sender {
	const struct sender_options *o;
	struct message_source *feed; /* the caller's */
	sender_reply *reply;
	sender_idle *idle;
	void *context; /* of both */

	int fd;           /* the caller's */
	struct addr peer; /* where datagrams go */
	bool unconnected; /* each is addressed to peer */
	bool careful;     /* another address may be tried: no second datagram
			     before the first one is known to have arrived */
	struct rtt_stats trips;
	struct dgram *in; /* a batch, owned */
	struct outbox out;
	bool starved;    /* the feed has nothing until it is read */
	bool ended;      /* the feed has no more */
	int64_t next_ns; /* when the next one may leave */

	enum sender_block block;
	int64_t pause_ns;       /* how long the next pause is */
	struct deadline resume; /* when it is over */
	struct deadline stuck;  /* when the datagram is given up */
	bool tried_again;       /* "too long" may have been an earlier one's */
	bool was_writable;      /* by the last poll */

	uint64_t bytes_sent, bytes_received;
};

/*
 * Begins; sender_release() is due. *o stays the caller's, who may change
 * o->replies until sender_use().
 */
void sender_start(struct sender *x, const struct sender_options *o,
    struct message_source *feed, sender_reply *reply, sender_idle *idle,
    void *context);

/* Which socket and peer: first, and after a refusal once more. */
void sender_use(struct sender *x, int fd, const struct addr *peer,
    bool unconnected, bool careful);

/*
 * Runs to the end of the feed and of what is awaited. 0, or -1 with *e;
 * ERR_FAILED with EINTR for a caught signal. Datagrams that stayed unanswered
 * are no error here: see x->trips.failed.
 */
int sender_run(struct sender *x, struct err *e);

/*
 * True when a run failed before anybody was heard, so that the same datagrams
 * may be sent to another address with sender_use() and sender_run().
 */
bool sender_may_retry(const struct sender *x, const struct err *e);

/* Enough for sender_format(). */
#define SENDER_TEXT 512

/* The statistics for people, two or three lines. Returns buf. */
const char *sender_format(const struct sender *x, char *buf, size_t size);

/* The "summary" event, and at -v a line. ns is how long it all took. */
void sender_report(const struct sender *x, int64_t ns);

void sender_release(struct sender *x);

#endif
