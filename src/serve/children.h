/*
 * The children of a server (serve/server.h): its tables of them, their ends and
 * their limits.
 */
#ifndef SERVE_CHILDREN_H
#define SERVE_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct addr;
struct deadline;
struct pollfd;
struct server;
struct conn;

/* Room for one more child, and for polling all of them. */
void children_make_room(struct server *s);

/* Frees the tables. */
void children_release(struct server *s);

/* Adds a child; fd is its connection where it is a program, else -1. */
void children_add(struct server *s, pid_t pid, int fd, const struct conn *c);

/* Reaps those that have ended; a program's connection goes on to be drained,
 * unless a process that it has started may go on with it. */
void children_reap(struct server *s);

/* Goes on with the ends of connections whose programs have ended. */
void children_drain(struct server *s);

/* Programs that run too long are asked to end, then made to, with all that
 * they have started. */
void children_end_late(struct server *s);

/* Asks all of them to end; children_end_late() and children_reap() see to it.
 */
void children_end(struct server *s);

/*
 * Fills in the connections being drained, returns how many, and brings *until
 * forward to the first limit of a child.
 */
size_t children_pollfds(
    const struct server *s, struct pollfd *fds, struct deadline *until);

/* How many connections this peer's host has. */
int64_t children_of_host(const struct server *s, const struct addr *remote);

/* The "closed" event of a connection whose bytes only the kernel has seen, or
 * nobody (fd: -1). goes_on: it has not been ended by us. */
void children_tell_closed(const struct server *s, int fd, const struct conn *c,
    int status, bool goes_on);

#endif
