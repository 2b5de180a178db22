/*
 * A connection: a stream of bytes between this process and a peer, whether it
 * was dialed (dial/connector.h), accepted or inherited (net/listener.h).
 *
 * Its descriptor is the socket, or one end of a socket pair with a process
 * beneath it: the TLS process, which has the socket (tls/tls.h), a program that
 * makes the connection (dial/via.h), or TLS over a program. A pair has no
 * reset, and the death of its process looks like end of file. So struct
 * link_ops is an interface to what is beneath a connection, which reports how
 * the connection has ended.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"
#include "base/err.h"
#include "net/addr.h"
#include "net/os.h"

/* How the peer's direction has ended. */
enum link_peer_end {
	LINK_OPEN,  /* It has not ended, as far as this side knows. */
	LINK_WHOLE, /* It has ended by FIN, and as its protocol requires. */
	/* It has ended by FIN alone: the data received may be incomplete, but
	 * the peer can be answered. */
	LINK_BARE,
	LINK_LOST /* The peer has reset it, or its process died. */
};

/*
 * What the end of this side does to the peer. Many proxies and TLS servers drop
 * what they have yet to send when it arrives.
 */
enum link_eof {
	LINK_EOF_SAFE,    /* The peer does not, or has nothing to send. */
	LINK_EOF_AT_ONCE, /* The peer may, but FIN is sent at once. */
	LINK_EOF_HELD,    /* FIN is held back: see link_finish(). */
	/* The peer is a program (--via) to which nothing is sent. Many programs
	 * end only after their input, so FIN is sent when the program's own
	 * peer has finished. */
	LINK_EOF_PROGRAM
};

/* Which side finished first. */
enum link_first { LINK_FIRST_NOBODY, LINK_FIRST_US, LINK_FIRST_PEER };

/* How the peer is reached. */
enum link_route { LINK_ROUTE_DIRECT, LINK_ROUTE_PROXY, LINK_ROUTE_PROGRAM };

/* How far this side has ended its direction. */
enum link_sending {
	LINK_SENDING,
	/* link_finish() was called; FIN is held back, or could not be sent. */
	LINK_FINISHING,
	LINK_FINISHED /* FIN was sent. */
};

/* What is still wanted of the peer when the connection is closed. */
enum link_wanted {
	/* It must end as its protocol requires. */
	LINK_WANT_END,
	/* It must have acknowledged everything. */
	LINK_WANT_ACKS,
	/* The system must have everything to send: a server has sent its whole
	 * answer, and ends before the peer. */
	LINK_WANT_SENT,
	/* It must have acknowledged everything, and its end is not waited for:
	 * nobody reads any more what it sends. */
	LINK_WANT_NO_DATA
};

/* Whether the connection was reset, or is to be. */
enum link_reset { LINK_NO_RESET, LINK_RESET_BY_PEER, LINK_RESET_BY_US };

/* How a program that used the connection has exited. */
enum link_exit {
	LINK_NO_PROGRAM,
	LINK_EXIT_DONE,   /* with status 0 */
	LINK_EXIT_FAILED, /* with another one */
	LINK_EXIT_SILENT  /* with another one, and it had sent nothing */
};

/* What a process beneath a connection reports about the peer. */
struct link_report {
	uint64_t acked;    /* At least this many bytes are acknowledged. */
	uint64_t written;  /* This side has written this many to the process. */
	bool has_ended;    /* This report is the last one. */
	struct os_tcp tcp; /* The kernel has counted this. */
};

struct link;
struct link_carrier;

/* What a kind of process does for the connection above it. */
struct link_ops {
	/* Returns the last report, after requesting another one unless it is
	 * recent. NULL: this kind only passes bytes on. */
	const struct link_report *(*poll_report)(struct link_carrier *c);
	/* Returns whether the peer of the process has finished, as far as can
	 * be known. NULL: the end of the descriptor shows it. */
	bool (*has_finished)(struct link_carrier *c);
	/* Returns, at end of file, how the peer's direction has ended. */
	enum link_peer_end (*find_peer_end)(
	    struct link_carrier *c, struct link *l);
	/*
	 * Waits for the process after the descriptor was closed. With
	 * is_complete, everything was sent and nothing more is read; without,
	 * the connection is lost, and only the cause is wanted. Returns 0 if
	 * the process has ended in order, or -1 with *e.
	 */
	int (*close)(struct link_carrier *c, struct link *l, bool is_complete,
	    struct deadline until, struct err *e);
	/* Ends the process if it still runs, and frees c. */
	void (*release)(struct link_carrier *c);
};

/* A process beneath a connection, the first member of the struct of its kind:
 * TLS (tls/tls.h), or a program (dial/via.h). */
struct link_carrier {
	const struct link_ops *ops;
	struct link_carrier *next; /* what it is connected through; or NULL */
};

struct link {
	/* How it was made. */
	int fd;                    /* The link owns it; -1: it is closed. */
	unsigned number;           /* A server numbers it from 1; or 0. */
	struct addr local, remote; /* With a proxy, remote is the proxy. */
	int64_t start_ns;          /* It began at this time (base/clock.h). */
	/* How long the name lookup took; lookup and connecting together; and
	 * the TLS handshake, 0 without TLS. */
	int64_t resolve_ns, dial_ns, tls_ns;

	/* What kind of connection it is. */
	enum link_route route;
	enum link_eof eof;
	/* The link owns it; NULL: its descriptor is the socket. */
	struct link_carrier *carrier;
	/* The target of a forwarder is a program. When it hangs up,
	 * link_record_eof() waits for its exit status. Without a carrier, the
	 * caller owns the process. */
	bool is_to_program;

	/* The outcome so far: bytes, counted by link_send(), link_receive() or
	 * the caller. */
	uint64_t sent, received;
	/* This many bytes were read from stdin, or by a forwarder from the
	 * other side, and were not delivered. */
	uint64_t undelivered;
	uint64_t discarded; /* This many bytes were received and discarded. */
	bool bytes_unknown; /* Nobody knows sent and received. */
	bool discards_more; /* More were discarded; nobody knows how many. */

	/* The outcome so far: the end. */
	enum link_first first;
	enum link_peer_end peer_end;
	enum link_sending sending;
	enum link_wanted wanted;
	enum link_reset reset;
	bool is_aborted; /* It ends before everything was delivered. */

	/* The outcome so far: time. */
	int64_t output_ns; /* Received data waited this long for the output. */
	/* The connection is idle since this time: bytes moved, or the peer
	 * acknowledged some. While a FIN is held back, it is not idle. */
	int64_t moved_ns;
	struct os_tcp tcp; /* link_read_counters() sets it. */

	/* The program that used it: link_record_program_exit() sets these. */
	uint64_t unread; /* It had not read this many bytes. */
	enum link_exit exit;

	/* Only link.c uses these. */
	struct {
		/* The peer had acknowledged this many bytes at the last
		 * poll_acks(). */
		uint64_t acked;
		/* Bytes were last sent at this time; 0: the peer has answered
		 * since. */
		int64_t sent_ns;
		/* Its last answer took this long; 0: it has not answered
		 * yet. */
		int64_t response_ns;
		int64_t quiet_ns; /* It has been quiet since this time. */
		int64_t exit_ns;  /* The program exited at this time. */
	} own;
};

/* Reads the kernel's counters into l->tcp, for the "closed" event. Call this
 * before the descriptor is closed; link_find_outcome() and link_close() call it
 * themselves. */
void link_read_counters(struct link *l);

/* Reads the kernel's counters, and returns what they say about why nothing
 * moves: stall_text() (net/stall.h). */
const char *link_stall_text(struct link *l, bool awaits_peer, const char *peer);

/* Whether its descriptor is the socket, with no process beneath it. */
bool link_is_direct(const struct link *l);

/*
 * Sets the outcome of a connection that another process used, from the kernel's
 * counters: both numbers of bytes, who finished first, and whether it was
 * reset. With goes_on, another process still uses it, which is logged. If the
 * system does not report the counters, only bytes_unknown is set.
 */
void link_find_outcome(struct link *l, bool goes_on);

/*
 * Records that a program that used the connection has exited with a status, and
 * had left this many bytes unread. If it has failed, its peer must not take
 * that for success: see link_drain().
 */
void link_record_program_exit(struct link *l, int status, uint64_t unread);

/*
 * Makes a step of the end: sends FIN, and discards and counts the data
 * received. Returns false while the peer may send more; call it again at
 * link_drain_next() or, unless reset is LINK_RESET_BY_US, when the descriptor
 * is readable. Returns true after closing the descriptor: the peer has
 * finished, the connection is lost, the peer has sent more than a drain
 * discards, or the deadline has passed.
 *
 * Once everything is acknowledged, it sends RST instead if a program has failed
 * and has sent nothing and not read everything, or its peer went on sending
 * after its exit. A peer that has sent its last bytes would take a FIN for
 * success, so FIN is held back for a moment after a failure.
 */
bool link_drain(struct link *l, struct deadline until);
struct deadline link_drain_next(const struct link *l);

/* Warns of a program that has failed its peer, unless the peer has reset the
 * connection. A server that goes on has no exit status to report that. */
void link_report_failure(const struct link *l, int status);

/*
 * Returns how many sent bytes, without the FIN, the peer has not acknowledged,
 * even if the connection is lost; 0 if the system does not report it.
 */
uint64_t link_unacked(const struct link *l);

/* Whether the peer has acknowledged everything, including the FIN, or the
 * connection is lost. */
bool link_is_acked(const struct link *l);

/*
 * Does what time requires of a connection whose bytes the caller moves. Call it
 * after each round; sent and received are all bytes so far. It checks for
 * acknowledgements, which no event reports, if an idle limit (idle_ms; -1:
 * none) or a FIN that is held back depends on them. It sends that FIN when the
 * connection is quiet. It makes *next no later than the time when it must be
 * called again. Returns 0, or -1 with errno as link_finish().
 */
int link_run_timers(struct link *l, uint64_t sent, uint64_t received,
    int64_t idle_ms, struct deadline *next);

/* Checks whether the peer has acknowledged everything, including the FIN.
 * Returns 1 if so; 0 if not yet, which no event reports; or -1 with errno if
 * the connection is lost. */
int link_confirm(struct link *l);

/*
 * wait_fd() (net/wait.h) for fd, the connection or a descriptor of its process,
 * until the deadline, or until nothing has moved since moved_ns for idle_ms
 * (-1: no limit).
 */
int link_wait(struct link *l, int fd, short events, int64_t idle_ms,
    struct deadline until);

/*
 * Sends all n bytes, or n bytes of a file from offset at, for which the socket
 * must be non-blocking. Adds what the system accepts to l->sent. Returns 0, or
 * -1 with errno: EAGAIN if the deadline has passed, or nothing was sent or
 * acknowledged for idle_ms (-1: no limit); EINTR for a caught signal; 0 if the
 * file is shorter; EIO if it cannot be read; otherwise the connection is lost.
 */
int link_send(struct link *l, const void *bytes, size_t n, int64_t idle_ms,
    struct deadline until);
int link_send_file(struct link *l, int file, off_t at, uint64_t n,
    int64_t idle_ms, struct deadline until);

/*
 * Waits for bytes and receives at most size; flags are those of recv(2). Adds
 * their number to l->received, except with MSG_PEEK. Returns it, 0 at end of
 * file, or -1 with errno as link_send(); after the deadline always EAGAIN.
 */
ssize_t link_receive(struct link *l, void *space, size_t size, int flags,
    int64_t idle_ms, struct deadline until);

/*
 * Ends the sending direction. FIN is sent at once; or, with LINK_EOF_HELD, by a
 * later link_run_timers(), when everything is acknowledged and no byte has
 * moved in either direction for 20 times as long as the peer took for its last
 * answer: at least 100 ms and at most 1 s, and through a proxy 1 s; 1 s if it
 * has not answered yet, and 250 ms without a proxy if no byte was exchanged. If
 * the peer finishes meanwhile, link_record_eof() sends it.
 *
 * Returns 0, or -1 with errno if the connection is lost, which does not matter
 * if no byte was ever sent. Records that the FIN was sent, and who finished
 * first: the peer if its FIN has arrived, as far as the system reports it. If
 * the two FINs cross, each side was first.
 */
int link_finish(struct link *l);

/* Returns how long the connection must be quiet before link_run_timers() sends
 * a FIN that is held back; 0 if FIN is not held back. */
int64_t link_hold_ms(const struct link *l);

/* Records that the peer's FIN was received. */
void link_record_peer_fin(struct link *l);

/*
 * Call this at end of file. Returns how the peer's direction has ended, and
 * records its FIN. If this side goes on, the peer is probed from now on
 * (keepalive): nothing else finds that it has vanished. A reset may look like
 * end of file, since a concurrent splice(2) consumes the error. The exit status
 * of a program (--via) is left to link_close(), unless is_to_program is set.
 */
enum link_peer_end link_record_eof(struct link *l);

/* Whether a peer that had sent nothing has finished after this side's FIN: it
 * may have dropped its answer. */
bool link_may_have_dropped(const struct link *l);

/*
 * Ends an incomplete transfer: waits until the peer has acknowledged everything
 * that was sent, or nothing has moved since moved_ns for idle_ms (-1: no
 * limit), or the deadline passes; then closes the descriptor with RST. If the
 * system does not report acknowledgements, it waits for LINK_DRAIN_MS.
 */
void link_abort(struct link *l, int64_t idle_ms, struct deadline until);

/* How long to wait for the last packets: acknowledgements, the peer's FIN. */
#define LINK_DRAIN_MS 2000

/*
 * Closes the connection, and ends its processes. status and *e are the result
 * of what was done with it.
 *
 * If the descriptor is open, sends FIN if necessary, held back as by
 * link_finish(), and reads and discards until the peer finishes, LINK_DRAIN_MS
 * after that or the deadline passes, or a caught signal arrives; after an error
 * it does not wait. Closing with unread input would send RST, which can destroy
 * the last bytes in transit (RFC 9112 9.6). To reset the connection, or to
 * leave it to another process, close the descriptor before (net/sock.h).
 *
 * Then it waits for the processes. If status is 0 or the exit status of a
 * program, they must end in order by the deadline. After ERR_LOST they report
 * the cause, which is added to *e. After any other error they are terminated,
 * which resets a TLS connection. Returns status, or -1 with *e: ERR_LOST,
 * ERR_PROTOCOL for an alert of TLS, 126 or 127 if the shell cannot run the
 * program of --via.
 */
int link_close(
    struct link *l, int status, struct deadline until, struct err *e);

/* Closes a connection that is not needed any more without waiting for the peer,
 * but the process of TLS gets a moment to end it in order. */
void link_discard(struct link *l);

/*
 * Logs at -v that the peer only probed the port: it sent nothing and reset the
 * connection, and no input is lost. Returns whether that is so: a server that
 * continues does not report it as an error.
 */
bool link_log_probe(const struct link *l);

/*
 * Reports the "connected" event, at -v as a line, with the time since start_ns.
 * A datagram socket (is_stream false) only has a destination.
 */
void link_log_connected(const struct link *l, bool is_stream);

/*
 * Reports the "message" or "request" event of received data, as a line at
 * level. full is the length before it was cut to n bytes; SIZE_MAX: unknown.
 */
void link_log_message(int level, const char *name, const struct link *l,
    const void *bytes, size_t n, size_t full);

/* Reports the "accepted" event, as a line at level; or the "denied" event, if
 * why, otherwise NULL, is the option that denies it. */
void link_log_accepted(int level, const struct link *l, const char *why);

/* Reports the "closed" event with an exit status, as a line at level. */
void link_log_closed(int level, const struct link *l, int status);

#endif
