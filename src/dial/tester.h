/*
 * Tests whether endpoints are open: connects to each of them, once or again and
 * again, and closes the connections. Many attempts are in flight at a time.
 */
#ifndef DIAL_TESTER_H
#define DIAL_TESTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

struct connector_options;
struct endpoint;
struct err;

/* The caller owns what the members point to. Option rows fill some of them:
 * then int is a boolean. */
struct tester_options {
	/* The endpoints to test, at least one. */
	const struct endpoint *endpoints;
	size_t count;

	/* How to connect. A failed attempt is retried for its retry_ms. */
	const struct connector_options *connector;

	/* The deadline of the whole test (--max-time). */
	struct deadline until;

	/* How many attempts to make on each endpoint. 0: one attempt, or with
	 * an interval as many as there are until the test is interrupted. */
	int64_t attempts;

	/* The next attempt on an endpoint begins this long after the previous
	 * one began, but not before that has ended. -1: at once. */
	int64_t interval_ms;

	/* A summary of each endpoint is printed at the end. */
	int has_summary;

	/* The test ends as soon as one endpoint is open. Failures are reported
	 * only if none is. */
	int any;

	/* An attempt succeeds when nobody listens, and fails when the endpoint
	 * is open (--until closed). */
	int awaits_closed;

	/* The descriptor that print() writes to: when nobody can read from it
	 * any more, measurements end. */
	int output;

	/* Prints text, which is buffered. */
	void (*print)(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));

	/* Writes what was printed, and the events of --json. Returns 0, or -1
	 * with *e, which ends the test. */
	int (*flush)(struct err *e);
};

/*
 * Whether the options ask for more than one attempt or a summary. Then the
 * attempts are measurements: the round trip of each is printed as it ends,
 * failures are reported as errors only at the end, and an attempt that the
 * deadline cuts off is not recorded.
 */
bool tester_measures(const struct tester_options *o);

/*
 * Runs the test. Returns 0 if all endpoints passed, or one of them with any.
 * Otherwise returns -1 with *e. If there is a single endpoint, *e is its error.
 * If there are several, each failure was reported, and *e has no text, but the
 * kind of the worst failure, or with any of the best one (err_rank()). *e is
 * ERR_TIMEOUT if the deadline left endpoints untested; ERR_FAILED with EINTR
 * after a caught signal; ERR_NONE if nobody can read the output any more.
 */
int tester_run(const struct tester_options *o, struct err *e);

#endif
