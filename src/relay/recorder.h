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
 * The names of the files (wait_open()), or NULL. In a name, %n is the number of
 * the connection and %% a percent sign. In the name of output, %d is "received"
 * or "sent"; without %d, only received data is recorded.
 */
struct recorder_options {
	const char *output;
	const char *hexdump, *textdump;
	int append; /* 1: the files keep what they hold. */
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
	/* The caller sets these, and may change them between connections. */
	struct deadline until; /* The wait for readers of FIFOs ends here, */
	struct limit idle;     /* and after this time for each piece. */
	/* The record is of several connections, which have numbers. */
	bool has_several;

	/* recorder_open() sets this: an option asks for a record. */
	bool is_on;

	/* Only recorder.c uses these. */
	const struct recorder_options *options;
	int64_t start_ns; /* The times in a dump count from here. */
	unsigned number;  /* The connection has this number. */
	/* The peer of the current datagram; its length is 0 if the data is of a
	 * connection. */
	struct addr remote;
	/* Fd and name are owned. Without an fd, there is no such record. */
	struct sink files[RECORDER_FILES];
	char *text;          /* owned: holds a piece of a dump */
	uint64_t offsets[2]; /* This much was received and sent so far. */
};

/*
 * Checks the names. With at_once there are several connections at a time, so
 * each needs its own file for output. Returns 0, or -1 with ERR_USAGE.
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
 * Closes the connection's own files, or all files. Returns result, or -1 with
 * ERR_OUTPUT if only closing failed. Does nothing if r is zero.
 */
int recorder_close(struct recorder *r, bool all, int result, struct err *e);

#endif
