/*
 * --retry-for: when to try again after a failed attempt, and what to report.
 * connector_open() repeats a connection, tester_run() a test, and
 * fetch/download.h a request.
 */
#ifndef DIAL_RECONNECT_H
#define DIAL_RECONNECT_H

#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/deadline.h"
#include "base/err.h"

/* At most this many distinct causes are remembered. */
#define RECONNECT_CAUSES 8

struct reconnect {
	/* The deadline of the caller (--max-time). */
	struct deadline until;
	/* When the attempts end: after --retry-for, but not after until. */
	struct deadline end;
	/* When the next attempt may begin. */
	struct deadline due;
	/* --retry-for, or -1. */
	int64_t ms;
	/* The pause before the next attempt. */
	struct backoff pause;
	/* The error of the previous attempt, or ERR_NONE. */
	struct err last;
	/* The hashes of the causes that were reported, and their number. */
	uint64_t causes[RECONNECT_CAUSES];
	size_t count;
};

/* Starts attempts for at most ms (-1: only one), not beyond until. */
void reconnect_start(struct reconnect *r, int64_t ms, struct deadline until);

/*
 * Call this after an attempt failed with *e, which may be temporary. Reports
 * each distinct cause once, and waits 50 ms, doubling up to 1 s. Returns 0 if
 * another attempt may be made, or -1 with *e: unchanged without --retry-for;
 * when that has passed, ERR_TIMEOUT with the text "WHAT within T; CAUSE", with
 * the text of r->last as CAUSE; the error of until; ERR_FAILED with EINTR after
 * a caught signal.
 */
int reconnect_wait(struct reconnect *r, const char *what, struct err *e);

/*
 * reconnect_wait() in two steps, for callers that also wait for other events:
 * reconnect_pause() sets r->due, when reconnect_resume() is to be called.
 */
int reconnect_pause(struct reconnect *r, const char *what, struct err *e);
int reconnect_resume(struct reconnect *r, const char *what, struct err *e);

#endif
