/*
 * Records the data of connections: the bytes themselves (--output), and
 * both directions in a readable form: a hex dump (--hexdump) and text
 * (--textdump) or, with --json, "data" events. The processes of a server may
 * share the files: each piece is written with one write(2) at their end, and
 * names its connection.
 */
#ifndef RELAY_RECORDER_H
#define RELAY_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "net/addr.h"
#include "net/sink.h"

struct err;
struct link;

/*
 * The names of the files (wait_open()), or NULL. In them %n is the number of
 * the connection and %% a percent sign. In that of output %d is "received" or
 * "sent"; without it only received data is recorded.
 */
struct recorder_options {
	const char *output;
	const char *hexdump, *textdump;
	int append; /* keep what the files hold */
};

/* The files: the data of each direction, and dumps of both. */
enum {
	RECORDER_RECEIVED,
	RECORDER_SENT,
	RECORDER_HEX,
	RECORDER_TEXT,
	RECORDER_FILES
};

struct recorder {
	/* The caller's; they may be changed between connections. */
	bool has_several;      /* several connections, which have numbers */
	struct deadline until; /* limit of waiting for the readers of files */
	struct limit idle;     /* limit of the wait for each piece */

	const struct recorder_options *options;
	bool is_on;                        /* some option asks for a record */
	int64_t start_ns;                  /* zero of the times */
	unsigned number;                   /* of the connection */
	struct sink files[RECORDER_FILES]; /* fd and name are owned; without an
					      fd there is no record */
	char *text;                        /* owned: a piece of a dump */
	uint64_t offsets[2];               /* of the data, received and sent */
	struct addr remote; /* the peer of the current datagram; of a connection
			       without a length */
};

/*
 * Checks the names. at_once: several connections at a time, each of which needs
 * its own file for output. Returns 0, or -1 with ERR_USAGE.
 */
int recorder_check(
    const struct recorder_options *o, bool at_once, struct err *e);

/*
 * Opens the files that all connections share. The caller sets its members and
 * zeroes the rest; o must outlive r. Returns 0, or -1 with *e: ERR_OUTPUT,
 * ERR_TIMEOUT or ERR_FAILED with EINTR. Call recorder_close() in both cases.
 */
int recorder_open(
    struct recorder *r, const struct recorder_options *o, struct err *e);

/*
 * Begins the record of a connection, or of datagrams (NULL), and opens its own
 * files. Returns as recorder_open(); call recorder_close() in both cases.
 */
int recorder_begin(struct recorder *r, const struct link *c, struct err *e);

/*
 * Records data that was sent or received. remote is the peer of a datagram,
 * which may be IPv4-mapped and is only dumped; or NULL for a connection.
 * Returns 0, or -1 with *e if a file accepts no more.
 */
int recorder_add(struct recorder *r, bool sent, const struct addr *remote,
    const void *bytes, size_t n, struct err *e);

/*
 * Closes the connection's own files, or all files. Returns result; but -1 with
 * ERR_OUTPUT if result is 0 and closing failed. No effect if r is zero.
 */
int recorder_close(struct recorder *r, bool all, int result, struct err *e);

#endif
