/* How far a transfer is, for the live line of a terminal. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

/* The live line is drawn at most this often. */
#define PROGRESS_PERIOD_MS 200

struct progress {
	bool shown;           /* there is a live line to draw on */
	int64_t start_ns;     /* when the transfer began */
	struct deadline next; /* when it is drawn again */
};

/* Begins. Nothing is ever drawn where wanted is false or stderr is no
 * terminal. */
void progress_start(struct progress *p, bool wanted);

/* True when it is time to draw: the caller makes a text and calls
 * progress_draw(). */
bool progress_is_due(const struct progress *p);
void progress_draw(struct progress *p, const char *text);

/* When it is due next; never, where nothing is drawn. For the poll. */
struct deadline progress_next(const struct progress *p);

/* Takes the live line away. */
void progress_end(struct progress *p);

/*
 * "sent 45.2 MiB of 1.0 GiB (4%), 120 MiB/s, 8 s left" into buf: verb, bytes
 * so far, of how many (-1: unknown, left out), over the time since start_ns.
 * skipped bytes were there before this run and do not count for the rate.
 * Returns buf.
 */
const char *progress_text(const struct progress *p, char *buf, size_t size,
    const char *verb, uint64_t done, int64_t total, uint64_t skipped);

/*
 * Draws both directions on one line: what was sent, of how many (-1: unknown),
 * and what was received.
 */
void progress_draw_both(
    struct progress *p, uint64_t sent, int64_t total, uint64_t received);

#endif
