/*
 * A relay: two flows between a socket and a pair of descriptors, and the policy
 * that decides when it ends: see Half-close in sockt(1).
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

struct err;
struct link;
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
	/* Stdin and stdout; -1: it is not used. A forwarder, whose input and
	 * output are the target, ignores both. */
	int in, out;
	/* What the end of the input does: enum relay_on_eof. */
	int on_eof;
	/* The relay ends when the peer finishes. Otherwise it first sends the
	 * input to its end. */
	bool quits_with_peer;
	/* The input is sent to its end even after a bare end of the peer
	 * (net/link.h). Without this, a bare end is a loss once the input is
	 * idle. */
	bool sends_to_end;
	/* Closes out, if it is a pipe, as soon as the peer has finished, so
	 * that its reader need not wait for the end of the relay. */
	bool ends_out;
	/* The relay fails if nothing moves in either direction for this time.
	 */
	struct limit idle;
	/* It fails if the peer does not finish within this time after this
	 * side; -1: no limit. */
	int64_t linger_ms;
	/* It fails at this time: the deadline of the command. */
	struct deadline until;
	/* 1: sends each LF of the input as CRLF. */
	int crlf;
	/* Reads at most this many bytes of the input per second; 0: no limit.
	 */
	int64_t rate;
	/* The listener whose clients share the input. The relay stops reading
	 * the input once the peer has finished, the input is idle, and the peer
	 * has sent data or another client waits. NULL: none. */
	const struct listener *listener;
	/* Runs before the input is read; NULL: none. */
	struct script *script;
	/* Rejects data on stdin until the first pattern matches, as a usage
	 * error. */
	bool refuses_stdin;
	/* 1: the relay ends when the script is done. */
	int quit_after_script;
	/* Is drawn on the terminal; NULL: none. */
	struct progress *progress;
	/* Records the data; NULL: none. */
	struct recorder *recorder;
};

#define RELAY_UNREAD_ERROR                                                  \
	"--done does not read stdin, which has data: send it with --send, " \
	"or give no stdin (</dev/null)"

/*
 * Relays until the policy ends it: between peer and stdin and stdout; or, if
 * target is not NULL, as a forwarder between peer and target, which is sent FIN
 * when peer finishes. No other process shares their sockets. All descriptors
 * stay the caller's; peer's becomes non-blocking, target's must be.
 *
 * Returns 0 when the input was sent to its end and acknowledged, and everything
 * received was written; or -1 with *e: ERR_TIMEOUT, ERR_LOST (also for input
 * that a policy abandoned), ERR_OUTPUT, or ERR_FAILED with EINTR for a caught
 * signal. The totals of peer are set in both cases. If peer->is_aborted is set,
 * the caller closes the connection with link_abort(); a forwarder closes
 * both.
 */
int relay_run(struct link *peer, struct link *target,
    const struct relay_options *o, struct err *e);

#endif
