/*
 * Copies a number of bytes, or all up to the end, from a connection to a sink
 * without inspecting them: by a flow, which can avoid the copy.
 */
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
	struct sink *sink;     /* one that does not escape */
	void *storage;         /* FLOW_SIZE bytes */
	uint64_t max_bytes;    /* the most to copy, not 0 */
	struct deadline until; /* end of everything */
	int64_t idle_ms;       /* longest time without a byte; -1: any */
	int64_t tick_ms; /* how often progress is called; -1: as bytes move */
	copy_progress *progress;
	void *context; /* progress's */
};

enum copy_end {
	COPY_DONE,   /* all are in the sink */
	COPY_ENDED,  /* all that came before the peer's end are */
	COPY_LOST,   /* so are those before the connection was lost: errno */
	COPY_SILENT, /* nothing came within a limit */
	COPY_FAILED  /* *e as in sink_write() */
};

/* Copies them. What a file then has is the beginning of what was received. */
enum copy_end copy_run(const struct copy *p, struct err *e);

#endif
