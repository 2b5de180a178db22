/* Relays stdin and stdout on a connection, for connect and listen: the
 * half-close policy, the script and the records. */
#ifndef CMD_STDIO_RELAY_H
#define CMD_STDIO_RELAY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/progress.h"
#include "cli/command.h"
#include "net/link.h"
#include "relay/recorder.h"
#include "relay/relay.h"

struct err;
struct listener;
struct options;

/* What the options of the relay amount to. */
struct stdio_relay_options {
	/* What holds for every connection; stdio_relay_open() adds what one
	 * run of the command has: the recorder, the progress, the listener. */
	struct relay_options relay;
	struct recorder_options record;
	bool shows_progress; /* --progress was given. */
	/* The connector has to know what the end of stdin does to the peer, and
	 * whether the peer may answer it. */
	enum link_eof eof;
	bool expects_answer;
};

extern const struct opt stdio_relay_opts[];
extern const struct opt stdio_relay_rate_opts[];
extern const struct opt stdio_relay_script_opts[];
extern const struct opt stdio_relay_record_opts[];

/* The relay of one connection at a time. */
struct stdio_relay {
	struct relay_options relay;
	struct progress progress;
	struct recorder recorder; /* It writes --output and the dumps. */
	/* Every connection begins at this offset of stdin, if that is a file;
	 * -1: with what is left of stdin. */
	off_t input_start;
	/* The clients of this listener wait for their turn at stdin. NULL:
	 * there is only one connection. */
	const struct listener *listener;
};

/* Completes the options after the command line was parsed; o are those that
 * commands share. Returns them, in static storage. */
const struct stdio_relay_options *stdio_relay_complete(const struct options *o);

/*
 * Checks what the tables cannot: options that need others, and that stdin and
 * stdout are open if needed. Returns 0, or -1 with *e: ERR_USAGE or ERR_OUTPUT.
 */
int stdio_relay_check(const struct stdio_relay_options *o, struct err *e);

/*
 * Checks the options as stdio_relay_check() and opens the records; the caller
 * sets s->recorder.has_several and s->listener and zeroes the rest. Returns 0,
 * or -1 with *e: ERR_OUTPUT or ERR_USAGE. Call stdio_relay_close() in both
 * cases.
 */
int stdio_relay_open(
    struct stdio_relay *s, const struct stdio_relay_options *o, struct err *e);

/*
 * Relays on l, closes it, and reports that with -v. Returns 0, or -1 with *e.
 * It may be called again for the next connection.
 */
int stdio_relay_run(struct stdio_relay *s, struct link *l, struct err *e);

/* Closes the records and frees the script. Returns result; but -1 with *e if
 * only closing failed. */
int stdio_relay_close(struct stdio_relay *s, int result, struct err *e);

#endif
