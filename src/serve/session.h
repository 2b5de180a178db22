/*
 * A connection served in its child process: reading and sending within limits,
 * and an orderly close.
 */
#ifndef SERVE_SESSION_H
#define SERVE_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"
#include "base/err.h"
#include "net/conn_event.h"

struct conn;
struct tls;
struct tls_options;

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
};

/*
 * The session owns fd. max_ms may be -1: no limit. Makes the handshake with a
 * client of TLS, if it is on. Returns 0, or -1 with s->e set.
 */
int session_start(struct session *s, int fd, struct limit idle, int64_t max_ms,
    const struct tls_options *tls);

/*
 * Waits for bytes, or for the end of ms. Returns 1, 0, or -1 with s->e set if a
 * limit of the connection has passed.
 */
int session_wait(struct session *s, int64_t ms);

/*
 * Waits for bytes and reads at most size. Returns their number, 0 if the peer
 * has finished, or -1 with s->e set. A limit that has passed is an error even
 * if bytes are available.
 */
ssize_t session_receive(struct session *s, void *piece, size_t size);

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
