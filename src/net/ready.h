/* Many connects: their results, and the readiness of sockets; see net/os.h. */
#ifndef NET_READY_H
#define NET_READY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"

struct addr;

/* The result of an earlier connect(2) to a: 0, EINPROGRESS or its errno. */
int ready_connect_result(int fd, const struct addr *a);

/*
 * Prepares a socket whose connect(2) failed or is in progress for another one.
 * Returns false where the system cannot; the caller then closes the socket.
 */
bool ready_connect_again(int fd, bool in_progress);

/* The readiness of many sockets, each known by a number: epoll(7), or poll(2).
 * A change is reported at least once, perhaps when nobody waits for it. */
struct ready_set;

/* A set for numbers below capacity, which ready_set_free() frees, or NULL with
 * errno. is_level: a socket is reported as long as it is ready. */
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
