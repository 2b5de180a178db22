/*
 * Child processes: programs, and forked copies of sockt (a handler, a name
 * lookup, a test). One table has all children of this process; no other module
 * calls fork(2), execve(2), waitpid(2) or kill(2).
 *
 *	p = proc_start(&program, e);
 *	while (!proc_has_ended(p))
 *		proc_poll(fds, count, until);
 *	status = p->status;
 *	proc_free(&p);
 *
 * proc_poll() and proc_wait() reap the children that have exited. They also
 * signal the process group of each child that must end: SIGTERM, and SIGKILL
 * PROC_GRACE_MS later. A forked copy begins with an empty table, and waits half
 * as long.
 */
#ifndef NET_PROC_H
#define NET_PROC_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"

struct addr;
struct err;

/* How long a process may take to exit after SIGTERM. */
#define PROC_GRACE_MS 2000

/* How to start a process. All fields may be zero. */
struct proc_options {
	/* It leads a session without a terminal, since an interactive shell
	 * would be stopped when it reads one. Signals go to its process group.
	 * Otherwise it stays in the group of sockt, where Ctrl-C reaches it. */
	bool leads_group;
	/* Its connection is a socket pair: a program's stdin and stdout. */
	bool has_pair;
	/* A program's stderr is a pipe, which the caller must read: see
	 * wait_start_reading(). */
	bool has_errors;
	int64_t limit_ms; /* time until proc_end(); 0 or -1: never */
};

struct proc {
	pid_t pid;      /* 0: it has exited and was reaped */
	pid_t group;    /* the process group that it leads; 0: none */
	int status;     /* once reaped, as of a shell: 128 + N for signal N */
	bool is_killed; /* a signal ended it */
	int fd;         /* sockt's end of the pair, non-blocking; whoever closes
			   it sets it to -1. A forked copy has the other end,
			   blocking */
	int errors;     /* the read end of its stderr, non-blocking; -1: none */
	bool is_late;   /* it was ended because limit_ms had passed */
	bool is_ending; /* proc_end() has sent SIGTERM */
	struct deadline until; /* of the next signal: limit or grace period */

	/* Private to proc.c. */
	unsigned ends; /* calls of proc_end() */
	struct proc *next, **link;
};

/* A program. */
struct program {
	struct proc_options options;
	char *const *argv;    /* argv[0] is searched for in PATH */
	int in, out;          /* its fds 0 and 1, shared; unused with a pair */
	const char *protocol; /* of its variables, "TCP" or "UDP"; NULL: none */
	const struct addr *local, *remote;
	const char *const *variables; /* more, "NAME=VALUE", up to a NULL; NULL:
					 none */
};

/*
 * fork(2). Returns 0 in the child, which ends by _exit(2). Caught signals take
 * their default action there (net/signals.h), and the child is killed when its
 * parent exits, if the system supports it. Returns the child's pid in the
 * parent, or -1 with errno. Sets *result, which in the child has the child's
 * end of the pair; the caller frees it with proc_free().
 */
pid_t proc_fork(struct proc **result, const struct proc_options *o);

/* In a child of proc_fork(): closes the descriptor first and all above it. */
void proc_close_from(int first);

/*
 * Starts a program with default signal dispositions and the environment of
 * UCSPI: PROTO, TCPLOCALIP, TCPLOCALPORT, TCPREMOTEIP, TCPREMOTEPORT (for UDP
 * the names begin with UDP; for Unix sockets PROTO is UNIX and UNIXLOCALPATH is
 * set). Variables of the connection on which sockt was started are removed. The
 * program also inherits stderr and the descriptors that sockt inherited. It
 * gets SIGTERM when sockt exits, if the system supports it. Returns a process
 * to be freed with proc_free(); or NULL with *e and its errno: the shell's
 * status 127 or 126 if the program cannot be executed, otherwise ERR_FAILED.
 */
struct proc *proc_start(const struct program *program, struct err *e);

/*
 * Replaces sockt by a program: same process, environment, stdin, stdout and
 * stderr; default signal dispositions, none blocked. Returns only on failure,
 * with -1 and *e: the shell's status 127 or 126, or ERR_FAILED with EINTR if a
 * caught signal has asked sockt to stop.
 */
int proc_replace(char *const *argv, struct err *e);

/* Sets argv to that of sh -c COMMAND, NULL-terminated, and returns it. */
char *const *proc_shell(char *argv[4], const char *command);

/* Checks that the program is found and may be executed. Returns 0, or -1 with
 * *e: 127 or 126. */
int proc_check(char *const *argv, struct err *e);

/* Checks the first word of a shell's command, which names a program or a
 * builtin. Returns as proc_check(), and 0 for any other syntax. */
int proc_check_command(const char *command, struct err *e);

/* wait_poll() (net/wait.h) that does the work of the table, and returns 0 also
 * when a process has exited. */
int proc_poll(struct pollfd *fds, nfds_t count, struct deadline until);

/* Whether it was reaped and, after proc_end(), whether its group is empty. */
bool proc_has_ended(const struct proc *p);

/* Waits for its end and returns its status. Calls proc_end() when the deadline
 * passes, or a caught signal has asked sockt to stop. */
int proc_wait(struct proc *p, struct deadline until);

/* Sends SIGTERM to it and its group, which may outlive it. SIGKILL follows
 * after the grace period, or at the second call. */
void proc_end(struct proc *p);

/* Whether its group, which it led, still has processes after its end. */
bool proc_group_lives(const struct proc *p);

/* Ends the process and waits; but if it has ended, its group continues. Closes
 * its descriptors, frees it and sets *p to NULL. *p may be NULL. */
void proc_free(struct proc **p);

/* Ends all processes of the table and their groups, and waits; frees none. */
void proc_end_all(void);

/* After all processes of the table have exited: whether orphaned descendants,
 * which may still use the connection, run. False if not known. */
bool proc_orphans_live(void);

#endif
