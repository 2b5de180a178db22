/*
 * Datagrams out and replies back: what a feed gives is sent, at most a window
 * of them unanswered, and every reply is handed on.
 */
#ifndef UDP_EXCHANGE_H
#define UDP_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "net/addr.h"
#include "udp/dgram.h"
#include "udp/feed.h"
#include "udp/outbox.h"
#include "udp/trips.h"

struct err;

/* Replies to each datagram: none are awaited, or all that come in time. */
#define EXCHANGE_NO_REPLY (-1)
#define EXCHANGE_ANY_REPLIES 0

struct exchange_options {
	int64_t replies;       /* awaited to each; or one of the above */
	int64_t timeout_ms;    /* for them; -1: no limit */
	int64_t window;        /* unanswered at once, 1 to TRIPS_MOST */
	int64_t count;         /* datagrams in all; 0: what the feed has */
	int64_t interval_ns;   /* between datagrams; 0: as fast as it goes */
	bool number;           /* "#N " in front of each, N from 0 */
	struct deadline until; /* of the whole run */
};

/* Takes a reply. trip_ns is -1 where it belongs to none. 0, or -1 with *e. */
typedef int exchange_reply(void *context, const struct dgram *d,
    enum trips_kind kind, int64_t trip_ns, struct err *e);

/* Is called before it waits: what was written may be flushed. As above. */
typedef int exchange_idle(void *context, struct err *e);

/* Why a datagram is still unsent, and what ends the wait for it. */
enum exchange_block {
	EXCHANGE_FREE,  /* nothing has refused it */
	EXCHANGE_FULL,  /* no room for it: poll(2) tells when there is some */
	EXCHANGE_PAUSED /* no room, and only time tells */
};

struct exchange {
	const struct exchange_options *o;
	struct feed *feed; /* the caller's */
	exchange_reply *reply;
	exchange_idle *idle;
	void *context; /* of both */

	int fd;           /* the caller's */
	struct addr peer; /* where datagrams go */
	bool unconnected; /* each is addressed to peer */
	bool careful;     /* another address may be tried: no second datagram
			     before the first one is known to have arrived */
	struct trips trips;
	struct dgram *in; /* a batch, owned */
	struct outbox out;
	bool starved;    /* the feed has nothing until it is read */
	bool ended;      /* the feed has no more */
	int64_t next_ns; /* when the next one may leave */

	enum exchange_block block;
	int64_t pause_ns;       /* how long the next pause is */
	struct deadline resume; /* when it is over */
	struct deadline stuck;  /* when the datagram is given up */
	bool tried_again;       /* "too long" may have been an earlier one's */
	bool was_writable;      /* by the last poll */

	uint64_t bytes_sent, bytes_received;
};

/*
 * Begins; exchange_release() is due. *o stays the caller's, who may change
 * o->replies until exchange_use().
 */
void exchange_start(struct exchange *x, const struct exchange_options *o,
    struct feed *feed, exchange_reply *reply, exchange_idle *idle,
    void *context);

/* Which socket and peer: first, and after a refusal once more. */
void exchange_use(struct exchange *x, int fd, const struct addr *peer,
    bool unconnected, bool careful);

/*
 * Runs to the end of the feed and of what is awaited. 0, or -1 with *e;
 * ERR_FAILED with EINTR for a caught signal. Datagrams that stayed unanswered
 * are no error here: see x->trips.failed.
 */
int exchange_run(struct exchange *x, struct err *e);

/*
 * True when a run failed before anybody was heard, so that the same datagrams
 * may be sent to another address with exchange_use() and exchange_run().
 */
bool exchange_may_retry(const struct exchange *x, const struct err *e);

/* Enough for exchange_format(). */
#define EXCHANGE_TEXT 512

/* The statistics for people, two or three lines. Returns buf. */
const char *exchange_format(const struct exchange *x, char *buf, size_t size);

/* The "summary" event, and at -v a line. ns is how long it all took. */
void exchange_tell(const struct exchange *x, int64_t ns);

void exchange_release(struct exchange *x);

#endif
