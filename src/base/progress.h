/* The progress of a transfer, on the live line of a terminal. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

/* The minimum time between two updates of the live line. */
#define PROGRESS_PERIOD_MS 200

struct progress {
	bool shown;           /* the live line is shown */
	int64_t start_ns;     /* when the transfer began */
	struct deadline next; /* time of the next update */
	size_t width;         /* columns of the last update */
	size_t text;          /* longest text beside the bar since then */
};

/* Starts. The line is drawn only on a terminal, and only if it is wanted, or if
 * an option requests it, which has effect with -q, too. */
void progress_start(struct progress *p, bool wanted, bool is_requested);

/* Draws a text at once. */
void progress_draw(struct progress *p, const char *text);

/* The time of the next update, for poll(2); never if nothing is drawn. */
struct deadline progress_next(const struct progress *p);

/* Removes the live line. */
void progress_end(struct progress *p);

/* The progress of one direction of a transfer. */
struct progress_count {
	const char *verb; /* "sent ", "received " */
	uint64_t done;    /* bytes so far */
	int64_t total;    /* bytes in total; -1: unknown */
	uint64_t skipped; /* bytes present before this transfer; not part of the
			     rate */
};

/*
 * Draws one or more directions on one line, if it is time: "[####------] 45 MiB
 * of 100 MiB (45%), 12 MiB/s, 5 s left". A bar shows the first direction if its
 * total is known; if there is only one, the bar replaces its verb. The bar is
 * as wide as the terminal allows. On a narrow terminal there is no bar, and the
 * text is cut.
 */
void progress_draw_counts(
    struct progress *p, const struct progress_count *c, size_t count);

#endif
