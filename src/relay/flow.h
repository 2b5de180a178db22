/*
 * One direction of a relay: bytes from one descriptor to another. Neither
 * descriptor blocks and neither needs O_NONBLOCK, since other processes share
 * stdin and stdout.
 *
 * Bytes take one of two paths:
 *
 * - They are copied through a queue. It is filled when at least half of it is
 *   free, and written as soon as out accepts bytes: a reader that reads little
 *   at a time causes small writes, but not small receives.
 * - splice(2) moves them without a copy into this process: directly when one
 *   end is a pipe, as soon as in has data and out has room; otherwise through
 *   an intermediate pipe, which is filled when it is empty.
 *
 * Moving pays off for large pieces, so it begins after some of them, and lasts
 * until the kernel refuses one or in is at its end, which only read(2) reports.
 * The flow changes paths only when the other path holds no data, so bytes stay
 * in order.
 */
#ifndef RELAY_FLOW_H
#define RELAY_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/rate.h"

/* The maximum number of bytes in a flow's queue. */
#define FLOW_SIZE (128 * 1024)

/* Either end of a flow; closed ends have fd -1. */
struct flow_end {
	int fd;
	enum fd_kind kind;
	int errnum; /* Why it was closed; 0: it is open, or at end of file. */
};

struct flow;

/* Receives a copy of the data read or written, after --crlf. Returns 0, or -1
 * to end the flow. */
typedef int flow_tap(const struct flow *f, const void *bytes, size_t n);

/* The path that moves bytes: splice(2), of a flow without tap and crlf. */
struct flow_move {
	/* The caller sets it if each end that is a socket is non-blocking. The
	 * flow clears it when the kernel refuses. */
	bool is_possible;
	bool is_on;       /* New pieces are moved, not copied. */
	bool is_blocked;  /* The output was full while the input had data. */
	bool is_enlarged; /* The input is a pipe, and was enlarged. */
	int inner[2];     /* The ends of the intermediate pipe; -1: not open. */
	size_t held;      /* The intermediate pipe holds this many bytes. */
	unsigned streak;  /* This many pieces in a row were large. */
};

struct flow {
	struct flow_end in, out;
	struct flow_move move;
	/* The caller may set these after flow_init(). */
	flow_tap *tap;     /* It gets a copy of the data; NULL: no copy. */
	bool taps_output;  /* It gets the data written, not the data read. */
	void *context;     /* It finds the caller's data here. */
	bool crlf;         /* LF becomes CRLF; a CRLF stays. */
	uint64_t left;     /* At most this many bytes are still read. */
	struct rate *rate; /* Limits the reading; NULL: no limit. */

	/* The caller may read these. */
	struct buf queue;    /* The bytes read and not yet written. */
	uint64_t bytes;      /* This many were written so far, */
	uint64_t read_bytes; /* and this many read. */
	int64_t last_ns;     /* Bytes last moved at this time (clock_now()). */

	/* Only flow.c uses this. */
	bool last_was_cr; /* The previous piece ended in a CR. */
};

/*
 * in or out may be -1: then there is no input, or the input is dropped. storage
 * has FLOW_SIZE bytes and stays the caller's. Call flow_release() afterwards.
 */
void flow_init(struct flow *f, int in, int out, void *storage);

/* Closes the descriptors that the flow opened; its ends stay the caller's. */
void flow_release(struct flow *f);

/* Whether to poll in for POLLIN, or out for POLLOUT. flow_wants_read() is false
 * while rate_next() delays the next read. */
bool flow_wants_read(const struct flow *f);
bool flow_wants_write(const struct flow *f);

/* Whether no data waits to be written. */
static inline bool
flow_is_empty(const struct flow *f)
{
	return buf_is_empty(&f->queue) && f->move.held == 0;
}

/* Makes one round; in and out are the revents of the two ends. Reads if in is
 * ready, then writes if out may be. Returns whether it has read end of file. */
bool flow_pump(struct flow *f, short in, short out);

/* Appends bytes to the queue, as if they had been read. Returns how many of
 * them fitted. */
size_t flow_put(struct flow *f, const void *bytes, size_t n);

/* Marks out as failed with errnum. */
void flow_fail_output(struct flow *f, int errnum);

/* Stops reading from in. */
static inline void
flow_stop_reading(struct flow *f)
{
	f->in.fd = -1;
	f->move.is_blocked = false;
}

#endif
