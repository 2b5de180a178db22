/*
 * Many connects: their results, and the readiness of sockets. The twins are
 * ready_linux.c (epoll(7)) and ready_posix.c (poll(2), whose cost grows with
 * the number of sockets in the set).
 */
#ifndef NET_READY_H
#define NET_READY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"

struct addr;

/* The result of an earlier connect(2) to a: 0, EINPROGRESS or its errno, which
 * the call removes from the socket. */
int ready_connect_result(int fd, const struct addr *a);

/*
 * Prepares a socket whose connect(2) failed or is in progress for another one.
 * Returns false where the system cannot, as ready_posix.c always does; the
 * caller then closes the socket and opens another.
 */
bool ready_connect_again(int fd, bool in_progress);

/* The readiness of many sockets, each known by a number. Each change is
 * reported, even one between two calls. */
struct ready_set;

/*
 * Makes a set for numbers below capacity, which ready_set_free() frees. If
 * is_level is set, a socket is reported as long as it is ready, otherwise once
 * for each change; ready_posix.c always does the former. Returns NULL with
 * errno on failure.
 */
struct ready_set *ready_set_new(uint32_t capacity, bool is_level);
void ready_set_free(struct ready_set *s);

/* Polls fd for events (POLLIN, POLLOUT) and errors. Returns 0, or -1 with
 * errno. */
int ready_set_watch(struct ready_set *s, uint32_t id, int fd, short events);

/* Stops polling the socket; call it before the descriptor is closed. */
void ready_set_forget(struct ready_set *s, uint32_t id);

/* The maximum number of sockets that one call reports. */
#define MAX_READY 256

/*
 * Waits like wait_poll(). Stores up to MAX_READY numbers in ids and returns how
 * many, 0 if the deadline passed, or -1 with errno; EINTR for a caught signal.
 */
int ready_set_wait(struct ready_set *s, uint32_t *ids, struct deadline until);

#endif
