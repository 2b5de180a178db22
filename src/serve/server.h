/*
 * The accept loop: accepts a connection, passes it to a new process, and
 * accepts the next one. It also reaps children, and pauses at a limit or when
 * descriptors are short. A command's loop is
 *
 *	while (server_accept(&s, &link, e) == 0)
 *		server_fork(&s, &link, serve, context, false);
 */
#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/deadline.h"
#include "net/link.h"
#include "tls/tls.h"

struct access;
struct err;
struct listener;
struct pollfd;
struct proc;

struct server_options {
	int64_t max_conns; /* connections at once, drained ones included; at the
			      limit, accepting waits */
	int64_t max_per_host;  /* per address; others are reset; 0: no limit */
	int64_t accept_ms;     /* limit of the wait for a connection, or -1 */
	struct deadline until; /* limit of waiting for connections */
	int64_t program_ms;    /* limit of a program; -1: none */
	int64_t drain_ms; /* how long connections go on after a stop signal;
			     0: they are ended at once */
	bool is_single;   /* accepts one connection, then no more */
	int log_level;    /* enum diag_level of "accepted" and "closed" */
	const struct access *access; /* which peers are allowed; NULL: all */
	struct tls_options tls;      /* of the clients */
	int64_t max_ms; /* limit of their handshakes; -1: TLS_ACCEPT_MS */
	bool is_alone;  /* after a successful handshake, reset the clients
			   whose handshakes are in progress */
};

/* A connection with its process, or one that is drained. */
struct server_conn {
	struct link link;      /* fd is -1 unless a program has it */
	struct proc *proc;     /* NULL: it has ended, and link is drained */
	struct deadline drain; /* the end of the drain */
	int status;            /* the shell's, of its program */
	struct proc *carrier;  /* the process of its TLS; NULL: none */
};

/* A connection with a TLS handshake in progress. */
struct server_pending {
	struct link link; /* tls is NULL until a process could be started */
	struct tls_request request;
};

struct server {
	struct listener *listener; /* the caller's */
	const struct server_options *options;
	struct server_conn *conns;      /* owned */
	struct server_pending *pending; /* owned */
	struct pollfd *fds;             /* owned; room for all that is polled */
	size_t count, pending_count;
	size_t capacity, pending_capacity; /* of conns, of pending */
	int last_status;   /* shell status of the last connection */
	int failures;      /* consecutive failures of accept(2) */
	unsigned accepted; /* number of connections, for their names */
	int stop[2]; /* with --drain a pipe, of which children have the write
			end: it has no reader any more when the server is
			stopped; -1: none */
	bool is_announced;  /* the wait for a connection was reported (-vv) */
	bool is_queue_full; /* a full queue was reported */
	bool is_full_reported;  /* a client waiting at the limit was reported */
	struct backoff backoff; /* lengths of the pauses */
	struct deadline resume; /* end of the pause */
};

/*
 * Serves a connection in the child, with the context of server_fork(), and
 * closes it. Returns the child's exit status. Caught signals take their default
 * action (signals_after_fork()).
 */
typedef int server_serve(struct link *l, void *context);

/* The caller catches stop signals (signals_catch()), and calls server_stop()
 * afterwards. */
void server_start(
    struct server *s, struct listener *l, const struct server_options *o);

/*
 * Waits for a connection, with TLS until one of several handshakes has
 * succeeded; failed ones are reported. Reaps children meanwhile. Returns 0 with
 * *l, which the caller owns, and whose fd is blocking without TLS; or -1 with
 * *e: ERR_FAILED with EINTR for a stop signal, ERR_TIMEOUT when accept_ms
 * passed, ERR_NONE when wait_is_unread(), or another failure. If the listener
 * is a connection (net/listener.h), *l is that, and the caller does not call
 * this again; if its peer is not allowed, the result is -1 with ERR_FAILED and
 * no text.
 */
int server_accept(struct server *s, struct link *l, struct err *e);

/*
 * Call this when no more connections are accepted: with -1 and *e of
 * server_accept(), or with 0. Unless that is an error, waits until every child
 * has exited. Returns 0; or -1 with *e: EINTR for a stop signal, the status of
 * the only connection's process, which has reported its error, or the time
 * limit. That is a normal end if accept_ms has passed under a service manager.
 */
int server_end(struct server *s, int result, struct err *e);

/*
 * Passes l to a forked child that serves it, and closes it here. runs_program:
 * the child leads a process group. If fork fails, the connection is aborted and
 * the failure reported and stored in s->last_status.
 */
void server_fork(struct server *s, struct link *l, server_serve *serve,
    void *context, bool runs_program);

/*
 * Passes l to a program. The connection also stays open here. When the program
 * exits, link_drain() ends it, with a reset if the program has failed; it is
 * also reset if the program was ended or died by a signal. If another process
 * of the program's group still runs, it keeps the connection, which is only
 * closed here. Failures, such as a program that cannot be executed, are handled
 * as by server_fork().
 */
void server_spawn(struct server *s, struct link *l, char *const *argv);

/* Terminates and reaps every child; frees what the server owns. */
void server_stop(struct server *s);

#endif
