/* Programs that are given a connection, or a datagram, as fds 0 and 1. */
#ifndef NET_PROGRAM_H
#define NET_PROGRAM_H

#include <sys/types.h>

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

/* Waits for the program. Its shell status, or -1 with EINTR for a signal. */
int program_wait(pid_t pid);

#endif
