/*
 * The processes of a server, one per connection: forked handlers, and programs.
 * children_*() counts, limits, reaps and terminates them (net/child.h), and
 * drains the connection of a program that has exited, so that a reset does not
 * destroy the last bytes it sent.
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

/*
 * A process, or what remains of it: a connection to drain, or a process group
 * that was sent SIGTERM.
 */
struct server_child {
	struct child process;
	int fd;                /* a program's connection, otherwise -1 */
	struct deadline drain; /* the end of the drain */
	struct conn conn;
};

struct children {
	int64_t program_ms; /* limit of a program; -1: none */
	int log_level;      /* enum diag_level of "closed" */
	size_t other_fds;   /* number that the caller also polls */

	struct server_child *list; /* owned */
	struct pollfd *fds; /* owned; space for all of list and other_fds */
	size_t count, capacity;
	size_t running;    /* number that still run */
	bool has_programs; /* their descendants may have to be reaped here */
	bool is_ending;    /* children_end() was called */
	int last_status;   /* shell status of the last connection */
};

/*
 * The caller sets the three options and zeroes the rest. Call
 * children_release() afterwards.
 */
void children_init(struct children *c);
void children_release(struct children *c);

/* Adds a process; fd is its connection if it is a program, otherwise -1. */
void children_add(
    struct children *c, pid_t pid, int fd, const struct conn *conn);

/*
 * The same for a forked handler that runs a program: both are in a process
 * group that the handler leads, which gets the signals and has the limit of
 * programs.
 */
void children_add_group(struct children *c, pid_t pid, const struct conn *conn);

/* The number of connections of the host of remote. */
int64_t children_of_host(const struct children *c, const struct addr *remote);

/*
 * Fills fds with the entries to poll and returns their number; brings *until
 * forward to the earliest limit.
 */
size_t children_pollfds(
    const struct children *c, struct pollfd *fds, struct deadline *until);

/*
 * Reaps the processes that have exited, drains connections, and terminates
 * programs whose time limit has passed. Never blocks. Returns true if a process
 * was reaped.
 */
bool children_advance(struct children *c);

/* Sends SIGTERM to all; children_advance() kills those that do not exit. */
void children_end(struct children *c);

/*
 * Reports the "closed" event of a connection whose bytes only the kernel has
 * counted. fd may be -1; goes_on as in conn_event_summarize().
 */
void children_log_closed(
    const struct children *c, int fd, const struct conn *conn, bool goes_on);

#endif
