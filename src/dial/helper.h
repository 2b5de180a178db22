/*
 * A process that carries a connection: the program of --via, or the TLS of
 * --tls. sockt holds one end of a pair of unix sockets, the process the other.
 *
 * Its stderr is a pipe that sockt reads only while it waits for the process:
 * the first 64 KiB are kept, and because writing to it never blocks, a process
 * that writes more goes on. Nothing of it reaches the user unescaped.
 */
#ifndef DIAL_HELPER_H
#define DIAL_HELPER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/deadline.h"
#include "net/child.h"

struct err;

/* The longest line of stderr that is kept. */
#define HELPER_LINE 512

struct helper {
	struct child child; /* pid 0: not started, or reaped */
	int errors;         /* the end of its stderr that is read, or -1 */
	int hold; /* a copy of the connection: the process sees the end of its
		     input only after shutdown(2), not when sockt is killed or
		     abandons an incomplete transfer; or -1 */
	/* Called with each line of its stderr, unescaped, not empty. */
	void (*line)(void *context, const char *line);
	void *context;
	char text[HELPER_LINE]; /* the line that is being read */
	size_t length;
	size_t count; /* of the bytes read from stderr */
};

/* The descriptors of a process to be started; -1 after helper_close_ends(). */
struct helper_ends {
	int inner;  /* its end of the connection, blocking */
	int errors; /* becomes its stderr */
};

/*
 * Opens the pair of sockets and the pipe. Returns sockt's end of the
 * connection, non-blocking, which the caller owns; or -1 with *e.
 */
int helper_open(struct helper *h, struct helper_ends *ends, struct err *e);

/* Closes what belongs to the process, once it is started or has failed to. */
void helper_close_ends(struct helper_ends *ends);

/*
 * Waits for output on stderr and passes its lines to h->line. Returns 1; 0 if
 * it has ended, or the deadline has passed; or -1 with errno EINTR after a
 * caught signal.
 */
int helper_read(struct helper *h, struct deadline until);

/*
 * Waits for the process to exit, and terminates it (net/child.h) if it has not
 * by the deadline, or when a caught signal asks sockt to stop; then
 * h->child.is_ending is set. Passes on what is left on stderr. Returns the exit
 * status as a shell reports it, or -1 with errno.
 */
int helper_wait(struct helper *h, struct deadline until);

/* Terminates the process if it runs, and closes all descriptors of *h. */
void helper_release(struct helper *h);

#endif
