/*
 * One direction of a relay: bytes from one descriptor to another. Neither
 * blocks and neither needs O_NONBLOCK, for stdin and stdout are shared with
 * other processes.
 *
 * Bytes go one of two ways. They are copied into a queue and out of it; or,
 * where the flow may and the kernel can, they are moved without passing
 * through this process: directly when one end is a pipe, else by way of an
 * inner pipe. Moving pays for large pieces and costs for
 * small ones, so the size of the pieces decides, and goes on deciding. What
 * went in one way has gone out before the other way is taken: nothing is
 * overtaken. Only read(2) tells the end of the input.
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

/* The way past this process. */
struct flow_move {
	bool is_possible; /* allowed, and not refused by the kernel so far */
	bool is_on;       /* new pieces are moved, not copied */
	bool is_blocked;  /* the last piece found no room; in is not empty */
	int inner[2];     /* the inner pipe; -1: none yet, or none needed */
	size_t held;      /* bytes in it */
	unsigned streak;  /* pieces in a row that speak for the other way */
	bool takes_turns; /* the other direction has much to move too */
};

struct flow {
	struct flow_end in, out;
	int terminal; /* a descriptor of our own for out; -1: not needed */
	struct flow_move move;
	struct low_water water; /* of in, where we may */
	struct coalesce gather; /* of out, where we may */
	flow_see *see;          /* NULL: nobody looks on */
	void *context;          /* see's */
	bool crlf;              /* LF becomes CRLF; a CRLF stays */
	bool last_was_cr;       /* the byte before this piece was CR */
	struct buf queue;       /* read, not yet written */
	uint64_t bytes;         /* written so far */
	int64_t last_ns;        /* when bytes last moved */
	uint64_t taken;         /* bytes read so far */
	uint64_t left;          /* bytes that may still be read */
	int64_t read_ns;        /* when bytes were last read */
};

/* in or out may be -1: nothing comes, or what comes is dropped. storage has
 * FLOW_SIZE bytes and is the caller's. Release it. */
void flow_init(struct flow *f, int in, int out, void *storage);

/*
 * Lets large pieces be moved past this process. Only where nobody looks on
 * or changes them, and each end that is a socket is non-blocking.
 */
void flow_allow_move(struct flow *f);

/*
 * out, if it is a socket of our own, sends what it is given at once, but where
 * it may wait for more: see relay/coalesce.h. Then poll(2) may last until
 * flow_patience() at most.
 */
void flow_send_at_once(struct flow *f);

/*
 * in is a socket of our own, whose low-water mark may be raised while much
 * comes. Then poll(2) may last until flow_patience() at most.
 */
void flow_allow_patience(struct flow *f);

/* Of two flows that one process runs: while much comes into the other one, f
 * does not keep it waiting for long. */
void flow_take_turns(struct flow *f, const struct flow *other);

/* Only n more bytes are read, n > 0; then it is as if in had ended. */
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
 * Until when in may be called not readable although it holds bytes, or bytes
 * may be kept for out; none where neither is so.
 */
struct deadline flow_patience(const struct flow *f);

/*
 * One round: reads where poll(2) said of in that it can be, then writes where
 * out can be written to or where that is not known. in and out are what
 * poll(2) returned for the two ends. True when in came to its end just now.
 */
bool flow_pump(struct flow *f, short in, short out);

/*
 * Reads once, as much as there is room for, or moves it on. Returns the count,
 * 0 at the end, -1 with EAGAIN when nothing is there or it found no room, or
 * with another errno that has ended an end; ECANCELED: see did.
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

/* out is known to take nothing more, for the reason errnum. */
void flow_lose_out(struct flow *f, int errnum);

/* Whether the socket fd, f's out, has met an error since that was last asked;
 * then out takes nothing more. */
bool flow_meets_error(struct flow *f, int fd);

/* Somebody may wait for what is kept for out: it is sent. */
void flow_hurry(struct flow *f);

/* No more is read. */
void flow_stop_reading(struct flow *f);

/*
 * The same once everything that had come is read: p is what poll(2) returned
 * for in, after a send of the other direction had failed.
 */
void flow_stop_unless_readable(struct flow *f, const struct pollfd *p);

#endif
