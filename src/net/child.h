/*
 * Terminates child processes (SIGTERM, a grace period, SIGKILL) and reaps them.
 */
#ifndef NET_CHILD_H
#define NET_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/deadline.h"

/* How long a child may take to exit after SIGTERM. */
#define CHILD_GRACE_MS 2000
/*
 * No event reports that a process group has become empty: how often to check.
 */
#define CHILD_GROUP_MS 20

/*
 * fork(2), after steps that are still counted were reported (base/step.h). The
 * child takes its signals by signals_after_fork() first.
 */
pid_t child_fork(void);

struct child {
	pid_t pid;      /* 0: reaped, or not started */
	pid_t group;    /* the process group that it leads, which receives the
			   signals; 0: none */
	bool is_ending; /* SIGTERM has been sent */
	struct deadline until; /* the time of the next call of child_end() */
};

/*
 * Sends SIGTERM and sets until to the end of the grace period. The second call
 * sends SIGKILL.
 */
void child_end(struct child *c);

/*
 * Reaps the child if it has exited. Then returns true and sets *status to the
 * exit status as a shell reports it (128 + signal for a signal), or to -1 with
 * errno if another process has reaped it.
 */
bool child_reap(struct child *c, int *status);

/*
 * Reaps any child that has exited. Returns its pid and sets *status as above;
 * returns 0 if all are running, or -1 with errno, ECHILD if there is none.
 */
pid_t child_reap_any(int *status);

/*
 * Waits for the child to exit and reaps it. Calls child_end() when until
 * passes, and when a caught signal asks sockt to stop. The caller catches
 * SIGNALS_CHILD first. Returns the status as above, or -1 with errno if another
 * process has reaped the child.
 */
int child_wait(struct child *c);

/* Sends SIGKILL and reaps the child. Returns as child_wait(). */
int child_kill(struct child *c);

/* Whether a process group whose leader has been reaped still has processes. */
bool child_group_is_alive(pid_t group);

/* Sends SIGKILL to what is left of the group of a child that was reaped. */
void child_kill_group(const struct child *c);

/*
 * After child_end(), and after the child was reaped: waits for its group to
 * become empty, and kills it when the grace period has passed.
 */
void child_wait_group(const struct child *c);

#endif
