/* The outcome of probes, and which sockets have one; see net/os.h. */
#ifndef SCAN_READY_H
#define SCAN_READY_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"

struct addr;

/*
 * Where an outcome comes from: only a remote one says something about a port.
 * The errno alone does not say that: connect(2) fails with EHOSTUNREACH without
 * a local route, after an ICMP message, and when a neighbour does not answer.
 */
enum ready_origin {
	READY_REMOTE, /* the host, or a router on the path to it */
	READY_LOCAL,  /* this machine: nothing was sent */
	READY_UNSURE  /* either; or this machine, which got no answer */
};

struct ready_outcome {
	int errnum; /* 0: connected or answered; EINPROGRESS: nothing yet */
	enum ready_origin origin;
};

/* Whether errnum alone shows where it comes from: never from this machine. */
static inline bool
ready_is_remote(int errnum)
{
	return errnum == 0 || errnum == EINPROGRESS || errnum == ECONNREFUSED ||
	       errnum == ECONNRESET || errnum == ETIMEDOUT;
}

/*
 * The result of a connect(2) to a that is in progress: 0 connected,
 * EINPROGRESS not yet, else the errno it failed with. Adds its own calls of
 * connect(2), which the caller reports, to *connects.
 */
int ready_connect_result(int fd, const struct addr *a, uint16_t *connects);

/*
 * The outcome of a probe to a whose last call ended with errnum (0: done,
 * EINPROGRESS: not yet, else it failed): that of an ICMP message, if there is
 * one, with EACCES for "prohibited". is_late: what the call began has failed,
 * not the call itself.
 */
struct ready_outcome ready_outcome(
    int fd, const struct addr *a, int errnum, bool is_late);

/*
 * Prepares a socket whose connect(2) failed, or is in progress, for another
 * one. False where the system cannot: then the caller closes it.
 */
bool ready_connect_again(int fd, bool in_progress);

/*
 * Gives a socket that will connect to the loopback address a many times a
 * local address and port to keep, where that saves the system work.
 */
void ready_connect_pin(int fd, const struct addr *a);

/*
 * Readiness of many sockets, each known by a number below capacity: epoll(7),
 * or poll(2). A change is reported at least once. A report may be of a socket
 * that was ignored meanwhile, so the caller checks the socket.
 */
struct ready_set;

/* NULL with errno. The caller frees it with ready_set_free(). */
struct ready_set *ready_set_new(uint32_t capacity);
void ready_set_free(struct ready_set *s);

/* Watches for fd to be writable or readable, or to fail. 0, or -1 with errno.
 */
int ready_set_watch(struct ready_set *s, uint32_t id, int fd, short events);

/* Stops watching, for now. */
void ready_set_ignore(struct ready_set *s, uint32_t id);

/* The descriptor is about to be closed. */
void ready_set_forget(struct ready_set *s, uint32_t id);

/*
 * Waits like wait_poll(). Fills ids with up to limit numbers and returns how
 * many, 0 when the deadline passed, or -1 with errno; EINTR for a caught
 * signal.
 */
int ready_set_wait(
    struct ready_set *s, uint32_t *ids, int limit, struct deadline until);

#endif
