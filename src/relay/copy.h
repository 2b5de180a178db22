/* Copies a number of bytes, or all bytes up to the end, from a connection to a
 * sink. The bytes are not inspected, so a flow can move them without a copy. */
#ifndef RELAY_COPY_H
#define RELAY_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

struct err;
struct sink;

/* Called with the number of bytes received since the last call, or 0. */
typedef void copy_progress(void *context, size_t n);

struct copy {
	int fd; /* the connection, a socket that no other process shares */
	struct sink *sink;     /* must not escape its output */
	void *storage;         /* FLOW_SIZE bytes */
	uint64_t max_bytes;    /* maximum to copy, not 0 */
	struct deadline until; /* deadline of the whole copy */
	struct limit idle;     /* without data */
	int64_t tick_ms; /* interval of progress; -1: only when bytes arrive */
	copy_progress *progress;
	void *context; /* progress's */
};

enum copy_end {
	COPY_DONE,   /* max_bytes are in the sink */
	COPY_ENDED,  /* all data up to the peer's FIN is in the sink */
	COPY_LOST,   /* the connection was lost: errno; all data received is in
			the sink */
	COPY_SILENT, /* a timeout expired while receiving */
	COPY_FAILED  /* *e as from sink_write() */
};

/* Runs the copy and updates sink->bytes. A file then contains the beginning of
 * the data received. */
enum copy_end copy_run(const struct copy *p, struct err *e);

#endif
