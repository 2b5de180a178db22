/*
 * Signals that a command wants to know of. A handler notes the signal and
 * writes a byte into a pipe that every wait polls (net/wait.h), so none can
 * slip in between a check and the poll.
 */
#ifndef NET_SIGNALS_H
#define NET_SIGNALS_H

#include <stdbool.h>

struct err;

enum signals_mask {
	SIGNALS_STOP = 1, /* INT, TERM, HUP: come to an end */
	SIGNALS_CHILD = 2 /* CHLD: a child may be reaped */
};

/*
 * Ignores SIGPIPE, and sets SIGCHLD to its default, since children would be
 * lost while it is ignored. To be called once, at the start.
 */
void signals_init(void);

/*
 * Catches these signals (a mask of enum signals_mask) from now on, instead of
 * what they do by default. INT and HUP that were ignored when the process was
 * started (a shell's background job, nohup(1)) stay ignored. 0, or -1 with *e.
 */
int signals_catch(int mask, struct err *e);

/* The signals that came since the last call, as a mask; clears them. */
int signals_collect(void);

/* Whether signals_collect() would return any. */
bool signals_pending(void);

/*
 * For net/wait.h: the end of the pipe that becomes readable when a signal
 * comes, -1 before any is caught; and reading what earlier signals left in it.
 */
int signals_fd(void);
void signals_empty_pipe(void);

/* The signal that asked to stop, or 0. It is never cleared. */
int signals_stopped(void);

/*
 * How a server that goes on accepting ends, whose result is 0 or -1 with *e:
 * INT and TERM are its ordinary end, 0; after HUP it is -1 with EINTR, so that
 * it dies by the signal as every other command does.
 */
int signals_server_result(int result, struct err *e);

/*
 * In a child that has been forked: caught signals do what they do by default,
 * including those that came since the fork, and the pipe is closed. SIGPIPE
 * stays ignored. The child does not outlive its parent, where the system can
 * arrange that (os_follow_parent()). The handlers stay installed and
 * do all this, since most children never get a signal.
 */
void signals_after_fork(void);

/*
 * In a child that is to become a program, even of vfork(2): every signal back
 * to its default, none blocked. Changes nothing in memory, so the parent must
 * have called signals_find_ignored() before.
 */
void signals_reset(void);
void signals_find_ignored(void);

/* Dies by the signal that asked to stop, as a shell expects it. */
void signals_die(void);

#endif
