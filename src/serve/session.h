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

struct session {
	int fd;                /* owned */
	int64_t idle_ms;       /* no byte either way for so long; -1: any */
	struct deadline until; /* of the whole connection */
	struct deadline phase; /* of what is being done; see session_phase() */
	const char *too_long;  /* what is said when that has passed */
	struct conn_summary r; /* what moved so far, and who ended it */
	bool is_read;          /* to the peer's end: nothing more comes */
	bool allows_probes;    /* what conn_event_is_probe() is no error */
	struct err e;          /* why it failed */
};

/* Takes fd over. idle_ms and max_ms may be -1: no limit. */
void session_start(struct session *s, int fd, int64_t idle_ms, int64_t max_ms);

/*
 * What begins now may take so long, however little and often something moves;
 * -1: no limit. too_long is the error's text.
 */
void session_phase(struct session *s, int64_t ms, const char *too_long);

/* Waits so long, within the limit of the connection. 0, or -1 with s->e. */
int session_pause(struct session *s, int64_t ms);

/*
 * Waits until fd is ready for events. 1; 0 when early has passed before it;
 * or -1 with s->e when a limit of the session has.
 */
int session_wait(struct session *s, short events, struct deadline early);

/*
 * Waits and reads a piece: its length, 0 at the peer's end, -1 with s->e. A
 * limit that has passed holds although bytes are there.
 */
ssize_t session_receive(struct session *s, void *piece, size_t size);

/* Sends all of it. 0, or -1 with s->e. */
int session_send(struct session *s, const void *bytes, size_t n);

/*
 * The end: FIN, drains, closes, unless s->fd is -1 already; tells the "closed"
 * event at level, and s->e where the result is -1, unless that was a probe
 * (s->allows_probes). Returns the exit status of the connection.
 */
int session_end(struct session *s, const struct conn *c, int level, int result);

#endif
