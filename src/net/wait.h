/* poll(2) until an absolute deadline or a caught signal (net/signals.h). */
#ifndef NET_WAIT_H
#define NET_WAIT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"

struct err;

/*
 * A wait that the user would not expect is reported after this time, unless -q
 * is given: one line, printed while waiting.
 */
#define WAIT_REPORT_MS 3000

struct wait_reason {
	/* Returns the line; or NULL, and is called again WAIT_REPORT_MS later.
	 */
	const char *(*text)(void *context);
	void *context;
	/* The caller may move the time of the report. If it is never, nothing
	 * is reported, and text may be NULL. */
	struct deadline due;
	int64_t start_ns; /* The time of wait_begin(). */
	bool is_reported;
	struct wait_reason *outer; /* It applies again after wait_end(). */
};

/*
 * Sets the reason of all waits until wait_end(). An inner reason replaces it
 * until its own wait_end(), and delays its report by the time between the two.
 * r stays the caller's.
 */
void wait_begin(
    struct wait_reason *r, const char *(*text)(void *context), void *context);
void wait_end(void);

/*
 * From now on every wait also reads fd, which does not block, through
 * receive(), which reads once and returns as read(2); at end of file or an
 * error this stops. Only one fd is read at a time.
 */
void wait_start_reading(
    int fd, ssize_t (*receive)(void *context), void *context);
void wait_stop_reading(void);

/*
 * From now on, when nobody can read from fd any more, a wait that nothing else
 * ends returns -1 with EPIPE. fd is the output for which alone the command
 * works; -1: there is none. An output that does not show when its reader has
 * closed it (sock_shows_reader()) is not watched. wait_is_unread() returns
 * whether that was seen.
 */
void wait_watch_reader(int fd);
bool wait_is_unread(void);

/* How long the command then waits for data of its peer. Such data cannot be
 * written any more, so the command has failed. */
#define WAIT_UNREAD_MS 200

/* From now on, the first stop signal ends a wait only after ms, and a second
 * signal at once; 0: the first signal ends it at once. */
void wait_hold_stop(int64_t ms);

/* Whether a stop signal was caught that is not held back. */
bool wait_is_stopped(void);

/* Call this in a forked child. Drops the reason, and what the parent reads and
 * watches. */
void wait_after_fork(void);

/* A wait uses this many entries of fds after those of its caller. */
#define WAIT_SPARE 3

/*
 * Polls count entries until one is ready, a caught signal arrives or the
 * deadline passes. fds has space for count + WAIT_SPARE. Returns the number of
 * ready entries, 0 if the deadline has passed, or -1 with errno: EINTR for a
 * caught signal (which stays for signals_collect()), EPIPE of
 * wait_watch_reader(), otherwise poll's.
 */
int wait_poll(struct pollfd *fds, nfds_t count, struct deadline until);

/* wait_poll() that, with_children, also returns 0 when a child has exited. */
int wait_events(struct pollfd *fds, nfds_t count, struct deadline until,
    bool with_children);

/* wait_poll() for one descriptor. */
int wait_fd(int fd, short events, struct deadline until);

/* Sleeps until the deadline. Returns 0, or -1 with EINTR: a caught signal. */
int wait_until(struct deadline until);

/*
 * Opens an output that the user has named, close-on-exec; flags and mode are
 * open's. "-" is stdout. The name of an open descriptor (/dev/stderr,
 * /dev/fd/7) yields a copy of it: it is neither opened again nor truncated.
 * Retries a FIFO without a reader until the deadline passes or a caught signal
 * asks sockt to stop. Returns the fd, which the caller closes, or -1 with *e
 * set: ERR_OUTPUT, ERR_TIMEOUT, or ERR_FAILED with EINTR.
 */
int wait_open(const char *path, int flags, mode_t mode, struct deadline until,
    struct err *e);

#endif
