/*
 * A connection being served, in a process of its own: reading and sending
 * under its limits, and its orderly end.
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
struct message;
struct message_reader;

struct session {
	int fd;                /* owned */
	int64_t idle_ms;       /* no byte either way for that long; -1: any */
	struct deadline until; /* of the whole connection */
	struct deadline phase; /* of what is being done; session_phase() */
	const char *missing;   /* what did not happen within it */
	struct conn_summary r; /* what moved so far, and who ended it */
	bool allows_probes;    /* conn_event_is_probe() is not an error */
	struct err e;          /* why it failed */
};

/* fd becomes the session's. idle_ms and max_ms may be -1: no limit. */
void session_start(struct session *s, int fd, int64_t idle_ms, int64_t max_ms);

/*
 * Limits what begins now to ms in all, however often something moves; -1: no
 * limit. missing is what did not happen: "no reply".
 */
void session_phase(struct session *s, int64_t ms, const char *missing);

/* Waits for ms, within the limit of the connection. 0, or -1 with s->e. */
int session_pause(struct session *s, int64_t ms);

/*
 * Waits and reads a piece: its length, 0 at the peer's end, -1 with s->e. A
 * limit that has passed holds although bytes are there.
 */
ssize_t session_receive(struct session *s, void *piece, size_t size);

enum session_message { SESSION_MESSAGE, SESSION_END, SESSION_FAILED };

/*
 * Receives the next message, whose bytes stay in r until the next call.
 * SESSION_END when the peer has finished; SESSION_FAILED with s->e,
 * ERR_PROTOCOL for a message that is too long, which has been reported to the
 * peer.
 */
enum session_message session_receive_message(
    struct session *s, struct message_reader *r, struct message *m);

/* Sends all of it. 0, or -1 with s->e. */
int session_send(struct session *s, const void *bytes, size_t n);

/*
 * The end: sends FIN, drains and closes, unless s->fd is -1 already. Logs the
 * "closed" event at level, and s->e where the result is -1 and that was not a
 * probe (allows_probes). Returns the exit status of the connection.
 */
int session_end(struct session *s, const struct conn *c, int level, int result);

#endif
