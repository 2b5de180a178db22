/*
 * --via CMD: a program is the connection, as with ProxyCommand in
 * ssh_config(5). sh -c runs CMD with %h and %p replaced by the host and the
 * port and %% by a percent sign; its stdin and stdout are a socket. The program
 * resolves the name.
 */
#ifndef DIAL_VIA_H
#define DIAL_VIA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"

struct endpoint;
struct err;
struct via;

struct via_command {
	const char *text; /* one that via_check() accepts */
	const struct endpoint *ep;
	bool may_stop;      /* the program need not exit by itself when the
			       connection is closed */
	int64_t timeout_ms; /* of via_wait(); -1: the default */
};

/*
 * Checks that command can be run for ep: there are no other percent signs, %p
 * is not used for a unix socket, and no shell or program can take the host for
 * something else. Returns 0, or -1 with ERR_USAGE.
 */
int via_check(const char *command, const struct endpoint *ep, struct err *e);

/*
 * Starts the program. Returns it, to be released with via_release(), and sets
 * *fd to the connection, non-blocking, which the caller owns; or returns NULL
 * with *e.
 */
struct via *via_start(
    const struct via_command *command, int *fd, struct err *e);

/*
 * Gives the program its timeout, or a second, in which it may fail, but not
 * longer than the deadline. It works if it still runs, has sent data or has
 * exited with status 0. Returns 0, or -1 with the error of via_end(),
 * ERR_TIMEOUT, or ERR_FAILED with EINTR.
 */
int via_wait(struct via *v, int fd, struct deadline until, struct err *e);

/*
 * Waits until the deadline for the program to exit after its connection has
 * been closed; only for a grace period if it has closed its side or may be
 * stopped. Returns 0 if it exits with status 0, or is stopped and may be; or -1
 * with *e and the last line of its stderr: ERR_LOST if it fails or has to be
 * terminated, 126 or 127 if the shell cannot run it.
 */
int via_end(struct via *v, struct deadline until, struct err *e);

/* Terminates the program if it runs, and frees v, which may be NULL. */
void via_release(struct via *v);

#endif
