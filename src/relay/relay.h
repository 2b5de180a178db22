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
	int in, out; /* stdin and stdout, or -1: not used; without a target */
	int on_eof;  /* enum relay_on_eof */
	bool quits_with_peer; /* end when the peer finishes */
	bool sends_to_end;    /* send all input even if the peer's end is bare
				 (net/link.h); otherwise the connection then
				 counts as lost once the input is idle */
	bool ends_out;        /* nothing follows on out: if it is a pipe, its
				 reader may see the end before the relay ends */
	struct limit idle;    /* without data in either direction */
	int64_t linger_ms;    /* longest time between both FINs; -1: no limit */
	struct deadline until; /* deadline of the command */
	int crlf;              /* 1: LF of the input is sent as CRLF */
	int64_t rate;          /* of the input, bytes per second; 0: no limit */
	/* The listener whose clients share the input. The relay stops reading
	 * the input once the peer has finished, the input is idle, and the peer
	 * has sent data or another client waits. NULL: none. */
	const struct listener *listener;
	struct script *script;     /* runs before the input; NULL: none */
	bool refuses_stdin;        /* data of stdin is a usage error while the
				      first step of the script is awaited */
	int quit_after_script;     /* 1: end when the script is done */
	struct progress *progress; /* drawn on the terminal; NULL: none */

	struct recorder *recorder; /* of the data; NULL: none */
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
