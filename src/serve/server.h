/*
 * The accept loop: take a connection, give it a process of its own, go on
 * accepting. Children are reaped, limits put accepting off, and want of
 * descriptors makes it wait instead of die. A command's loop reads
 *
 *	while ((fd = server_accept(&s, &conn, e)) >= 0)
 *		server_fork(&s, fd, &conn, serve, context);
 */
#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "net/child.h"
#include "net/conn_event.h"

struct access;
struct err;
struct listener;
struct pollfd;

struct server_options {
	int64_t max_conns;     /* children at once; over it accepting waits */
	int64_t max_per_host;  /* of one address; over it: closed; 0: any */
	int64_t accept_ms;     /* wait this long for a connection, or -1 */
	struct deadline until; /* no connection is waited for after that */
	int64_t program_ms;    /* a program may run so long; -1: any */
	bool is_alone;         /* no children: those of others do not count */
	int log_level;         /* enum diag_level of "accepted" and "closed" */
	const struct access *access; /* who is let in; NULL: everybody */
};

/* A child that serves a connection, or what is left of it. */
struct server_child {
	struct child process;  /* reaped: fd is being drained, or the rest of
				* its process group has been asked to end */
	int fd;                /* a program's connection, else -1 */
	struct deadline drain; /* the end of the drain */
	struct conn conn;
};

struct server {
	struct listener *listener; /* the caller's */
	const struct server_options *options;
	/* Owned tables that no child gets; see net/spawn.h. */
	struct server_child *children;
	pid_t *pids;            /* theirs, to be searched */
	struct pollfd *fds;     /* room to poll them all */
	size_t count;           /* of children */
	size_t room;            /* for them */
	size_t running;         /* with a process */
	size_t groups;          /* of them with a process group alone */
	int child_fd;           /* readable when one has ended, or -1 */
	bool has_ended;         /* it was: there are some to reap */
	bool is_ending;         /* it has been stopped */
	bool has_programs;      /* what they leave behind may be ours to reap */
	int failures;           /* of accept(2), one after another */
	int64_t pause_ms;       /* back-off, for want of descriptors say */
	struct deadline resume; /* no accepting before that */
	int last_status;        /* shell status of the last connection */
};

/*
 * Serves the connection in the child; its return value is the exit status.
 * fd belongs to it. Caught signals do what they do by default (wait_child()),
 * but SIGCHLD may be blocked.
 */
typedef int server_serve(int fd, const struct conn *c, void *context);

/* Catches stop signals, and those of children. 0, or -1 with *e. */
int server_start(struct server *s, struct listener *l,
    const struct server_options *o, struct err *e);

/*
 * Waits for a connection; reaps children meanwhile. Returns its fd, blocking
 * and the caller's; or -1 with *e: ERR_FAILED with EINTR when it was told to
 * stop, ERR_TIMEOUT when accept_ms passed, else what failed.
 */
int server_accept(struct server *s, struct conn *c, struct err *e);

/*
 * Gives fd to a child that runs serve(). fd is closed here. Where no child can
 * be made the connection is dropped, which is told and in s->last_status.
 */
void server_fork(struct server *s, int fd, const struct conn *c,
    server_serve *serve, void *context);

/*
 * Gives fd to a program. It stays open here too until the program has ended,
 * to be drained then, so that the program's last words are not lost to a
 * reset. Where the program has left a process in its group, that one goes on
 * with the connection, and fd is closed only. A program that cannot be executed
 * is told and the connection closed; its status is in s->last_status.
 */
void server_spawn(
    struct server *s, int fd, const struct conn *c, char *const *argv);

/* Waits until every child is gone: 0, or -1 with EINTR when told to stop. */
int server_wait(struct server *s, struct err *e);

/* Ends and reaps every child; frees what the server holds. */
void server_stop(struct server *s);

#endif
