/*
 * A relay: two flows between a socket and a pair of descriptors, and the
 * policy that decides when it is over. By default the end of the input closes
 * the sending side (FIN) and receiving goes on until the peer finishes; and
 * when the peer finishes first, sending goes on until the input ends, since a
 * FIN only means that the peer will send no more. Meanwhile the peer is
 * probed, so that a vanished one ends the relay. There is no
 * time limit.
 *
 * A relay that ends before everything was delivered is aborted: the connection
 * is reset, so that the peer never takes what it has for the whole. That holds
 * for a process that is killed, too. Only a terminal's end is always a FIN: the
 * person at it decides when it is over.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "net/conn_event.h"

struct err;
struct progress;
struct script;

/* When standard input ends. */
enum relay_on_eof {
	RELAY_EOF_FIN,  /* send FIN, go on receiving */
	RELAY_EOF_KEEP, /* say nothing, go on receiving */
	RELAY_EOF_QUIT  /* end as soon as everything is sent */
};

/* When the peer finishes. */
enum relay_on_peer_eof {
	RELAY_PEER_FINISH, /* send until the input ends */
	RELAY_PEER_DRAIN,  /* send what the input holds now, then end */
	RELAY_PEER_QUIT    /* end */
};

struct relay_options {
	int in, out; /* stdin and stdout, or -1: not used */
	enum relay_on_eof on_eof;
	enum relay_on_peer_eof on_peer_eof;
	int64_t idle_ms; /* longest time without a byte in either direction; -1:
			    any */
	int64_t
	    linger_ms; /* our FIN, then at most this long for the peer's; -1 */
	struct deadline until;     /* end of the whole run */
	bool crlf;                 /* LF of the input is sent as CRLF */
	struct script *script;     /* is run before the input; NULL: none */
	bool quit_after_script;    /* end when the script is done */
	struct progress *progress; /* drawn on the terminal; NULL: none */
	int64_t total;             /* bytes of the input; -1: unknown */

	/* Is given what is sent and received, in order; NULL: none. 0, or -1
	 * with *e to end the relay. */
	int (*tap)(void *context, bool sent, const void *bytes, size_t n,
	    struct err *e);
	void *context;
};

#define RELAY_OPTIONS_INIT                                           \
	{                                                            \
		.in = -1, .out = -1, .idle_ms = -1, .linger_ms = -1, \
		.until = {INT64_MAX}, .total = -1                    \
	}

/*
 * Relays until it is over. fd is a connected socket of our own, which is
 * made non-blocking, and stays the caller's; so do in and out. in may be the
 * same socket as out, non-blocking and our own: a forwarder; its sending side
 * is then closed when fd's peer finishes.
 *
 * 0 when the input was sent to its end and acknowledged, and everything
 * received was written; or -1 with *e: ERR_TIMEOUT, ERR_LOST (also for input
 * that a policy abandoned), ERR_OUTPUT, or ERR_FAILED with EINTR for a caught
 * signal. *sum is filled in both cases; where sum->is_aborted is set, the
 * caller ends the connection with sock_abort_acked(), a forwarder both.
 */
int relay_run(int fd, const struct relay_options *o, struct conn_summary *sum,
    struct err *e);

#endif
