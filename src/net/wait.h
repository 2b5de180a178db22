/*
 * Waiting: poll(2) against an absolute deadline, woken by signals too. A
 * signal writes a byte into a pipe that every wait polls, so none can slip in
 * between a check and the poll.
 */
#ifndef NET_WAIT_H
#define NET_WAIT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/clock.h"

struct err;

/* Signals that a command may want to be told of. */
enum wait_signal {
	WAIT_STOP = 1,  /* INT, TERM, HUP: come to an end */
	WAIT_CHILD = 2, /* CHLD: a child may be reaped */
	WAIT_WINCH = 4  /* WINCH: the terminal has a new size */
};

/*
 * Ignores SIGPIPE, and takes back that SIGCHLD is ignored, which children would
 * be lost to. To be called once, at the start.
 */
void wait_start(void);

/*
 * Catches these signals (a mask of enum wait_signal) from now on, instead of
 * what they do by default. INT and HUP that were ignored when the process was
 * started (a shell's background job, nohup(1)) stay ignored. 0, or -1 with *e.
 */
int wait_catch(int mask, struct err *e);

/* Signals that came since the last call; takes them. */
int wait_taken(void);

/* The signal that asked to stop, or 0. It stays asked. */
int wait_stopped(void);

/*
 * How a server that goes on accepting ends, whose result is 0 or -1 with *e:
 * INT and TERM are its ordinary end, 0; after HUP it is -1 with EINTR, so that
 * it dies by the signal as everybody else does.
 */
int wait_server_result(int result, struct err *e);

/*
 * Polls count entries until one is ready, a caught signal comes or the
 * deadline passes. fds has room for one more entry behind the count given,
 * which is used here. Returns the number of ready entries, 0 when the
 * deadline has passed, or -1 with errno: EINTR for a caught signal (its bits
 * stay for wait_taken()), else poll's own.
 */
int wait_poll(struct pollfd *fds, nfds_t count, struct deadline until);

/* The same for one descriptor. */
int wait_fd(int fd, short events, struct deadline until);

/* Sleeps until the deadline: 0, or -1 with EINTR for a caught signal. */
int wait_until(struct deadline until);

/*
 * open(2) of a file to write to, close-on-exec; flags and mode are open's. A
 * FIFO that nobody reads is waited for until the deadline, or until a caught
 * signal asks to stop. The fd, the caller's, or -1 with *e: ERR_OUTPUT,
 * ERR_TIMEOUT, or ERR_FAILED with EINTR.
 */
int wait_open(const char *path, int flags, mode_t mode, struct deadline until,
    struct err *e);

/*
 * In a child that has been forked: caught signals do what they do by default,
 * those too that came since the fork, and the pipe is closed. SIGPIPE stays
 * ignored. The child does not outlive its parent, where the system sees to
 * that (net/spawn.h). The handlers are still there and see to it, since
 * most children never get a signal.
 */
void wait_child(void);

/*
 * In a child that is to become a program, even of vfork(2): every signal back
 * to its default, none blocked. Changes nothing in memory; so its parent has
 * called wait_find_ignored() before.
 */
void wait_reset_signals(void);
void wait_find_ignored(void);

/* Dies by the signal that asked to stop, as a shell expects it. */
void wait_die(void);

#endif
