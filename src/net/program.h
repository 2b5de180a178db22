/* Programs that run with a connection or a datagram, or in sockt's place. */
#ifndef NET_PROGRAM_H
#define NET_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/deadline.h"

struct addr;
struct err;

/* What a program is started with. */
struct program {
	char *const *argv; /* argv[0] is searched for in PATH */
	int in, out;       /* become its fds 0 and 1; shared with the caller */
	const char *protocol; /* "TCP" or "UDP": prefix of its variables; NULL:
				 none, it gets the environment of sockt */
	const struct addr *local, *remote;
	bool new_group; /* in a process group of its own, led by it */
	bool is_ucspi;  /* in and out become fds 6 and 7; 0 and 1 are sockt's */
	int errors;     /* becomes its fd 2; 0: it inherits that of sockt */
};

/*
 * Starts *p with default signal dispositions and the environment of UCSPI:
 * PROTO, TCPLOCALIP, TCPLOCALPORT, TCPREMOTEIP, TCPREMOTEPORT (for UDP the
 * names begin with UDP; for unix sockets PROTO is UNIX and UNIXLOCALPATH is
 * set). Of the other descriptors it inherits only stderr, and with is_ucspi
 * stdin and stdout; it receives a signal when sockt exits (net/os.h).
 * Returns its pid, which the caller reaps, or -1 with *e if there can be no
 * process. If the program cannot be executed, its process says why, and exits
 * with the shell's status 127 or 126.
 */
pid_t program_start(const struct program *p, struct err *e);

/*
 * Replaces sockt by a program: same process, environment, stdin, stdout and
 * stderr; default signal dispositions, none blocked. Returns only on failure,
 * with -1 and *e: the shell's status 127 or 126, or ERR_FAILED with EINTR if a
 * caught signal has asked sockt to stop.
 */
int program_replace(char *const *argv, struct err *e);

/*
 * Waits for the program to exit, and terminates it (net/child.h) when the
 * deadline passes or a caught signal asks sockt to stop. Returns its shell
 * status, or -1 with *e set: ERR_TIMEOUT, or ERR_FAILED with EINTR.
 */
int program_wait(pid_t pid, struct deadline until, struct err *e);

/*
 * Whether descendants of programs still run after all programs have been
 * reaped, and so may still use their connection; false if the system cannot
 * report it (net/os.h). Call program_watch_descendants() before the first
 * program starts.
 */
void program_watch_descendants(void);
bool program_descendants_live(void);

/* Storage for the argv of sh -c CMD, NULL-terminated. */
struct program_shell {
	char *argv[4];
};

char *const *program_shell(struct program_shell *s, const char *command);

#endif
