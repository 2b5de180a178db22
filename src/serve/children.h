/*
 * The processes of a server, one for each connection: handlers that it has
 * forked, and programs. They are counted, limited, reaped and ended
 * (net/child.h). The connection of a program that has ended is drained, so that
 * the last bytes it sent are not lost to a reset.
 */
#ifndef SERVE_CHILDREN_H
#define SERVE_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "net/child.h"
#include "net/conn_event.h"

struct pollfd;

/* A process, or what is left of it: a connection to drain, or the rest of its
 * process group, which has been asked to end. */
struct server_child {
	struct child process;
	int fd;                /* a program's connection, else -1 */
	struct deadline drain; /* the end of the drain */
	struct conn conn;
};

struct children {
	int64_t program_ms; /* limit of a program; -1: none */
	int log_level;      /* enum diag_level of "closed" */
	size_t other_fds;   /* that the caller polls as well */

	/* Owned; a forked child has neither (net/spawn.h). */
	struct server_child *list;
	struct pollfd *fds; /* capacity for all of list and other_fds */
	size_t count, capacity;
	size_t running;    /* without those being drained */
	int event_fd;      /* readable when a child has ended, or -1 */
	bool has_ended;    /* it was readable */
	bool has_programs; /* processes that they started may have to be reaped
			      here */
	bool is_ending;    /* children_end() was called */
	int last_status;   /* shell status of the last connection */
};

/* The three options are set, all else is zero. Call children_release()
 * afterwards. */
void children_init(struct children *c);
void children_release(struct children *c);

/*
 * Makes event_fd, with which no signal handler has to run when a child ends.
 * False where the system has no such thing: then catch SIGNALS_CHILD.
 */
bool children_watch(struct children *c);

/* In a forked child: closes what is not its own. */
void children_abandon(const struct children *c);

/* Adds a process; fd is its connection where it is a program, else -1. */
void children_add(
    struct children *c, pid_t pid, int fd, const struct conn *conn);

/* How many connections the host of remote has. */
int64_t children_of_host(const struct children *c, const struct addr *remote);

/*
 * Fills in what to poll in fds and returns how many; *until becomes earlier
 * where a limit is. Call children_polled() afterwards.
 */
size_t children_pollfds(
    const struct children *c, struct pollfd *fds, struct deadline *until);
void children_polled(struct children *c, const struct pollfd *fds);

/*
 * Reaps the processes that have ended, drains connections, and ends programs
 * whose time has passed. Never waits. True when a process has been reaped.
 */
bool children_advance(struct children *c);

/* Asks all of them to end; children_advance() kills those that do not. */
void children_end(struct children *c);

/* The "closed" event of a connection whose bytes only the kernel has counted.
 * fd may be -1; goes_on as in conn_event_summarize(). */
void children_log_closed(
    const struct children *c, int fd, const struct conn *conn, bool goes_on);

#endif
