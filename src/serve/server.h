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
	/* The maximum of connections at once, drained ones included. At the
	 * limit, accepting waits. */
	int64_t max_conns;
	/* The maximum per address; more are reset. 0 is no limit. */
	int64_t max_per_host;
	/* The limit of each wait for a connection; -1 is none. */
	int64_t accept_ms;
	/* When the server stops waiting for connections. */
	struct deadline until;
	/* The limit of a program; -1 is none. */
	int64_t program_ms;
	/* How long connections go on after a stop signal; 0: not at all. */
	int64_t drain_ms;
	/* The server accepts one connection, then no more. */
	bool is_single;
	/* The enum diag_level of the events "accepted" and "closed". */
	int log_level;
	/* Which peers are allowed; NULL: all. */
	const struct access *access;
	/* The TLS of the clients. */
	struct tls_options tls;
	/* The limit of their handshakes; -1: TLS_ACCEPT_MS. */
	int64_t max_ms;
	/* A successful handshake resets the clients whose handshakes are in
	 * progress. */
	bool is_alone;
};

/* A connection with its process, or one that is drained. */
struct server_conn {
	/* Its fd is -1 unless a program has the connection. */
	struct link link;
	/* NULL once it has exited, and link is drained. */
	struct proc *proc;
	/* When the drain ends. */
	struct deadline drain;
	/* The status of its program, as a shell shows it. */
	int status;
	/* The process of its TLS, or NULL. */
	struct proc *carrier;
};

/* A connection with a TLS handshake in progress. */
struct server_pending {
	/* It is direct until a process could be started. */
	struct link link;
	struct tls_request request;
};

struct server {
	/* Both belong to the caller. */
	struct listener *listener;
	const struct server_options *options;
	/* The connections: count of them, with space for capacity. Owned. */
	struct server_conn *conns;
	size_t count, capacity;
	/* The handshakes in progress, in another owned array. */
	struct server_pending *pending;
	size_t pending_count, pending_capacity;
	/* Space for the entries of a poll. Owned. */
	struct pollfd *fds;
	/* The status of the last connection, as a shell shows it. */
	int last_status;
	/* How many calls of accept(2) in a row have failed. */
	int failures;
	/* How many connections were accepted, for their numbers. */
	unsigned accepted;
	/* With --drain a pipe, otherwise -1. Children have the write end, and
	 * see that it has no reader when the server is stopped. */
	int stop[2];
	/* The wait for a connection was reported (-vv). */
	bool is_announced;
	/* A full queue of the system was reported. */
	bool is_queue_full;
	/* A client that waits because of max_conns was reported. */
	bool is_full_reported;
	/* The lengths of the pauses of accepting, and when this one ends. */
	struct backoff backoff;
	struct deadline resume;
};

/*
 * Serves a connection in the child, with the context of server_fork(), and
 * closes it. Returns the child's exit status. Caught signals take their default
 * action (signals_after_fork()).
 */
typedef int server_serve(struct link *l, void *context);

/* Prepares *s. The caller has called signals_catch(), and calls server_stop()
 * afterwards. */
void server_start(
    struct server *s, struct listener *l, const struct server_options *o);

/*
 * Waits for a connection, with TLS until one of several handshakes has
 * succeeded; failed ones are reported. Reaps children meanwhile. Returns 0 with
 * *l, which the caller owns, and whose fd is blocking without TLS; or -1 with
 * *e: ERR_FAILED with EINTR for a stop signal, ERR_TIMEOUT when accept_ms
 * passed, ERR_NONE when wait_is_unread(), or another failure. If the listener
 * is a connection (net/listener.h), *l becomes that connection, and the caller
 * does not call this again; if its peer is not allowed, the result is -1 with
 * ERR_FAILED and no text.
 */
int server_accept(struct server *s, struct link *l, struct err *e);

/*
 * Finishes serving, when no more connections are accepted: result is -1 with *e
 * of server_accept(), or 0. Unless that is an error, waits until every child
 * has exited. Returns 0; or -1 with *e: EINTR for a stop signal, the status of
 * the process of the only connection, which has reported its error, or the time
 * limit. If accept_ms has passed for sockets of systemd(1), it returns 0.
 */
int server_finish(struct server *s, int result, struct err *e);

/*
 * Passes l to a forked child that serves it, and closes it here. With
 * runs_program the child leads a process group. If fork(2) fails, the
 * connection is aborted, and the failure is reported and stored in
 * s->last_status.
 */
void server_fork(struct server *s, struct link *l, server_serve *serve,
    void *context, bool runs_program);

/*
 * Passes l to a program. The connection also stays open here. When the program
 * exits, link_drain() closes it, with a reset if the program has failed; it is
 * also reset if the program was terminated, or killed by a signal. If another
 * process of the group of the program still runs, it keeps the connection,
 * which is only closed here. Failures, such as a program that cannot be
 * executed, are handled as by server_fork().
 */
void server_spawn(struct server *s, struct link *l, char *const *argv);

/* Terminates and reaps every child; frees what the server owns. */
void server_stop(struct server *s);

#endif
