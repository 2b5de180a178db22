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
 * PROC_GRACE_MS later. A forked child starts with an empty table and half the
 * grace period.
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
	/* Its connection is a socket pair: the stdin and stdout of a program.
	 */
	bool has_pair;
	/* The stderr of a program is a pipe, which the caller must read: see
	 * wait_start_reading(). */
	bool has_errors;
	/* The time until proc_terminate() is called; 0 and -1 mean never. */
	int64_t limit_ms;
};

struct proc {
	/* 0 once it has exited and was reaped. */
	pid_t pid;
	/* The process group that it leads; 0 if it leads none. */
	pid_t group;
	/* Its status once it was reaped, as a shell shows it: 128 + N for
	 * signal N. */
	int status;
	/* A signal has killed it. */
	bool is_killed;
	/* This end of the pair, non-blocking. Whoever closes it sets it to -1.
	 * In a forked child it is the other end, which is blocking. */
	int fd;
	/* The read end of its stderr, non-blocking; -1 if it is not a pipe. */
	int errors;
	/* It was terminated because limit_ms had passed. */
	bool is_late;
	/* proc_terminate() has sent SIGTERM. */
	bool is_ending;
	/* When the next signal is sent: the end of its limit, or of the grace
	 * period. */
	struct deadline until;

	/* Private to proc.c: how often proc_terminate() was called, and the
	 * place in the table. */
	unsigned kills;
	struct proc *next, **link;
};

/* A program to start. */
struct program {
	struct proc_options options;
	/* Its name, which is searched for in PATH, and its arguments. */
	char *const *argv;
	/* What becomes its stdin and stdout, unless options.has_pair is set.
	 * They stay open here. */
	int in, out;
	/* "TCP" or "UDP": its environment describes the connection of local
	 * and remote. NULL: it does not. */
	const char *protocol;
	const struct addr *local, *remote;
	/* More variables, "NAME=VALUE", up to a NULL; or NULL. */
	const char *const *variables;
};

/*
 * fork(2). Returns 0 in the child, which ends by _exit(2). Caught signals take
 * their default action there (net/signals.h), and the child is killed when its
 * parent exits, if the system supports it. Returns the child's pid in the
 * parent, or -1 with errno. Sets *result, which in the child has the child's
 * end of the pair; the caller frees it with proc_free().
 */
pid_t proc_fork(struct proc **result, const struct proc_options *o);

/* In a child of proc_fork(): closes the descriptor first and all after it. */
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

/* Checks the first word of a command of a shell, which names a program or a
 * builtin. Returns as proc_check(), and 0 if the command begins with any other
 * syntax. */
int proc_check_command(const char *command, struct err *e);

/* wait_poll() (net/wait.h) that does the work of the table, and returns 0 also
 * when a process has exited. */
int proc_poll(struct pollfd *fds, nfds_t count, struct deadline until);

/* Whether it was reaped and, after proc_terminate(), its group is empty. */
bool proc_has_ended(const struct proc *p);

/* Waits until it has exited and returns its status. Terminates it when the
 * deadline passes, or when a caught signal has asked sockt to stop. */
int proc_wait(struct proc *p, struct deadline until);

/* Sends SIGTERM to it and its group, which may outlive it. SIGKILL follows
 * after the grace period, or at the second call. */
void proc_terminate(struct proc *p);

/* Whether the group that it led still has processes after its exit. */
bool proc_group_lives(const struct proc *p);

/* Terminates the process and waits, unless it has exited: then its group
 * continues. Closes its descriptors, frees it and sets *p to NULL. *p may be
 * NULL. */
void proc_free(struct proc **p);

/* Terminates all processes of the table and their groups, and waits until they
 * have exited; frees none. */
void proc_terminate_all(void);

/* Whether orphaned descendants run, which may still use the connection, after
 * all processes of the table have exited. False if that is not known. */
bool proc_orphans_live(void);

#endif
