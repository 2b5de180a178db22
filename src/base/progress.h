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

/* Begins. Nothing is ever drawn if wanted is false or stderr is not a terminal.
 */
void progress_start(struct progress *p, bool wanted);

/* True when it is time to draw: the caller makes a text and calls
 * progress_draw(). */
bool progress_is_due(const struct progress *p);
void progress_draw(struct progress *p, const char *text);

/* When it is drawn next; never, if nothing is drawn. For the poll. */
struct deadline progress_next(const struct progress *p);

/* Takes the live line away. */
void progress_end(struct progress *p);

/* How far one direction of a transfer is. */
struct progress_count {
	const char *verb; /* "sent", "received" */
	uint64_t done;    /* bytes so far */
	int64_t total;    /* of how many, -1: unknown */
	uint64_t skipped; /* there before this run; do not count for the rate */
};

/*
 * Draws the progress bar, or the verb where the total is not known:
 * "[####------] 45 MiB of 100 MiB (45%), 12 MiB/s, 5 s left".
 */
void progress_draw_bar(struct progress *p, const struct progress_count *c);

/*
 * Draws both directions on one line: what was sent, of how many (-1: unknown),
 * and what was received.
 */
void progress_draw_both(
    struct progress *p, uint64_t sent, int64_t total, uint64_t received);

#endif
