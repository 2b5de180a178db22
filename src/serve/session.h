/*
 * A connection served in its child process: reading and sending within limits,
 * and an orderly close.
 */
#ifndef SERVE_SESSION_H
#define SERVE_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/deadline.h"
#include "base/err.h"
#include "net/conn_event.h"

struct conn;
struct tls;
struct tls_options;

/* The longest message in bytes, without its newline. */
#define MESSAGE_MAX 8192

/*
 * How long to wait for the rest of a line: from a client that never sent a
 * newline, and from one that has, and so is likely to end this line too.
 */
#define MESSAGE_BARE_MS 40
#define MESSAGE_LINE_MS 1000

struct session {
	int fd;                /* owned */
	struct limit idle;     /* without a byte in either direction */
	struct deadline until; /* limit of the connection */
	/* Limit of the current phase, even while bytes arrive, and what did not
	 * happen within it: "no reply". The caller may set them. */
	struct deadline phase;
	const char *missing;
	struct tls *tls;       /* that the client uses; NULL: none */
	struct conn_summary r; /* bytes so far, and who finished first */
	bool allows_probes;    /* conn_event_is_probe() is not an error */
	bool is_answering;     /* part of an answer has not been sent */
	struct err e;          /* why it failed */

	/* For session_receive_message(). */
	bool has_lines;                         /* a newline was received */
	struct buf queue;                       /* bytes received */
	unsigned char storage[MESSAGE_MAX + 2]; /* its storage */
};

/*
 * The session owns fd. max_ms may be -1: no limit. Makes the handshake with a
 * client of TLS, if it is on. Returns 0, or -1 with s->e set.
 */
int session_start(struct session *s, int fd, struct limit idle, int64_t max_ms,
    const struct tls_options *tls);

/*
 * Sleeps for ms before an answer, within the limit of the connection. Returns
 * 0, or -1 with s->e set.
 */
int session_pause(struct session *s, int64_t ms);

/*
 * Waits for bytes and reads at most size. Returns their number, 0 if the peer
 * has finished, or -1 with s->e set. A limit that has passed is an error even
 * if bytes are available.
 */
ssize_t session_receive(struct session *s, void *piece, size_t size);

/* A message; its bytes are valid until the next one is received. */
struct message {
	const unsigned char *bytes;
	size_t length;
	size_t newline; /* length of its LF, CRLF or nothing */
};

enum session_message { SESSION_MESSAGE, SESSION_END, SESSION_FAILED };

/*
 * Receives the next message of the hello protocol: a line without its LF or
 * CRLF. Bytes without a newline become a message when no more arrive for a
 * while: tutorial clients send "Michael" and wait. Returns SESSION_END when the
 * peer has finished, or SESSION_FAILED with s->e set, ERR_PROTOCOL for a
 * message that is too long, which was reported to the peer. Do not mix it with
 * session_receive().
 */
enum session_message session_receive_message(
    struct session *s, struct message *m);

/*
 * An answer is due: until session_send() has sent it, whatever ends the
 * connection or this process is a reset. A FIN would make half an answer, or
 * none, look whole.
 */
void session_answer(struct session *s);

/* Sends all n bytes, a whole answer. Returns 0, or -1 with s->e set. */
int session_send(struct session *s, const void *bytes, size_t n);

/*
 * Ends the session: sends FIN, drains and closes, unless s->fd is already -1;
 * an answer that was cut short ends with a reset. Logs the "closed" event at
 * level, and s->e if the result is -1 and the connection was not a probe
 * (allows_probes). Returns the exit status of the connection.
 */
int session_end(struct session *s, const struct conn *c, int level, int result);

#endif
