/*
 * A relay: two flows between a socket and a pair of descriptors, and the policy
 * that decides when it ends. By default the end of the input closes the sending
 * side (FIN), and receiving continues until the peer finishes. When the peer
 * finishes first, sending continues until the input ends, since a FIN only
 * means that the peer will send no more; meanwhile keepalive probes the peer,
 * so that the relay ends if the peer vanishes. There is no time limit.
 *
 * A relay that ends before all data was delivered is aborted: the connection is
 * reset, so that the peer never mistakes partial data for the whole. That also
 * holds if the process is killed. Only a terminal's end is always a FIN: the
 * user decides when the relay ends.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "net/conn_event.h"

struct err;
struct listener;
struct progress;
struct recorder;
struct script;

/* What to do when standard input ends. */
enum relay_on_eof {
	RELAY_EOF_FIN,  /* send FIN, continue to receive */
	RELAY_EOF_KEEP, /* send no FIN, continue to receive */
	RELAY_EOF_QUIT  /* end when all data is sent */
};

struct relay_options {
	int in, out;          /* stdin and stdout, or -1: not used */
	int on_eof;           /* enum relay_on_eof */
	bool quits_with_peer; /* end when the peer finishes */
	bool delays_end;      /* fd leads to a proxy, and many of these end both
				 directions at a FIN: it waits until nothing
				 was sent or received for a moment */
	bool ends_out;        /* nothing follows on out: if it is a pipe, its
				 reader may see the end before the relay ends */
	struct limit idle;    /* without data in either direction */
	int64_t linger_ms;    /* longest time between both FINs; -1: no limit */
	struct deadline until; /* deadline of the command */
	bool is_program;       /* fd leads to a program that makes the
				  connection: its end is the connection's */
	int crlf;              /* 1: LF of the input is sent as CRLF */
	/* Whose other clients wait for the input, too: the relay ends as if the
	 * input had, when that has been idle for a moment and the peer has
	 * finished, and has either sent something or another client waits.
	 * NULL: none. */
	const struct listener *next;
	struct script *script;     /* runs before the input; NULL: none */
	int unread;                /* stdin, which is not read: data in it while
				      the first pattern is awaited is a usage
				      error; -1: not looked at */
	int quit_after_script;     /* 1: end when the script is done */
	struct progress *progress; /* drawn on the terminal; NULL: none */
	int64_t total;             /* bytes of the input; -1: unknown */

	struct recorder *recorder; /* of the data; NULL: none */

	/* At the end of what the peer has sent, or of a forwarder's in: whether
	 * that was its end, and not a loss. A lost peer is sent no more once
	 * the input has been idle for a moment; a forwarder does not pass such
	 * an end on. NULL: it was. */
	bool (*is_whole)(void *context);
	void *context; /* is_whole's */
	/* At the end of what a forwarder's peer has sent: whether the peer can
	 * still be answered. Otherwise it is lost, and its end is not passed
	 * on. NULL: it can. */
	bool (*is_there)(void *peer);
	void *peer; /* is_there's */

	/* Receives the summary of a forwarder's other side; NULL: none. */
	struct conn_summary *target;
};

#define RELAY_UNREAD_ERROR                                                  \
	"--done does not read stdin, which has data: send it with --send, " \
	"or give no stdin (</dev/null)"

#define RELAY_OPTIONS_INIT                                                  \
	{                                                                   \
		.in = -1, .out = -1, .unread = -1, .idle = LIMIT_NONE,      \
		.linger_ms = -1, .until = {.at_ns = INT64_MAX}, .total = -1 \
	}

/*
 * Relays until the policy ends it. fd is a connected socket that no other
 * process shares; it is made non-blocking. fd, in and out stay the caller's. in
 * may be the same socket as out, non-blocking and not shared: a forwarder; its
 * sending side is then closed when fd's peer finishes.
 *
 * Returns 0 when the input was sent to its end and acknowledged, and everything
 * received was written; or -1 with *e: ERR_TIMEOUT, ERR_LOST (also for input
 * that a policy abandoned), ERR_OUTPUT, or ERR_FAILED with EINTR for a caught
 * signal. *sum is filled in both cases. If sum->is_aborted is set, the caller
 * closes the connection with sock_abort_acked(); a forwarder closes both.
 */
int relay_run(int fd, const struct relay_options *o, struct conn_summary *sum,
    struct err *e);

#endif
