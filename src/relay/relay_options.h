/* The options of a relay. */
#ifndef RELAY_RELAY_OPTIONS_H
#define RELAY_RELAY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

struct err;
struct progress;
struct script;

/* What to do when standard input ends. */
enum relay_on_eof {
	RELAY_EOF_FIN,  /* send FIN, continue to receive */
	RELAY_EOF_KEEP, /* send no FIN, continue to receive */
	RELAY_EOF_QUIT  /* end when all data is sent */
};

/* What to do when the peer finishes. */
enum relay_on_peer_eof {
	RELAY_PEER_FINISH, /* send until the input ends */
	RELAY_PEER_QUIT    /* end */
};

struct relay_options {
	int in, out; /* stdin and stdout, or -1: not used */
	enum relay_on_eof on_eof;
	enum relay_on_peer_eof on_peer_eof;
	struct limit idle; /* without data in either direction */
	int64_t linger_ms; /* longest time between both FINs; -1: no limit */
	struct deadline until;     /* deadline of the command */
	bool is_program;           /* fd leads to a program that makes the
				      connection: its end is the connection's */
	bool crlf;                 /* LF of the input is sent as CRLF */
	struct script *script;     /* runs before the input; NULL: none */
	int unread;                /* stdin, which is not read: data in it while
				      the first pattern is awaited is a usage
				      error; -1: not looked at */
	bool quit_after_script;    /* end when the script is done */
	struct progress *progress; /* drawn on the terminal; NULL: none */
	int64_t total;             /* bytes of the input; -1: unknown */

	/* Called with the data sent and received, in order; NULL: none. Returns
	 * 0, or -1 with *e to end the relay. */
	int (*tap)(void *context, bool sent, const void *bytes, size_t n,
	    struct err *e);
	void *context;

	/*
	 * Of a forwarder: receives the summary of the other side; NULL: none.
	 */
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

#endif
