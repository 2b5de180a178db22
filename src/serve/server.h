/*
 * The accept loop: accepts a connection, passes it to a new process, and
 * accepts the next one. Meanwhile children are reaped; at a limit, or short of
 * descriptors, accepting pauses. A command's loop is
 *
 *	while ((fd = server_accept(&s, &conn, e)) >= 0)
 *		server_fork(&s, fd, &conn, &handler);
 */
#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/deadline.h"
#include "net/conn_event.h"

struct access;
struct err;
struct listener;
struct pollfd;
struct proc;

struct server_options {
	int64_t max_conns; /* connections at once, with those that are drained;
			      at the limit, accepting waits */
	int64_t max_per_host;  /* per address; above it: closed; 0: no limit */
	int64_t accept_ms;     /* limit of the wait for a connection, or -1 */
	struct deadline until; /* limit of waiting for connections */
	int64_t program_ms;    /* limit of a program; -1: none */
	bool is_single;        /* accepts one connection, then no more */
	int log_level;         /* enum diag_level of "accepted" and "closed" */
	const struct access *access; /* which peers are allowed; NULL: all */
};

/* A connection and its process, or a connection that is drained. */
struct server_conn {
	struct proc *proc;     /* NULL: it has ended, and fd is drained */
	int fd;                /* a program's connection, otherwise -1 */
	struct deadline drain; /* the end of the drain */
	size_t dropped;        /* bytes that were discarded */
	struct conn conn;
};

struct server {
	struct listener *listener; /* the caller's */
	const struct server_options *options;
	struct server_conn *conns; /* owned */
	struct pollfd *fds;        /* owned; room for all that is polled */
	size_t count, capacity;    /* of conns */
	size_t running;            /* those that have a process */
	unsigned exits;            /* proc_exits(), when they were looked at */
	bool has_programs;         /* in groups of their own */
	int last_status;           /* shell status of the last connection */
	int failures;              /* consecutive failures of accept(2) */
	unsigned accepted;         /* number of connections, for their names */
	bool is_announced;  /* the wait for a connection was reported (-vv) */
	bool is_queue_full; /* and it has been reported */
	bool is_full_reported;  /* that a client waits at the limit */
	struct backoff backoff; /* lengths of the pauses */
	struct deadline resume; /* end of the pause */
};

/*
 * Serves a connection in the child, with context of struct server_handler. Owns
 * fd. Returns the child's exit status. Caught signals take their default action
 * (signals_after_fork()).
 */
typedef int server_serve(int fd, const struct conn *c, void *context);

struct server_handler {
	server_serve *serve;
	void *context;
	bool runs_program; /* the child leads a process group */
};

/* The caller catches stop signals (signals_catch()), and calls server_stop()
 * afterwards. */
void server_start(
    struct server *s, struct listener *l, const struct server_options *o);

/*
 * Waits for a connection, and reaps children meanwhile. Returns its fd, which
 * is blocking and which the caller closes; or -1 with *e set: ERR_FAILED with
 * EINTR for a stop signal, ERR_TIMEOUT when accept_ms passed, otherwise what
 * failed. A listener that is a connection (net/listener.h) returns it, and is
 * then not called again; -1 with ERR_NONE means that it is not allowed.
 */
int server_accept(struct server *s, struct conn *c, struct err *e);

/*
 * The end of the loop, after server_accept() has returned -1 with *e. After a
 * time limit it waits for the children. Returns 0 if this is a normal end, as
 * accept_ms is for a service manager; otherwise -1 with *e.
 */
int server_end(struct server *s, struct err *e);

/*
 * Passes fd to a forked child that runs the handler, and closes it here. If
 * fork fails, the connection is aborted and the failure reported and stored in
 * s->last_status.
 */
void server_fork(struct server *s, int fd, const struct conn *c,
    const struct server_handler *h);

/*
 * Passes fd to a program. fd also stays open here, and is drained when the
 * program exits, or reset if it is ended or dies by a signal. If a process of
 * the program's group still runs then, it keeps the connection, and fd is only
 * closed. Failures are those of server_fork().
 */
void server_spawn(
    struct server *s, int fd, const struct conn *c, char *const *argv);

/*
 * Waits until every child has exited, after the only connection was accepted.
 * Returns 0; or -1 with *e: the status of the connection's process, which has
 * reported its error, or EINTR for a stop signal.
 */
int server_wait_status(struct server *s, struct err *e);

/* Terminates and reaps every child; frees what the server owns. */
void server_stop(struct server *s);

#endif
