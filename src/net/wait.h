/*
 * Waiting: poll(2) against an absolute deadline, woken by caught signals too
 * (net/signals.h).
 */
#ifndef NET_WAIT_H
#define NET_WAIT_H

#include <poll.h>
#include <sys/types.h>

#include "base/deadline.h"

struct err;

/*
 * Polls count entries until one is ready, a caught signal comes or the
 * deadline passes. fds has space for one more entry after the count given,
 * which is used here. Returns the number of ready entries, 0 when the
 * deadline has passed, or -1 with errno: EINTR for a caught signal (it stays
 * for signals_collect()), else poll's own.
 */
int wait_poll(struct pollfd *fds, nfds_t count, struct deadline until);

/* The same for one descriptor. */
int wait_fd(int fd, short events, struct deadline until);

/* Sleeps until the deadline: 0, or -1 with EINTR for a caught signal. */
int wait_until(struct deadline until);

/*
 * open(2) of a file to write to, close-on-exec; flags and mode are open's. A
 * FIFO without a reader is retried until the deadline, or until a caught
 * signal asks to stop. The fd, the caller's, or -1 with *e: ERR_OUTPUT,
 * ERR_TIMEOUT, or ERR_FAILED with EINTR.
 */
int wait_open(const char *path, int flags, mode_t mode, struct deadline until,
    struct err *e);

#endif
