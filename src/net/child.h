/*
 * Child processes and their end: SIGTERM, a grace period, SIGKILL. Children
 * are reaped here.
 */
#ifndef NET_CHILD_H
#define NET_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/deadline.h"

/* How long a child may take to end after SIGTERM. */
#define CHILD_GRACE_MS 2000

struct child {
	pid_t pid;             /* 0: reaped, or never started */
	pid_t group;           /* the process group that it leads: signals go
				* to all of it; 0: it has none of its own */
	bool is_ending;        /* SIGTERM has been sent */
	struct deadline until; /* the time of the next call of child_end() */
};

/*
 * Sends SIGTERM and sets until to the end of the grace period; sends SIGKILL
 * when called again.
 */
void child_end(struct child *c);

/*
 * Reaps the child if it has ended. Then returns true and sets *status to the
 * shell's status, its own or 128 + signal; or to -1 with errno where somebody
 * else has reaped it.
 */
bool child_reap(struct child *c, int *status);

/*
 * Reaps any child that has ended. Returns its pid and the shell's status; 0
 * where all are running; or -1 with errno, ECHILD where there is none.
 */
pid_t child_reap_any(int *status);

/*
 * Waits for the child's end and reaps it. It is ended (child_end()) when until
 * passes, and when a caught signal asks to stop. Catch SIGNALS_CHILD before.
 * The shell's status, or -1 with errno where somebody else has reaped it.
 */
int child_wait(struct child *c);

/* Sends SIGKILL and reaps the child. Returns as child_wait(). */
int child_kill(struct child *c);

/* Whether any process is left in a group whose leader has been reaped. */
bool child_group_is_alive(pid_t group);

#endif
