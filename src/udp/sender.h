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
	int64_t replies; /* This many have been received. */
	bool is_done;    /* No more replies are awaited. */
};

/* The datagrams, their replies, and how long these took. */
struct sender_stats {
	/* The sender owns the last datagrams that it sent; the index of one is
	 * its number modulo SENDER_RING. */
	struct sender_sent *ring;
	/* This many datagrams were sent; the next one gets this number. */
	uint64_t sent;
	/* Replies are awaited for this many of them, of which the first has the
	 * number oldest, and silent have had none. */
	uint64_t awaited, oldest, silent;
	/* This many datagrams had a reply in time; this many timed out with
	 * fewer replies than wanted. */
	uint64_t answered, failed;
	/* This many replies of all kinds were received. Some were more than
	 * were wanted, or came after the timeout. */
	uint64_t received, duplicates, late;
	struct rtt times;
};

/* The kinds of replies. */
enum sender_reply { SENDER_REPLY, SENDER_DUPLICATE, SENDER_LATE };

/* Special numbers of replies. With this one nothing is received. */
#define SENDER_NO_REPLY (-3)
/* All that is received is delivered, as a reply to no datagram. The sender ends
 * when the source has ended and nothing was sent or received for the timeout.
 */
#define SENDER_STREAM (-2)
/* One reply to each datagram is awaited; from a group or a broadcast address,
 * any number. */
#define SENDER_ONE_OF_EACH (-1)
/* Any number of replies may arrive within the timeout. */
#define SENDER_ANY_REPLIES 0

struct sender_options {
	/* The sender sets raise_buffer and unconnected itself. */
	struct dgram_options dgram;
	/* 1: replies may come from others than the peer. */
	int any_source;
	/* Each datagram gets this many replies, or one of the values above. */
	int64_t replies;
	/* The replies to a datagram are awaited for this time; -1: for ever. */
	int64_t timeout_ms;
	/* At most this many datagrams are unanswered, 1 to SENDER_MAX_WINDOW.
	 */
	int64_t window;
	/* The sender ends after this many datagrams; 0: with the source. */
	int64_t count;
	/* Two datagrams have this time between them; 0: none. */
	int64_t interval_ns;
	/* 1: "#N " is put before each message, with N from 0. */
	int number;
	/* The command ends at this time, and began at this one. */
	struct deadline until;
	int64_t start_ns;

	struct source *source;
	/* Each of these returns 0, or -1 with *e, which ends sender_run().
	 * on_sent may be NULL. */
	int (*on_sent)(void *context, const struct dgram *d, struct err *e);
	/* rtt_ns is -1 if no known datagram belongs to the reply. */
	int (*on_reply)(void *context, const struct dgram *d,
	    enum sender_reply kind, int64_t rtt_ns, struct err *e);
	/* It is called before each wait, to flush results. */
	int (*on_idle)(struct err *e);
	void *context;
};

struct sender {
	const struct sender_options *o;
	/* The sender owns the socket to the peer; -1: none is open. */
	int fd;
	struct addr peer;
	/* The socket is not connected to the peer. */
	bool unconnected;
	/* The replies of the options, for this peer; if negative, none is
	 * awaited for a datagram. */
	int64_t replies;
	struct sender_stats stats;
	uint64_t bytes_sent, bytes_received;
	/* The sender owns a batch of datagrams for replies. */
	struct dgram *in;
	/* The last datagram was sent or received at this time, or input was
	 * read. */
	int64_t moved_ns;
	/* This many replies found the receive buffer full, if that is known. It
	 * is set at the end. */
	uint64_t dropped;
	/* This many replies were received since none was waiting. */
	unsigned in_a_row;
	/* Another address may be tried, so only one datagram is sent until it
	 * is known not to be refused. */
	bool is_trial;
	/* SENDER_STREAM: nothing was received in time. */
	bool is_over;

	/* The sender owns space for DGRAM_MAX_SEND messages. The source has
	 * lent out_count of them, until the kernel has accepted them all; sent
	 * are accepted. */
	struct dgram *out;
	int out_count, sent;
	/* It owns space for messages with numbers; NULL: they have none. */
	unsigned char *numbered;
	/* The next datagram may be sent at this time. */
	int64_t next_ns;
	/* This follows the messages that are lent: enum source_next, and the
	 * error if it is SOURCE_ERROR. */
	int found;
	struct err source_error;

	/* EMSGSIZE was returned: it may be the error of an earlier datagram. */
	bool retried;
	/* There was no space for a datagram. */
	bool is_blocked;
	/* The last poll(2) reported space. */
	bool was_writable;
	/* The last pause in nanoseconds, and its end, where poll(2) does not
	 * report space. */
	struct backoff pause;
	struct deadline resume;
	/* A blocked datagram times out at this time. */
	struct deadline timeout;
};

/*
 * Sends to the first peer that does not refuse, until the source has ended and
 * no reply is awaited. Once a peer has sent a reply, no other one is tried. *o
 * must remain valid. If something was sent, reports the "summary" event, and at
 * -v a line. Returns 0, or -1 with *e: ERR_TIMEOUT if a datagram did not get
 * its replies, ERR_FAILED with EINTR for a caught signal. Afterwards *x owns
 * nothing; its counts and its peer remain.
 */
int sender_run(struct sender *x, const struct sender_options *o,
    const struct addr_list *peers, struct err *e);

/* Returns the statistics as two or three lines. sender_run() must have sent
 * something before. */
const char *sender_stats_text(const struct sender *x);

#endif
