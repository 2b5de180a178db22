/*
 * One direction of a relay: bytes from a descriptor into a queue and on to
 * another. Neither blocks and neither needs O_NONBLOCK, for stdin and stdout
 * are shared with other processes.
 */
#ifndef NET_FLOW_H
#define NET_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/fd.h"

/* Bytes that wait in one flow at most. */
#define FLOW_SIZE (128 * 1024)

/* Either end of a flow; closed ends have fd -1. */
struct flow_end {
	int fd;
	enum fd_kind kind;
	int errnum; /* why it was closed, 0: end of file */
};

/* Sees bytes as they come in, after any change. 0, or -1 to end the flow. */
typedef int flow_see(void *context, const void *bytes, size_t n);

struct flow {
	struct flow_end in, out;
	flow_see *see;    /* NULL: nobody looks on */
	void *context;    /* see's */
	bool crlf;        /* LF becomes CRLF; a CRLF stays */
	bool last_was_cr; /* the byte before this piece was CR */
	struct buf queue; /* read, not yet written */
	uint64_t bytes;   /* written so far */
	int64_t last_ns;  /* when bytes last moved */
	uint64_t taken;   /* bytes read so far */
	int64_t read_ns;  /* when bytes were last read */
};

/* in or out may be -1: nothing comes, or what comes is dropped. storage has
 * FLOW_SIZE bytes and is the caller's. */
void flow_init(struct flow *f, int in, int out, void *storage);

/* Whether poll(2) should look at an end. */
bool flow_wants_read(const struct flow *f);
bool flow_wants_write(const struct flow *f);

/* Everything that will ever come has been written, or cannot be. */
bool flow_is_done(const struct flow *f);

/*
 * Reads once, as much as there is room for. Returns the count, 0 at the end,
 * -1 with EAGAIN when nothing is there, or with another errno that has ended
 * the in side; ECANCELED: see did.
 */
ssize_t flow_read(struct flow *f);

/*
 * Writes once, as much as is taken. Returns the count, or -1 with EAGAIN, or
 * with another errno that has ended the out side; what is queued then stays.
 */
ssize_t flow_write(struct flow *f);

/*
 * Puts bytes behind what is queued, as if they had been read. False, and
 * nothing put, where there is no room for all of them.
 */
bool flow_put(struct flow *f, const void *bytes, size_t n);

/* No more is read. */
void flow_stop_reading(struct flow *f);

#endif
