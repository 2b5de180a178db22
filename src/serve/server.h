/*
 * The accept loop: accept a connection, give it a process of its own, go on
 * accepting. Children are reaped meanwhile; where a limit is reached or
 * descriptors are short, accepting waits. A command's loop reads
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
#include "serve/children.h"

struct access;
struct err;
struct listener;

struct server_options {
	int64_t max_conns;     /* children at once; over it accepting waits */
	int64_t max_per_host;  /* of one address; over it: closed; 0: any */
	int64_t accept_ms;     /* wait this long for a connection, or -1 */
	struct deadline until; /* no connection is waited for after that */
	int64_t program_ms;    /* limit of a program; -1: none */
	bool is_alone;         /* no children: those of others do not count */
	bool is_single;        /* one connection is accepted, then no more */
	int log_level;         /* enum diag_level of "accepted" and "closed" */
	const struct access *access; /* who is let in; NULL: everybody */
};

struct server {
	struct listener *listener; /* the caller's */
	const struct server_options *options;
	struct children children;
	int failures;           /* of accept(2), one after another */
	unsigned accepted;      /* connections, for their names */
	bool is_announced;      /* that a connection is waited for (-vv) */
	bool is_queue_full;     /* and that has been reported */
	struct backoff backoff; /* pauses of accepting */
	struct deadline resume; /* the end of the pause */
};

/*
 * Serves a connection in the child, with context of struct server_handler. fd
 * belongs to it. Returns the child's exit status. Caught signals do what they
 * do by default (signals_after_fork()), but SIGCHLD may be blocked.
 */
typedef int server_serve(int fd, const struct conn *c, void *context);

struct server_handler {
	server_serve *serve;
	void *context;
};

/*
 * Catches stop signals, and those of children. 0, or -1 with *e. Call
 * server_stop() afterwards.
 */
int server_start(struct server *s, struct listener *l,
    const struct server_options *o, struct err *e);

/*
 * Waits for a connection; reaps children meanwhile. Returns its fd, blocking
 * and the caller's; or -1 with *e: ERR_FAILED with EINTR when it was asked to
 * stop, ERR_TIMEOUT when accept_ms passed, else what failed.
 */
int server_accept(struct server *s, struct conn *c, struct err *e);

/*
 * Gives fd to a forked child that runs the handler, and closes it here. Where
 * no child can be made the connection is dropped, which is reported and in
 * s->children.last_status.
 */
void server_fork(struct server *s, int fd, const struct conn *c,
    const struct server_handler *h);

/*
 * Gives fd to a program. It stays open here too until the program has ended,
 * to be drained then. Where the program has left a process in its group, that
 * one goes on with the connection, and fd is closed only. A program that
 * cannot be executed is reported and the connection closed; its status is in
 * s->children.last_status.
 */
void server_spawn(
    struct server *s, int fd, const struct conn *c, char *const *argv);

/* Waits until every child has ended: 0, or -1 with EINTR when asked to stop. */
int server_wait(struct server *s, struct err *e);

/* Ends and reaps every child; frees what the server holds. */
void server_stop(struct server *s);

#endif
