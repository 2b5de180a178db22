/*
 * Outgoing connections: connects to a peer for a command (name lookup, dial,
 * proxy handshake, TLS, and retries until it succeeds, all under their limits),
 * dials many peers at a time, and traces the way to one.
 */
#ifndef DIAL_CONNECTOR_H
#define DIAL_CONNECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/deadline.h"
#include "base/err.h"
#include "net/addr.h"
#include "net/endpoint.h"
#include "net/link.h"
#include "net/resolve.h"
#include "net/sock.h"
#include "tls/tls.h"

struct dial;
struct pollfd;

/* Longest user and password: RFC 1929 has one byte for each length. */
#define PROXY_SECRET 256

enum proxy_kind { PROXY_NONE, PROXY_HTTP, PROXY_SOCKS4, PROXY_SOCKS5 };

/* The proxy that a user names. */
struct proxy {
	enum proxy_kind kind;
	struct endpoint server;
	const char *origin; /* its source: "--proxy", or "from http_proxy" */
	char user[PROXY_SECRET]; /* "": no credentials */
	char password[PROXY_SECRET];
	char basic[2 * PROXY_SECRET]; /* "USER:PASSWORD"; "": none */
};

/*
 * Parses "socks5://", "socks4://" or "http://" (the default), then
 * [USER:PASSWORD@], HOST and [:PORT]; the port is 1080 for SOCKS, 8080 for
 * HTTP. origin becomes "--proxy". %XX in USER and PASSWORD are decoded. Returns
 * 0, or -1 with ERR_USAGE and an error that shows no password.
 */
int proxy_parse(struct proxy *p, const char *text, struct err *e);

/* "the HTTP proxy 10.0.0.1 port 3128 (--proxy)", in a buffer of text_slot(). */
const char *proxy_text(const struct proxy *p);

/*
 * Makes the proxy at the other end of l connect to target, which was checked by
 * connector_check() and whose name it resolves, and reports it. Returns 0,
 * after which the connection carries the target's data, or -1 with *e: ERR_PEER
 * if the proxy declined (e->waits if it cannot reach the target), ERR_PROTOCOL,
 * ERR_LOST, ERR_TIMEOUT, or ERR_FAILED with EINTR after a caught signal.
 */
int proxy_open(const struct proxy *p, const struct endpoint *target,
    struct link *l, struct deadline until, struct err *e);

struct dial_options {
	const struct name_options *names;
	const struct sock_options *sock; /* set before connecting */
	const struct proxy *proxy; /* if the endpoint is one, for errors */
	bool accepts_reset; /* a peer that resets at once is connected, too */
};

/*
 * Requests for TLS in plain protocols, which precede its handshake: RFC 3207
 * (SMTP), RFC 2595 (IMAP and POP3), RFC 4217 (FTP), and the message flow of
 * PostgreSQL.
 */
enum starttls {
	STARTTLS_NONE,
	STARTTLS_SMTP,
	STARTTLS_IMAP,
	STARTTLS_POP3,
	STARTTLS_FTP,
	STARTTLS_POSTGRES
};

/* Their names after STARTTLS_NONE, for an OPT_CHOICE (cli/command.h). */
extern const char *const starttls_names[];

/* A connection is direct, through a proxy or a program; each may have TLS. */
struct connector_options {
	struct dial_options dial;
	const struct proxy *proxy; /* NULL: none */
	/* --via: a command for sh -c that makes the connection; %h is the host,
	 * %p the port, and %% a percent sign. NULL: none. */
	const char *via;
	struct tls_options tls;
	enum starttls starttls; /* before TLS, if tls.is_on */
	bool checks_via; /* wait for via to fail at once, as with retries */
	bool stops_via;  /* terminate it when the connection is closed */
	/* What the end of this side does to a peer that is reached by TLS or a
	 * proxy; or LINK_EOF_PROGRAM, to a program. To others it is
	 * LINK_EOF_SAFE, as with TLS alone if no answer is expected. */
	enum link_eof eof;
	bool expects_answer;
	struct limit timeout; /* of an attempt with lookup and proxy */
	int64_t retry_ms;     /* retry for this long; -1: one attempt */
};

/* Checks ep and the options. Returns 0, or -1 as tls_check(), or ERR_USAGE. */
int connector_check(const struct endpoint *ep,
    const struct connector_options *o, struct err *e);

/*
 * Connects to ep. A proxy resolves its name; the remote address is then the
 * proxy's. Between attempts it waits 50 ms, doubling up to 1 s; each distinct
 * cause of a failure is reported once. Returns 0 with *l, whose fd is
 * non-blocking; or -1 with *e, and l->fd is -1: the error of the only attempt;
 * with retry_ms, ERR_TIMEOUT that quotes the last error; ERR_FAILED with EINTR
 * after a caught signal.
 */
int connector_open(const struct endpoint *ep, const struct connector_options *o,
    struct deadline until, struct link *l, struct err *e);

/*
 * A dial resolves ep and connects with Happy Eyeballs (RFC 8305): it tries the
 * addresses of the name, each 250 ms after the previous one, or at once when
 * that fails. The first to connect wins, the others are closed.
 *
 *	d = dial_start(ep, o, until);
 *	while (dial_advance(d, fds) == DIAL_WAITING) {
 *		n = dial_poll(d, fds, &wake);
 *		wait_poll(fds, n, wake);
 *	}
 *	result = dial_finish(&d, &link, &e);
 */
enum dial_state { DIAL_WAITING, DIAL_CONNECTED, DIAL_FAILED };

/* The arguments must stay valid. The caller ends the dial with dial_finish()
 * or, early, with dial_free(). */
struct dial *dial_start(const struct endpoint *ep, const struct dial_options *o,
    struct deadline until);

/* The most entries that the next dial_poll() sets. */
size_t dial_capacity(const struct dial *d);

/* Sets fds to the descriptors that d waits for, and returns their number. Makes
 * *wake no later than the time when d continues without them. */
size_t dial_poll(
    const struct dial *d, struct pollfd *fds, struct deadline *wake);

/* Continues the dial. fds are the entries that dial_poll() set, after poll(2);
 * NULL before the first poll. */
enum dial_state dial_advance(struct dial *d, const struct pollfd *fds);

/* Whether nobody listens: an address refused, no other can be reached. */
bool dial_is_refused(const struct dial *d);

/*
 * Ends a dial that is not DIAL_WAITING, and reports "connected" at -v. Returns
 * 0 with *l, which the caller owns, and whose fd is non-blocking; or -1 with
 * *e, and l->fd is -1: e->errnum is a shortage (base/err.h) if one kept an
 * address from being tried.
 */
int dial_finish(struct dial **d, struct link *l, struct err *e);

void dial_free(struct dial **d);

/*
 * Requests TLS from the server at the other end of l, which speaks the
 * protocol, and reports it. Returns 0 when the handshake may follow, with no
 * data left in the socket; or -1 with *e: ERR_PEER if the server declines,
 * ERR_PROTOCOL if it does not speak the protocol, or sent data after its
 * agreement, which would look protected by TLS; ERR_LOST, ERR_TIMEOUT, or
 * ERR_FAILED with EINTR after a caught signal.
 */
int starttls_open(enum starttls protocol, struct link *l, struct deadline until,
    struct err *e);

/*
 * --retry-for: when to try again after a failed attempt, and what to report.
 * connector_open() repeats a connection, fetch/download.h a request.
 */

/* At most this many distinct causes are remembered. */
#define RECONNECT_CAUSES 8

struct reconnect {
	struct deadline until; /* of the caller, --max-time */
	struct deadline end;   /* the earlier of --retry-for and until */
	struct deadline due;   /* when it may begin */
	int64_t ms;            /* --retry-for, or -1 */
	struct backoff pause;
	struct err last; /* of the previous attempt, or ERR_NONE */
	uint64_t causes[RECONNECT_CAUSES]; /* hashes of those reported */
	size_t count;                      /* of causes */
};

/* Starts attempts for at most ms (-1: only one), not beyond until. */
void reconnect_start(struct reconnect *r, int64_t ms, struct deadline until);

/*
 * Call this after an attempt failed with *e, which may be temporary. Reports
 * each distinct cause once, and waits 50 ms, doubling up to 1 s. Returns 0 if
 * another attempt may be made, or -1 with *e: unchanged without --retry-for;
 * when that has passed, ERR_TIMEOUT with the text "WHAT within T; CAUSE", with
 * the text of r->last as CAUSE; the error of until; ERR_FAILED with EINTR after
 * a caught signal.
 */
int reconnect_wait(struct reconnect *r, const char *what, struct err *e);

/*
 * reconnect_wait() in two steps, for callers that also wait for other events:
 * reconnect_pause() sets r->due, when reconnect_resume() is to be called.
 */
int reconnect_pause(struct reconnect *r, const char *what, struct err *e);
int reconnect_resume(struct reconnect *r, const char *what, struct err *e);

/* A row of a trace: a hop, or hops that did not answer. */
struct trace_hop {
	int first, last;
	struct addr addr;  /* len 0: silent */
	int64_t ns;        /* round trip; 0: not known, the SYN was repeated */
	const char *state; /* of the last hop: "open"; NULL: a router */
};

/*
 * Traces the hops of a TCP connection without privileges: attempts to connect
 * with small times to live (IP_TTL, RFC 791 3.2; RFC 8200 3), and the ICMP
 * errors "time exceeded" of the routers where they end. wait limits the wait
 * for each batch of hops; the default is 2 s. Passes each row to report(),
 * which returns 0, or -1 with *e to end the trace.
 *
 * Returns 0 if the port is open, or -1 with *e: why the port is not open;
 * ERR_TIMEOUT if the host has not answered, or until has passed; ERR_FAILED
 * with EINTR after a caught signal, or if the system does not report the
 * senders of ICMP errors.
 */
int trace_run(const struct addr *to, const struct sock_options *o,
    struct limit wait, struct deadline until,
    int (*report)(const struct trace_hop *hop, struct err *e), struct err *e);

#endif
