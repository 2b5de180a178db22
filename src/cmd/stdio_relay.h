/* Relays stdin and stdout on a connection, for connect and listen: the
 * half-close policy, the script and the records. */
#ifndef CMD_STDIO_RELAY_H
#define CMD_STDIO_RELAY_H

#include <sys/types.h>

#include "base/deadline.h"
#include "base/diag.h"
#include "relay/recorder.h"
#include "relay/relay.h"
#include "relay/script.h"
#include "cli/command.h"

struct err;
struct link;
struct listener;

struct stdio_relay_options {
	int on_eof;      /* enum relay_on_eof; -1: not given, fin */
	int on_peer_eof; /* an index; -1: depends on stdin */
	int send_only;
	int recv_only;
	struct relay_options relay;
	struct script script;
	struct recorder_options record;
	int progress;
};

extern struct stdio_relay_options stdio_relay_options;
extern const struct opt stdio_relay_opts[];
extern const struct opt stdio_relay_script_opts[];
extern const struct opt stdio_relay_record_opts[];

/* The relay of one connection at a time. */
struct stdio_relay {
	struct relay_options relay; /* complete */
	struct progress progress;
	struct recorder recorder; /* of --output and --hexdump */
	off_t input_start; /* where in the file stdin every connection begins;
			      -1: at what is left of stdin */
	const struct listener *next; /* where other clients wait for their turn
					at stdin; NULL: there are none */
};

/*
 * Checks what the tables cannot: options that need others, and that stdin and
 * stdout are open if needed. Returns 0, or -1 with *e: ERR_USAGE or ERR_OUTPUT.
 */
int stdio_relay_check(struct err *e);

/*
 * Checks the options as stdio_relay_check() and opens the records; the caller
 * sets s->recorder.has_several and zeroes the rest. Returns 0, or -1 with *e:
 * ERR_OUTPUT or ERR_USAGE. Call recorder_close() in both cases.
 */
int stdio_relay_open(
    struct stdio_relay *s, struct deadline until, struct err *e);

/*
 * Relays on l, closes it, and reports that with -v. Returns 0, or -1 with *e.
 * It may be called again for the next connection.
 */
int stdio_relay_run(struct stdio_relay *s, struct link *l, struct err *e);

#endif
