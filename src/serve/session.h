/*
 * A connection served in its child process: reading and sending within limits,
 * and an orderly close; and the handler that serves the files of a folder.
 */
#ifndef SERVE_SESSION_H
#define SERVE_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"
#include "base/err.h"
#include "net/link.h"

struct session {
	/* The connection, of the caller; session_close() closes it. */
	struct link *link;
	/* The limit of a time without a byte in either direction. */
	struct limit idle;
	/* The limit of the connection. */
	struct deadline until;
	/* The limit of the current phase, even while bytes arrive, and its
	 * error: "no reply". The caller may set them. */
	struct deadline phase;
	const char *missing;
	/* A pipe that loses its reader when the server stops; or -1. */
	int stop;
	/* A link_log_probe() is not an error. */
	bool allows_probes;
	/* A part of an answer was not sent yet. */
	bool is_answering;
	/* Why the session has failed. */
	struct err e;
};

/* Begins to serve l. max_ms is the limit of the connection; -1 is none. */
void session_start(
    struct session *s, struct link *l, struct limit idle, int64_t max_ms);

/*
 * Waits for bytes, or for the end of ms. Returns 1, 0, or -1 with s->e set: a
 * limit of the connection has passed, or the wait failed.
 */
int session_wait(struct session *s, int64_t ms);

/*
 * Waits for bytes and reads at most size. Returns their number, 0 if the peer
 * has finished, or -1 with s->e set. A limit that has passed is an error even
 * if bytes are available.
 */
ssize_t session_receive(struct session *s, void *piece, size_t size);

/*
 * Receives the head of an HTTP request into head, of size bytes, after the
 * *used bytes already there; drops empty lines before it. Once it has begun, it
 * must be whole within limit_ms (-1: the phase's limit stays). Returns its
 * length and *code 200; *used and another *code, the status to answer with; 0
 * if the client finished before the first byte; or -1 with s->e set:
 * ERR_TIMEOUT only before the first byte.
 */
ssize_t session_receive_head(struct session *s, char *head, size_t size,
    size_t *used, int64_t limit_ms, int *code);

/*
 * From now until session_send() has sent an answer, any end of the connection
 * or of this process is a reset: a FIN would make half an answer, or none, look
 * whole.
 */
void session_answer(struct session *s);

/*
 * Sends n bytes and then length bytes of a file from offset at, a whole answer.
 * Returns 0, or -1 with s->e set: ERR_OUTPUT if the file is shorter, or cannot
 * be read.
 */
int session_send_file(struct session *s, const void *bytes, size_t n, int file,
    off_t at, uint64_t length);

/* Sends all n bytes, a whole answer. Returns 0, or -1 with s->e set. */
int session_send(struct session *s, const void *bytes, size_t n);

/*
 * Sends FIN, drains and closes the link, unless it is closed; an incomplete
 * answer is followed by a reset instead. Logs the "closed" event at level, and
 * s->e if result is -1 and the connection was not a probe (allows_probes).
 * Returns the exit status of the connection.
 */
int session_close(struct session *s, int level, int result);

/* How long a connection may be idle without an option. */
#define FILES_IDLE_MS 60000

/*
 * Serves the files of the folder dir over HTTP/1.1 (RFC 9110, RFC 9112), until
 * the client finishes or a limit passes between two requests. Confines this
 * process to reading there, where the system can. A request must be whole
 * within 30 s, or within the idle limit of the session if an option has set it.
 * Returns 0, or -1 with the session's error.
 */
int files_serve(struct session *s, int dir);

#endif
