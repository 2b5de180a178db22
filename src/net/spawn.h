/*
 * Starts processes as cheaply as the system allows: spawn_linux.c uses Linux
 * system calls, spawn_posix.c is the portable twin. Both behave alike except
 * for speed; one of them is linked.
 *
 * The cost of a forked child is its page faults: each page that it or its
 * parent writes is copied, and the code that it runs is mapped again, 64 KiB at
 * a time. Seven measures reduce them:
 *
 *	- spawn_fork() omits what the C library's fork() writes;
 *	- the kernel does not write for restartable sequences (spawn_prepare());
 *	- a child does not inherit its parent's tables (spawn_private_memory());
 *	- the largest buffers that both use are static: on the stack they
 *	  would move the frames of their callees to further pages;
 *	- buffers on the stack of a child are small, unless it needs them;
 *	- what each child changes is thread-local: the thread's control block
 *	  is next to it, and fork(2) writes that;
 *	- the code of a server is contiguous (HOT in the Makefile).
 *
 * A connection of serve-hello -q takes 11 faults in both processes, and 23 with
 * its log lines; with musl, linked statically, 6 and 14. A fault costs as much
 * as 40 system calls.
 */
#ifndef NET_SPAWN_H
#define NET_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * fork(2) for a process with a single thread: it skips the handlers of
 * pthread_atfork() and the reset of other threads' locks.
 */
pid_t spawn_fork(void);

/*
 * Prepares a process that will fork often: drops what each fork would make
 * both processes copy.
 */
void spawn_prepare(void);

/* How to start a program. */
struct spawn_program {
	char *const *argv; /* a name without '/' is searched for in PATH */
	char *const *environment;
	int in, out;    /* become its fds first and first + 1; neither is one of
			   them */
	int first;      /* 0, or 6 for UCSPI */
	int errors;     /* becomes its fd 2; 0: it inherits that of sockt */
	bool new_group; /* it leads a new process group */
};

/*
 * Starts it with every signal at its default and none blocked, however sockt
 * was started. Returns 0 and sets *pid, which the caller reaps; or returns an
 * errno.
 */
int spawn_program(const struct spawn_program *p, pid_t *pid);

/*
 * Replaces this process by a program, as execve(2) does; a name without '/' is
 * searched for in PATH. Returns only on failure, with an errno.
 */
int spawn_replace(char *const *argv, char *const *environment);

/*
 * Makes this process adopt orphaned descendants, which waitpid(2) then reaps.
 * Returns false if the system does not support it.
 */
bool spawn_adopt(void);

/*
 * Allocates memory that a forked child does not inherit, for tables that only
 * the parent uses. old is resized, or NULL with old_size 0; new bytes are zero.
 * Returns NULL with errno and the old memory unchanged. A child must not access
 * it; in the portable twin the child has a copy.
 */
void *spawn_private_memory(void *old, size_t old_size, size_t size);
void spawn_private_free(void *memory, size_t size);

/*
 * Opens a descriptor that is readable when a child has exited, so that no
 * handler has to run; SIGCHLD is blocked afterwards. Call
 * spawn_read_child_events() before reaping the children. Returns -1 if the
 * system does not support it.
 */
int spawn_open_child_events(void);
void spawn_read_child_events(int fd);

#endif
