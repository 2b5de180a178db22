/*
 * --via: a connection through a program, which is beneath its link
 * (net/link.h).
 */
#ifndef DIAL_VIA_H
#define DIAL_VIA_H

#include <stdbool.h>

#include "base/deadline.h"

struct err;
struct link;

/*
 * Makes *l a connection through a program: sh -c command, with the other end of
 * the pair as stdin and stdout. Its stderr is reported at -v. name is the
 * peer's, for errors. may_stop: the program need not exit by itself when the
 * connection is closed. Returns 0, or -1 with *e.
 */
int via_open(struct link *l, const char *command, const char *name,
    bool may_stop, struct err *e);

/*
 * Waits until the deadline for the program to fail. Returns 0 if it still runs,
 * has sent data or has exited with status 0; or -1 with *e and *l closed.
 */
int via_check(struct link *l, struct deadline until, struct err *e);

#endif
