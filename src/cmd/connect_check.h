/*
 * connect -z: tests whether endpoints can be connected to, as many at the same
 * time as descriptors allow. A connection through a proxy or a program, or with
 * TLS, has a child process of its own. Also measures round trips.
 */
#ifndef CMD_CONNECT_CHECK_H
#define CMD_CONNECT_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/deadline.h"
#include "cli/opt.h"

struct connector_options;
struct endpoint;
struct err;

/* The options of a test: --any, --count, --interval, --stats, --until. */
extern const struct opt connect_check_opts[];

struct connect_check {
	const struct endpoint *endpoints;
	size_t count;
	const struct connector_options *connector;
	bool has_program;      /* it has stdout */
	struct deadline until; /* --max-time */
};

/* Whether each endpoint is connected to again and again, and timed. */
bool connect_check_measures(void);

/*
 * Connects to all endpoints and closes the connections. The caller catches
 * signals. Returns 0 if all were connected to (with --until closed: refused),
 * with --any one of them. Otherwise returns -1 with *e: the error of a single
 * endpoint, or no text, since each failure was reported. The status is that of
 * the worst failure, with --any of the best one (in sockt-connect(1), EXIT
 * STATUS).
 */
int connect_check_run(const struct connect_check *c, struct err *e);

#endif
