/*
 * One direction of a relay: bytes from one descriptor to another. Neither
 * blocks and neither needs O_NONBLOCK, since stdin and stdout are shared with
 * other processes.
 *
 * Bytes take one of two paths. They are copied through a queue; or, where the
 * flow is allowed to and the kernel can, they are moved by splice(2) without
 * being copied into this process: directly when one end is a pipe, else
 * through an intermediate pipe. Moving pays off for large pieces and costs
 * more for small ones, so the size of recent pieces decides, continuously.
 * The flow changes paths only when nothing is held on the other one, so bytes
 * stay in order. Only read(2) reports the end of the input.
 *
 * Two more decisions have modules of their own: how much must have been
 * received before poll(2) returns (relay/low_water.h), and when small writes
 * are sent (relay/coalesce.h).
 */
#ifndef RELAY_FLOW_H
#define RELAY_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/fd.h"
#include "relay/coalesce.h"
#include "relay/low_water.h"

struct pollfd;

/* The most bytes that one flow holds. */
#define FLOW_SIZE (128 * 1024)

/* Either end of a flow; closed ends have fd -1. */
struct flow_end {
	int fd;
	enum fd_kind kind;
	int errnum; /* why it was closed, 0: end of file */
};

/* Receives a copy of what comes in, after --crlf. 0, or -1 to end the flow. */
typedef int flow_tap(void *context, const void *bytes, size_t n);

/* The path that moves bytes: splice(2). */
struct flow_move {
	bool is_possible; /* allowed, and not refused by the kernel so far */
	bool is_on;       /* new pieces are moved, not copied */
	bool is_blocked;  /* the last piece found out full; in is not empty */
	int inner[2]; /* the intermediate pipe; -1: none yet, or none needed */
	size_t held;  /* bytes in it */
	unsigned streak; /* pieces in a row whose size favours the other path */
	bool yields;     /* moves less at once, for the other direction */
};

struct flow {
	struct flow_end in, out;
	int terminal; /* another descriptor of out; -1: not needed */
	struct flow_move move;
	struct low_water water;   /* of in, where allowed */
	struct coalesce coalesce; /* of out, where allowed */
	flow_tap *tap;            /* NULL: none */
	void *context;            /* tap's */
	bool crlf;                /* LF becomes CRLF; a CRLF stays */
	bool last_was_cr;         /* the byte before this piece was CR */
	struct buf queue;         /* read, not yet written */
	uint64_t bytes;           /* written so far */
	int64_t last_ns;          /* when bytes last moved */
	uint64_t read_bytes;      /* bytes read so far */
	uint64_t left;            /* bytes that may still be read */
	int64_t read_ns;          /* when bytes were last read */
};

/* in or out may be -1: nothing comes, or what comes is dropped. storage has
 * FLOW_SIZE bytes and is the caller's. Release it. */
void flow_init(struct flow *f, int in, int out, void *storage);

/*
 * Permits moving large pieces. Only without a tap and crlf, and where each end
 * that is a socket is non-blocking.
 */
void flow_allow_move(struct flow *f);

/*
 * Permits setting TCP_NODELAY on out, a socket of this process alone; see
 * relay/coalesce.h.
 */
void flow_allow_coalesce(struct flow *f);

/*
 * Permits raising the low-water mark of in, a socket of this process alone; see
 * relay/low_water.h.
 */
void flow_allow_low_water(struct flow *f);

/* While much comes into the other flow of this process, f moves smaller pieces,
 * so that the other does not wait for long. */
void flow_yield(struct flow *f, const struct flow *other);

/* Reads only n more bytes, n > 0; then it is as if in had ended. */
void flow_limit(struct flow *f, uint64_t n);

/* Closes what the flow opened; its ends are the caller's. */
void flow_release(struct flow *f);

/* Whether poll(2) should look at an end. */
bool flow_wants_read(const struct flow *f);
bool flow_wants_write(const struct flow *f);

/* Nothing waits in it. */
bool flow_is_empty(const struct flow *f);

/* Everything that will ever come has been written, or cannot be. */
bool flow_is_done(const struct flow *f);

/*
 * The latest time to call flow_pump() again: until then the low-water mark may
 * hold back bytes of in, or coalescing bytes for out.
 */
struct deadline flow_deadline(const struct flow *f);

/*
 * One round: reads where poll(2) said of in that it can be, then writes where
 * out can be written to or where that is not known. in and out are what
 * poll(2) returned for the two ends. True when in came to its end just now.
 */
bool flow_pump(struct flow *f, short in, short out);

/*
 * Reads once, as much as there is space for, or moves it on. Returns the
 * count, 0 at the end, -1 with EAGAIN when nothing is there or out is full, or
 * with another errno that has ended an end; ECANCELED: the tap did.
 */
ssize_t flow_read(struct flow *f);

/*
 * Writes once, as much as is taken. Returns the count, or -1 with EAGAIN, or
 * with another errno that has ended the out side; what is queued then stays.
 */
ssize_t flow_write(struct flow *f);

/*
 * Appends bytes to the queue, as if they had been read. False, and nothing is
 * appended, where there is no space for all of them.
 */
bool flow_put(struct flow *f, const void *bytes, size_t n);

/* out is known to be broken, for the reason errnum. */
void flow_fail_output(struct flow *f, int errnum);

/* Whether the socket fd, f's out, has had an error since the last check; then
 * out is closed. */
bool flow_check_error(struct flow *f, int fd);

/* Sends what coalescing holds back: the peer may be waiting for it. */
void flow_flush(struct flow *f);

/* No more is read. */
void flow_stop_reading(struct flow *f);

/*
 * The same once everything that had arrived is read: p is what poll(2) returned
 * for in, after a send of the other direction had failed.
 */
void flow_stop_unless_readable(struct flow *f, const struct pollfd *p);

#endif
