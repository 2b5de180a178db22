/*
 * Child processes: programs, and forked copies of sockt (a handler, a name
 * lookup, a test). All that a process has started stand in one table; nobody
 * else calls fork(2), execve(2), waitpid(2) or kill(2).
 *
 *	p = proc_start(&program, &options, e);
 *	while (!proc_has_ended(p))
 *		proc_poll(fds, count, until);
 *	status = p->status;
 *	proc_free(&p);
 *
 * proc_poll() and proc_wait() reap whatever has exited, and end what has to
 * end, with all that it started: SIGTERM, and SIGKILL PROC_GRACE_MS later. A
 * forked copy begins with an empty table, and half of that time.
 */
#ifndef NET_PROC_H
#define NET_PROC_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"

struct addr;
struct err;

/* How long a process may take to exit after SIGTERM. */
#define PROC_GRACE_MS 2000

/* How to start a process. Each may be zero; NULL is as all zero. */
struct proc_options {
	/* It leads a session, whose process group gets the signals, and has no
	 * terminal: an interactive shell would be stopped when it wants that.
	 * Otherwise it stays in the group of sockt, where Ctrl-C reaches it. */
	bool leads_group;
	/* Its connection is a socket pair: a program's stdin and stdout. */
	bool has_pair;
	/* A program's stderr is a pipe. What does not fit is lost: it never
	 * blocks the process. */
	bool has_errors;
	int64_t limit_ms; /* proc_end() is called after this time; 0 or -1:
			     never */
};

struct proc {
	pid_t pid;      /* 0: it has exited and was reaped */
	pid_t group;    /* that it leads; 0: none */
	int status;     /* then its exit status as a shell reports it, 128 + N
			   for signal N */
	bool is_killed; /* by a signal */
	int fd;         /* sockt's end of the pair, non-blocking; whoever closes
			   it sets it to -1. A forked copy has the other end,
			   blocking */
	int errors;     /* the end of stderr that is read, non-blocking; -1:
			   none */
	bool is_late;   /* it was ended because limit_ms had passed */
	bool is_ending; /* it was sent SIGTERM: by proc_end(), which was called
			   for limit_ms too, and by proc_wait() */
	struct deadline until; /* the time of the next signal: the limit, or the
				  end of the grace period */

	/* The table's own. */
	struct proc_options options;
	unsigned ends; /* calls of proc_end() */
	struct proc *next, **link;
};

/* A program. */
struct program {
	char *const *argv;    /* argv[0] is searched for in PATH */
	int in, out;          /* become its fds 0 and 1; shared with the caller;
				 unused with a pair */
	const char *protocol; /* "TCP" or "UDP": prefix of its variables; NULL:
				 none, it gets the environment of sockt */
	const struct addr *local, *remote;
	int errors; /* becomes its fd 2; 0: it is sockt's, or a pipe */
};

/*
 * Forks, as fork(2): returns 0 in the child, which ends by _exit(2); caught
 * signals take their default action there (net/signals.h), and it is killed
 * when its parent exits, if the system supports it. Returns its pid in the
 * parent, or -1 with errno. Sets *result, in the child to its own end of the
 * pair and of stderr; the caller frees it with proc_free().
 */
pid_t proc_fork(struct proc **result, const struct proc_options *o);

/* In a child of proc_fork(): closes the descriptor first and all above it. */
void proc_close_from(int first);

/*
 * Starts a program with default signal dispositions and the environment of
 * UCSPI: PROTO, TCPLOCALIP, TCPLOCALPORT, TCPREMOTEIP, TCPREMOTEPORT (for UDP
 * the names begin with UDP; for unix sockets PROTO is UNIX and UNIXLOCALPATH is
 * set). Of sockt's other descriptors it inherits stderr and what sockt itself
 * inherited; it gets SIGTERM when sockt
 * exits, if the system supports it. Returns it, to be freed with proc_free(),
 * or NULL with *e if there can be no process. If the program cannot be
 * executed, its process says why, and exits with the shell's status 127 or 126.
 */
struct proc *proc_start(
    const struct program *program, const struct proc_options *o, struct err *e);

/*
 * Replaces sockt by a program: same process, environment, stdin, stdout and
 * stderr; default signal dispositions, none blocked. Returns only on failure,
 * with -1 and *e: the shell's status 127 or 126, or ERR_FAILED with EINTR if a
 * caught signal has asked sockt to stop.
 */
int proc_replace(char *const *argv, struct err *e);

/* Storage for the argv of sh -c CMD, NULL-terminated. */
struct proc_shell {
	char *argv[4];
};

char *const *proc_shell(struct proc_shell *s, const char *command);

/*
 * Whether the program can be started, as far as one can see before: it is
 * found, and may be executed. Returns 0, or -1 with *e: 127 or 126.
 */
int proc_check(char *const *argv, struct err *e);

/*
 * The same for the first word of a shell's command, if it is the name of a
 * program or of something that the shell has; otherwise returns 0.
 */
int proc_check_command(const char *command, struct err *e);

/*
 * Polls as wait_poll() (net/wait.h), does the work of the table, and returns 0
 * also when a process has exited. fds must have space for one more entry.
 */
int proc_poll(struct pollfd *fds, nfds_t count, struct deadline until);

/*
 * Whether it has exited and was reaped; one that was ended, whether its group
 * has gone too.
 */
bool proc_has_ended(const struct proc *p);

/*
 * How many processes of the table have exited so far: while it is the same, and
 * none is ending, none has.
 */
unsigned proc_exits(void);

/*
 * Waits for its end and returns its status. Calls proc_end() when the deadline
 * passes, and when a caught signal has asked sockt to stop.
 */
int proc_wait(struct proc *p, struct deadline until);

/*
 * Sends SIGTERM to it and its group; SIGKILL follows when the grace period has
 * passed, or at the second call. Also ends what it has left of its group.
 */
void proc_end(struct proc *p);

/* Whether its group, which it led, still has processes after its end. */
bool proc_group_lives(const struct proc *p);

/*
 * Calls proc_end() if it has not ended, and waits until it has; removes it from
 * the table, closes its descriptors, frees it and sets *p to NULL. What a
 * process that has ended by itself has left of its group goes on. *p may be
 * NULL.
 */
void proc_free(struct proc **p);

/*
 * Ends all of the table, with what those that have ended by themselves have
 * left of their groups, and waits for them; they stay to be freed.
 */
void proc_end_all(void);

/*
 * Whether orphaned descendants of programs are running after all of the table
 * have exited, and so may still use their connection; false if the system
 * cannot report it.
 */
bool proc_orphans_live(void);

#endif
