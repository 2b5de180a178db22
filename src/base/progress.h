/* The progress of a transfer, on the live line of a terminal (base/diag.h). */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

struct progress {
	bool shown;           /* Whether the live line is shown. */
	int64_t start_ns;     /* When the transfer began. */
	struct deadline next; /* When the line is to be updated next. */
	size_t width;         /* The columns of the last update. */
	size_t text; /* The longest text beside the bar at that width. */
};

/* Starts. The line is drawn only on a terminal, and only if it is wanted or if
 * an option requests it; then -q does not suppress it. */
void progress_start(struct progress *p, bool wanted, bool is_requested);

/* Draws a text at once, cut to the columns of the terminal; "" removes it. */
void progress_draw(struct progress *p, const char *text);

/* The time of the next update, for poll(2); never if nothing is drawn. */
struct deadline progress_next(const struct progress *p);

/* Removes the live line. */
void progress_stop(struct progress *p);

/* The progress of one direction of a transfer. */
struct progress_count {
	const char *verb; /* "sent " or "received ". */
	uint64_t done;    /* Bytes so far. */
	int64_t total;    /* Bytes in total; -1 if that is unknown. */
	/* Bytes that were there before; they are no part of the rate. */
	uint64_t skipped;
};

/*
 * Draws one or more directions on one line, if it is time: "[####------] 45 MiB
 * of 100 MiB (45%), 12 MiB/s, 5 s left". A bar as wide as the terminal allows
 * shows the first direction if its total is known, in place of the verb if it
 * is the only one. On a narrow terminal there is no bar, and the text is cut.
 */
void progress_update(
    struct progress *p, const struct progress_count *c, size_t count);

#endif
