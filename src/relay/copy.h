/*
 * A number of bytes, or all up to the end, from a connection to a sink without
 * a look at them: by a flow, so that they need not be copied.
 */
#ifndef RELAY_COPY_H
#define RELAY_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

struct err;
struct sink;

/* Told of n more bytes that were received; also of none, now and then. */
typedef void copy_tell(void *context, size_t n);

struct copy {
	int fd;                /* the connection, a socket of our own */
	struct sink *sink;     /* one that does not escape */
	void *storage;         /* FLOW_SIZE bytes */
	uint64_t most;         /* bytes to pass at most, not 0 */
	struct deadline until; /* end of everything */
	int64_t idle_ms;       /* no byte moves for so long; -1: any */
	int64_t tick_ms;       /* tell is called at least as often; -1: no */
	copy_tell *tell;
	void *context; /* tell's */
};

enum copy_end {
	COPY_DONE,   /* all are in the sink */
	COPY_ENDED,  /* all that came before the peer's end are */
	COPY_LOST,   /* so are those before the connection was lost: errno */
	COPY_SILENT, /* nothing came within a limit */
	COPY_FAILED  /* *e tells: as sink_write() */
};

/* Passes them on. What stands in a file then is the beginning of what came. */
enum copy_end copy_run(const struct copy *p, struct err *e);

#endif
