/* Programs that are given a connection, or a datagram, as fds 0 and 1. */
#ifndef NET_PROGRAM_H
#define NET_PROGRAM_H

#include <sys/types.h>

#include "base/clock.h"

struct addr;
struct err;

/*
 * Starts argv[0] (looked for in PATH) with in as its fd 0 and out as its fd 1,
 * which it shares with the caller, default signal dispositions, and the
 * environment of UCSPI: PROTO, TCPLOCALIP, TCPLOCALPORT, TCPREMOTEIP,
 * TCPREMOTEPORT (for UDP the names begin with UDP, for unix sockets PROTO is
 * UNIX and UNIXLOCALPATH is set). No other descriptor of ours reaches it but
 * stderr. Returns its pid, which the caller reaps, or -1 with *e, whose
 * errnum tells 127 (ENOENT) from 126; see program_status().
 */
pid_t program_start(char *const *argv, int in, int out, const char *protocol,
    const struct addr *local, const struct addr *remote, struct err *e);

/* The shell's status for an errno of program_start(): 127 or 126. */
int program_errno_status(int errnum);

/* The shell's status for a status of waitpid(2): its own, or 128 + signal. */
int program_wait_status(int status);

/*
 * Waits for the program's end. When the deadline passes, or a caught signal
 * asks to stop, it gets SIGTERM, and SIGKILL two seconds later. Its shell
 * status, or -1 with *e: ERR_TIMEOUT, or ERR_FAILED with EINTR.
 */
int program_wait(pid_t pid, struct deadline until, struct err *e);

/* argv that runs CMD by way of sh -c; NULL-terminated storage for it. */
struct program_shell {
	char *argv[4];
};

char *const *program_shell(struct program_shell *s, const char *command);

#endif
