/*
 * stdin and stdout on a connection: what connect and listen have in common,
 * with the half-close policy, the script and the records.
 */
#ifndef CMD_STDIO_RELAY_H
#define CMD_STDIO_RELAY_H

#include <stdint.h>

#include "base/deadline.h"
#include "relay/script.h"
#include "cli/opt.h"
#include "net/conn_event.h"

struct err;
struct time_options;

struct stdio_relay_options {
	int on_eof;      /* enum relay_on_eof */
	int on_peer_eof; /* enum relay_on_peer_eof; -1: by what stdin is */
	int send_only;
	int recv_only;
	int crlf;
	int64_t linger_ms;
	struct script_steps script;
	int64_t expect_ms; /* for each --expect */
	int done;          /* end when the script is done */
	const char *output;
	int append;
	const char *hexdump;
	int progress;
};

#define STDIO_RELAY_OPTIONS_INIT                                    \
	{                                                           \
		.on_peer_eof = -1, .linger_ms = -1, .expect_ms = -1 \
	}

extern const struct opt stdio_relay_opts[];
extern const struct opt stdio_relay_script_opts[];
extern const struct opt stdio_relay_record_opts[];

/* The files that --output and --hexdump name, and what goes with them. */
struct stdio_relay_records;

/* One connection's talk. */
struct stdio_relay {
	const struct stdio_relay_options *options;
	const struct time_options *time;
	struct deadline until;               /* --max-time */
	struct stdio_relay_records *records; /* owned */
	struct conn_summary last;            /* of the connection before */
};

/*
 * What no row of a table can say: options that need others, stdin and stdout
 * that are needed and closed. 0, or -1 with *e, ERR_USAGE or ERR_OUTPUT.
 */
int stdio_relay_check(const struct stdio_relay_options *o, struct err *e);

/*
 * Refuses the options of the three tables above where stdin and stdout are not
 * relayed; with says what is done instead. 0, or -1 with ERR_USAGE.
 */
int stdio_relay_check_unused(
    const struct opt *const *used, const char *with, struct err *e);

/*
 * Checks that stdin and stdout are open as far as they are needed and opens
 * the records. 0, or -1 with *e: ERR_OUTPUT, or ERR_USAGE for options that
 * contradict one another. Call stdio_relay_release() in both cases.
 */
int stdio_relay_open(struct stdio_relay *t, const struct stdio_relay_options *o,
    const struct time_options *time, struct deadline until, struct err *e);

/*
 * Relays on the connected socket *fd, closes it and reports that at -v. 0, or
 * -1 with *e; *fd is -1 afterwards. May be called again for the next
 * connection.
 */
int stdio_relay_run(
    struct stdio_relay *t, int *fd, const struct conn *conn, struct err *e);

/*
 * Closes the records. result is how the talk went; returned as it is, but -1
 * with ERR_OUTPUT where it was 0 and closing failed.
 */
int stdio_relay_release(struct stdio_relay *t, int result, struct err *e);

#endif
