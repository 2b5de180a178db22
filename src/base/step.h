/*
 * Steps (-vv): a line, or with --json a "step" event, for each call on a
 * socket: what it was done to, its result, how long it took, what it is for.
 *
 *	CALL SUBJECT: RESULT, DURATION (NOTE)
 *
 * Equal steps in a row are counted: the first is shown at once, the others as
 * one line before the next line of any kind, or when step_flush() is called.
 * Steps that alternate are counted once each has been shown STEP_SHOWN times.
 *
 * Nothing is formatted and no clock is read unless step_is_on().
 */
#ifndef BASE_STEP_H
#define BASE_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How many of the same steps are shown one by one while others come between. */
#define STEP_SHOWN 16

/* Whether steps are shown (-vv). */
bool step_is_on(void);

/* When a step begins: clock_now(), or 0 where no steps are shown. */
int64_t step_start(void);

struct step {
	const char *call;    /* the system call */
	int64_t start_ns;    /* by step_start() */
	int errnum;          /* how it failed; 0: it did not */
	const char *result;  /* shown in place of "ok", or NULL */
	const char *note;    /* what the call is for */
	const char *failure; /* what the failure means; NULL: as usual */
	bool is_query;       /* often repeated: only the first one is shown */
};

/* Reports a step; fmt is its subject. errno is left alone. */
void step_report(const struct step *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A step that waits begins: "CALL SUBJECT: waiting (NOTE)". */
void step_wait(const char *call, const char *note, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The result of a send or receive. */
struct step_transfer {
	const char *call;
	int fd;
	int64_t start_ns; /* by step_start() */
	bool is_send;
	bool is_dgram;    /* one datagram, not a part of a stream */
	size_t wanted;    /* bytes to send, or space for them */
	ssize_t done;     /* what the call returned */
	int errnum;       /* its errno, where done is -1 */
	const char *note; /* NULL: that of a stream */
	const char *peer; /* an address, shown after the socket, or NULL */
};

/* Reports a send or receive on the socket that step_name() has named. */
void step_transfer(const struct step_transfer *t);

/*
 * Names a socket from now on: "the listening socket", "connection" with a
 * number, where number is not 0. name is a string literal, or lives as long.
 * NULL takes the name away. Does nothing unless step_is_on().
 */
void step_name(int fd, const char *name, unsigned number);

/* "the listening socket (fd 3)", in a static buffer until the next call. */
const char *step_name_of(int fd);

/* Shows the steps that were counted, and counts anew. Before fork(2), and while
 * nothing happens. */
void step_flush(void);

/* Whether steps were counted that are not shown yet. */
bool step_is_pending(void);

#endif
