/*
 * Starting processes as cheaply as the system can: spawn_linux.c uses
 * the system's own calls, spawn_posix.c is the portable twin. Both
 * behave alike, but for speed; just one of them is linked.
 */
#ifndef NET_SPAWN_H
#define NET_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * As fork(2), for a process with a single thread: handlers of pthread_atfork
 * are left out, and so is what puts other threads' locks right.
 */
pid_t spawn_fork(void);

/* What a program is started with. */
struct spawn_program {
	char *const *argv; /* a name without '/' is looked for in PATH */
	char *const *environment;
	int in, out;    /* become its fds 0 and 1; neither is one of them */
	bool own_group; /* in a process group of its own, led by it */
};

/*
 * Starts it with every signal at its default, whatever we were started with,
 * and nothing blocked. 0 and *pid, which the caller reaps, or an errno.
 */
int spawn_program(const struct spawn_program *p, pid_t *pid);

/*
 * From now on what our children leave behind when they end are children of
 * ours: waitpid(2) tells of them. False where the system has no such thing.
 */
bool spawn_adopt(void);

/*
 * Memory that a child made by fork does not get, so that nothing of it has to
 * be copied for either: tables that only a parent uses. Grows or makes (old:
 * NULL, 0) it; new bytes are zero. NULL with errno, and the old is as it was.
 * A child must not touch it; in the portable twin it has a copy.
 */
void *spawn_own_memory(void *old, size_t old_size, size_t size);
void spawn_own_free(void *memory, size_t size);

/*
 * A descriptor that is readable once a child has ended, so that no handler
 * has to run; SIGCHLD is blocked from then on. spawn_read_child_events() is due
 * before they are reaped. -1 where the system has no such thing.
 */
int spawn_open_child_events(void);
void spawn_read_child_events(int fd);

#endif
