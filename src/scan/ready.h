/*
 * What a scan can do faster, or learn more of, on some systems; see net/os.h.
 */
#ifndef SCAN_READY_H
#define SCAN_READY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct addr;

/*
 * What asking has led to, and whose doing that is. Only what came from there
 * says something about a port. An errno alone does not tell: connect(2) fails
 * with EHOSTUNREACH for want of a route here, by an ICMP message from there,
 * and when a neighbour does not answer.
 */
enum scan_origin {
	SCAN_THERE, /* the host, or something on the way to it */
	SCAN_HERE,  /* this machine: nothing left it */
	SCAN_EITHER /* no telling; or this machine, which got no answer */
};

struct scan_outcome {
	int errnum; /* 0: connected or answered; EINPROGRESS: nothing yet */
	enum scan_origin origin;
};

/*
 * How a connect(2) to a that is under way has ended: 0 connected, EINPROGRESS
 * not yet, else the errno it failed with.
 */
int ready_connect_result(int fd, const struct addr *a);

/* Asks to be told of ICMP errors in detail. */
void ready_icmp_prepare(int fd, int family);

/*
 * What a socket that asks a has met, when its last call ended with errnum (0:
 * done, EINPROGRESS: not yet, else it failed): the message of ICMP, if there
 * is one, with EACCES for "prohibited". is_late: not that call itself failed,
 * but what it had begun.
 */
struct scan_outcome ready_outcome(
    int fd, const struct addr *a, int errnum, bool is_late);

/*
 * Makes a socket whose connect(2) failed, or is under way, fit for another
 * one. False where the system cannot: then it is to be closed.
 */
bool ready_connect_again(int fd, bool under_way);

/*
 * Gives a socket that will connect to the loopback address a, many times, an
 * own address and port to keep, where that saves the system work.
 */
void ready_connect_pin(int fd, const struct addr *a);

/*
 * Readiness of many sockets, each known by a number below most: epoll(7), or
 * poll(2). A change is told once at least; it may also be told of a socket
 * that was ignored meanwhile, so who hears of one asks the socket.
 */
struct ready_set;

/* NULL with errno; ready_set_free() is due. */
struct ready_set *ready_set_new(uint32_t most);
void ready_set_free(struct ready_set *s);

/* Tells when fd can be written, or read, or has failed. 0, or -1 with errno. */
int ready_set_watch(struct ready_set *s, uint32_t id, int fd, short events);

/* Is not interested any more, for now. */
void ready_set_ignore(struct ready_set *s, uint32_t id);

/* The descriptor is about to be closed. */
void ready_set_forget(struct ready_set *s, uint32_t id);

/*
 * Waits like wait_poll(). Fills at most most numbers and returns how many,
 * 0 when the deadline passed, or -1 with errno; EINTR for a caught signal.
 */
int ready_set_wait(
    struct ready_set *s, uint32_t *ids, int most, struct deadline until);

#endif
