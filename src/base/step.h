/*
 * Steps (-vv): a line, or with --json a "step" event, for each call that the
 * socket tutorials teach, with its subject, its result, its duration and its
 * purpose.
 *
 *	CALL SUBJECT: RESULT, DURATION (NOTE)
 *
 * A step is shown when it happens. Of the sends of a socket, and of its
 * receives, the first eight are shown and those after a pause, then one line
 * that says so; ends and failures always are. Nothing is formatted and no clock
 * is read unless step_is_on(): step() and step_wait() do not even evaluate
 * their arguments.
 */
#ifndef BASE_STEP_H
#define BASE_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Whether steps are shown (-vv). */
bool step_is_on(void);

/* Returns the start time of a step: clock_now(), or 0 if steps are not shown.
 */
int64_t step_start(void);

/*
 * Reports a call of start_ns (step_start()) that returned result; a negative
 * one failed with errno, which is preserved, and its meaning replaces note,
 * what the call is for. fmt formats the subject. step_wait() reports that it
 * begins to wait: "CALL SUBJECT: waiting (NOTE)".
 */
#define step(...) (step_is_on() ? step_show(__VA_ARGS__) : (void)0)
#define STEP_WAITS (-1)
#define step_wait(call, ...) step(call, STEP_WAITS, 0, __VA_ARGS__)
void step_show(const char *call, int64_t start_ns, int64_t result,
    const char *note, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* The result of a send or receive. */
struct step_transfer {
	int fd;
	/* When the call began: step_start(). */
	int64_t start_ns;
	bool is_send;
	/* It moved one datagram, not a part of a stream. */
	bool is_dgram;
	/* How many bytes were to be sent, or the space to receive them. */
	size_t wanted;
	/* What the call returned; if that is -1, errno says why. */
	ssize_t done;
	/* What it is for, or NULL for what every transfer is for. */
	const char *note;
	/* The address that is shown after the socket, or NULL. */
	const char *peer;
};

/* Reports a send or receive on the socket that step_name() has named. */
void step_transfer(const struct step_transfer *t);

/* Names a socket "the listening socket", or "connection" with a number that is
 * not 0, if step_is_on(). name must stay valid; NULL removes the name. */
void step_name(int fd, const char *name, unsigned number);

/* Names the endpoint of all further steps of this process, one of several that
 * are tested at the same time. Copies text. */
void step_name_endpoint(const char *text);

/* Returns "the listening socket (fd 3)", in one of the buffers of text_slot().
 */
const char *step_name_of(int fd);

#endif
