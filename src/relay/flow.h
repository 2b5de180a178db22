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
	int errnum; /* why it was closed, 0: end of file */
};

struct flow;

/* Receives a copy of the data read or written, after --crlf. Returns 0, or -1
 * to end the flow. */
typedef int flow_tap(const struct flow *f, const void *bytes, size_t n);

/* The path that moves bytes: splice(2), of a flow without tap and crlf. */
struct flow_move {
	bool is_possible; /* may be set, if each end that is a socket is
			     non-blocking; false once the kernel refuses */
	bool is_on;       /* new pieces are moved, not copied */
	bool is_blocked;  /* out was full, and in has data */
	bool is_enlarged; /* in, a pipe, was enlarged */
	int inner[2];     /* the intermediate pipe; -1: not open */
	size_t held;      /* bytes in it */
	unsigned streak;  /* consecutive pieces that favor this path */
};

struct flow {
	struct flow_end in, out;
	struct flow_move move;
	flow_tap *tap;       /* NULL: none */
	bool taps_output;    /* it gets what was written, not what was read */
	void *context;       /* the caller's, for tap */
	bool crlf;           /* LF becomes CRLF; a CRLF stays */
	bool last_was_cr;    /* the last byte of the previous piece was CR */
	struct buf queue;    /* bytes read but not yet written */
	uint64_t bytes;      /* bytes written so far */
	int64_t last_ns;     /* when bytes last moved */
	uint64_t read_bytes; /* bytes read so far */
	uint64_t left;       /* bytes that may still be read; may be set */
	struct rate *rate;   /* limits the reading; may be set; NULL: none */
};

/*
 * in or out may be -1: then there is no input, or the input is dropped. storage
 * has FLOW_SIZE bytes and stays the caller's. Call flow_release() afterwards.
 */
void flow_init(struct flow *f, int in, int out, void *storage);

/* Closes the descriptors that the flow opened; its ends stay the caller's. */
void flow_release(struct flow *f);

/* Whether to poll the end in for POLLIN, or out for POLLOUT. A flow that waits
 * for rate_next() of its limit does not want to read. */
bool flow_wants_read(const struct flow *f);
bool flow_wants_write(const struct flow *f);

/* Whether no data waits to be written. */
static inline bool
flow_is_empty(const struct flow *f)
{
	return buf_is_empty(&f->queue) && f->move.held == 0;
}

/* One round, by the revents of the two ends: reads if in is ready, then writes
 * if out may be. Returns true if this call read end of file. */
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
