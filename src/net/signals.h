/* Catches signals. A handler records the signal and writes to a pipe that every
 * wait polls (net/wait.h): none is missed between a check and the poll. */
#ifndef NET_SIGNALS_H
#define NET_SIGNALS_H

#include <poll.h>
#include <stdbool.h>

struct err;

/*
 * Ignores SIGPIPE and SIGXFSZ, and catches FD_SIGNAL (base/fd.h). Sets SIGCHLD
 * to its default and unblocks it: children could not be reaped while it is
 * ignored, nor noticed while it is blocked. Call it once, at the start.
 */
void signals_init(void);

/*
 * Catches the signals that ask sockt to stop, INT, TERM and HUP, from now on.
 * INT and HUP stay ignored if they were ignored when the process was started (a
 * shell's background job, nohup(1)). Returns 0, or -1 with *e set.
 */
int signals_catch(struct err *e);

/* Forgets the caught signals that wait_poll() has reported. */
void signals_collect(void);

/*
 * For net/wait.h: polls count entries and the pipe, for which fds has space
 * after them. Returns how many of count are ready; 0 after the timeout; or -1
 * with errno: EINTR for a caught signal, until it is collected; ECHILD if
 * with_children is set, no entry is ready and a child has exited; EAGAIN if the
 * caller should poll again.
 */
int signals_poll(
    struct pollfd *fds, nfds_t count, int timeout_ms, bool with_children);

/*
 * For net/proc.h. After signals_catch_children(), which returns 0 or -1 with
 * errno, signals_poll() reports that a child has exited.
 * signals_collect_children() returns whether one has since the last call.
 */
int signals_catch_children(void);
bool signals_collect_children(void);

/* Returns the signal that asked sockt to stop, or 0. It is never cleared. */
int signals_stopped(void);

/* Returns how often sockt was asked to stop. Signals that come together count
 * as one. */
int signals_stop_count(void);

/*
 * Returns the result of an accepting server, where result is 0 or -1 with *e
 * set. INT and TERM are a normal end: 0. After HUP the result is -1 with EINTR,
 * so that the server dies by the signal, as every other command does.
 */
int signals_server_result(int result, struct err *e);

/* In a forked child: caught signals take their default action, including those
 * received since the fork. SIGPIPE and SIGXFSZ stay ignored. */
void signals_after_fork(void);

/* Before executing a program: resets every signal to its default, including
 * those that sockt found ignored, and unblocks all. */
void signals_reset(void);

/* Dies by a signal, as a shell expects. */
void signals_die(int number);

#endif
