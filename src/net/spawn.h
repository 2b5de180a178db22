/*
 * Starting processes as cheaply as the system can: spawn_linux.c uses the
 * system's own calls, spawn_posix.c is the portable twin. Both behave alike,
 * but for speed; one of them is linked.
 *
 * A forked child costs its page faults: each page that it writes is copied, as
 * is each page that its parent writes meanwhile, and the code that it runs is
 * mapped anew, 64 KiB at a time. Four things keep them few:
 *
 *	- spawn_fork() leaves out what the C library's fork() writes;
 *	- a child does not get the tables of its parent (spawn_own_memory());
 *	- the largest buffers of what both run are static: on the stack they
 *would put the frames of what they call on pages of their own;
 *	- the code of a server lies side by side (HOT in the Makefile).
 *
 * A connection of serve-hello takes 15 faults; without these it takes 26, and
 * 47 KiB instead of 20 while it is idle.
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
 * Starts it with every signal at its default, whatever sockt was started with,
 * and nothing blocked. 0 and *pid, which the caller reaps, or an errno.
 */
int spawn_program(const struct spawn_program *p, pid_t *pid);

/*
 * From now on processes whose parent, a child of this process, has ended become
 * its children, which waitpid(2) reaps. False where the system has no such
 * thing.
 */
bool spawn_adopt(void);

/*
 * Memory that a forked child does not get: tables that only a parent uses.
 * Grows it, or makes it (old: NULL, 0); new bytes are zero. NULL with errno,
 * and the old memory is as it was. A child must not touch it; in the portable
 * twin it has a copy.
 */
void *spawn_own_memory(void *old, size_t old_size, size_t size);
void spawn_own_free(void *memory, size_t size);

/*
 * A descriptor that is readable when a child has ended, so that no handler has
 * to run; SIGCHLD is blocked from then on. Call spawn_read_child_events()
 * before the children are reaped. -1 where the system has no such thing.
 */
int spawn_open_child_events(void);
void spawn_read_child_events(int fd);

#endif
