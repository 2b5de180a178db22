/* One direction of a relay: moves bytes from one descriptor to another. */
#include "relay/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "net/os.h"
#include "relay/splice.h"
#include "net/sock.h"

/* Pieces of at least so many bytes are worth moving, */
#define MOVE_LEAST (32 * 1024)
/* when so many came in a row. */
#define MOVE_AFTER 2
/* Pieces under this are better copied, */
#define COPY_BELOW (12 * 1024)
/* when so many came in a row. */
#define COPY_AFTER 8
/* A move to a socket takes as long as the peer's receiving: half as much at a
 * time lets the other direction go on. */
#define TURN (SPLICE_PIPE_SIZE / 2)

static void
end_init(struct flow_end *end, int fd)
{
	end->fd = fd;
	end->kind = fd < 0 ? FD_OTHER : fd_kind(fd);
	end->errnum = 0;
}

/*
 * A terminal that poll(2) calls writable may still block a write(2) half-way
 * (it is stopped, or nobody reads its other side), and O_NONBLOCK must not be
 * set on a descriptor that others share.
 */
static void
open_terminal(struct flow *f)
{
	f->terminal = -1;
	if (f->out.kind != FD_TERMINAL)
		return;
	f->terminal = fd_reopen(f->out.fd, O_WRONLY | O_NONBLOCK);
	if (f->terminal >= 0)
		f->out.fd = f->terminal;
}

void
flow_init(struct flow *f, int in, int out, void *storage)
{
	memset(f, 0, sizeof(*f));
	end_init(&f->in, in);
	end_init(&f->out, out);
	open_terminal(f);
	buf_init(&f->queue, storage, FLOW_SIZE);
	f->move.inner[0] = f->move.inner[1] = -1;
	low_water_init(&f->water, -1);
	coalesce_init(&f->gather, -1);
	f->left = UINT64_MAX;
	f->last_ns = clock_now();
}

/* Whether the kernel moves between the two ends without an inner pipe. */
static bool
is_direct(const struct flow *f)
{
	return splice_can_move(f->in.kind, f->out.kind);
}

void
flow_allow_move(struct flow *f)
{
	f->move.is_possible =
	    f->in.fd >= 0 && f->out.fd >= 0 &&
	    (is_direct(f) || (splice_can_move(f->in.kind, FD_PIPE) &&
				 splice_can_move(FD_PIPE, f->out.kind)));
}

void
flow_send_at_once(struct flow *f)
{
	if (f->out.kind == FD_SOCKET)
		coalesce_init(&f->gather, f->out.fd);
}

void
flow_hurry(struct flow *f)
{
	coalesce_end(&f->gather);
}

void
flow_allow_patience(struct flow *f)
{
	if (f->in.kind == FD_SOCKET)
		low_water_init(&f->water, f->in.fd);
}

void
flow_take_turns(struct flow *f, const struct flow *other)
{
	f->move.takes_turns = other->water.is_raised;
}

void
flow_limit(struct flow *f, uint64_t n)
{
	f->left = n;
}

void
flow_release(struct flow *f)
{
	low_water_lower(&f->water);
	fd_close(&f->move.inner[0]);
	fd_close(&f->move.inner[1]);
	fd_close(&f->terminal);
}

bool
flow_wants_read(const struct flow *f)
{
	if (f->in.fd < 0 || f->out.errnum != 0 || f->move.is_blocked)
		return false;
	if (f->move.is_on)
		return buf_is_empty(&f->queue);
	if (f->crlf)
		/* It needs room to grow into. */
		return buf_is_empty(&f->queue);
	return f->move.held == 0 && buf_length(&f->queue) < f->queue.size;
}

bool
flow_wants_write(const struct flow *f)
{
	return f->out.fd >= 0 &&
	       (!flow_is_empty(f) || (f->move.is_blocked && f->in.fd >= 0));
}

bool
flow_is_empty(const struct flow *f)
{
	return buf_is_empty(&f->queue) && f->move.held == 0;
}

bool
flow_is_done(const struct flow *f)
{
	return f->out.errnum != 0 ||
	       (f->in.fd < 0 && (f->out.fd < 0 || flow_is_empty(f)));
}

static bool
is_transient(int errnum)
{
	return errnum == EAGAIN || errnum == EWOULDBLOCK || errnum == EINTR;
}

/* n, or what may still be read. */
static size_t
at_most(const struct flow *f, size_t n)
{
	return f->left < n ? (size_t)f->left : n;
}

/* One read(2); for CRLF into the second half, so that it can grow. */
static ssize_t
read_some(struct flow *f, unsigned char *space, size_t room)
{
	size_t n;

	if (f->crlf) {
		space += room - room / 2;
		room /= 2;
	}
	if (f->out.fd < 0 && f->see == NULL && !f->crlf &&
	    f->in.kind == FD_SOCKET)
		return splice_drop(
		    f->in.fd, space, room, at_most(f, SPLICE_PIPE_SIZE));
	n = at_most(f, room);
	if (f->in.kind == FD_SOCKET)
		return recv(f->in.fd, space, n, MSG_DONTWAIT);
	return read(f->in.fd, space, n);
}

/* n bytes from the second half to the front, with CR before a bare LF. */
static size_t
expand(struct flow *f, unsigned char *space, size_t room, size_t n)
{
	const unsigned char *from = space + room - room / 2;
	size_t i, out = 0;

	for (i = 0; i < n; i++) {
		if (from[i] == '\n' && !f->last_was_cr)
			space[out++] = '\r';
		f->last_was_cr = from[i] == '\r';
		space[out++] = from[i];
	}
	return out;
}

struct deadline
flow_patience(const struct flow *f)
{
	struct deadline kept = coalesce_deadline(&f->gather);

	return flow_wants_read(f)
		   ? deadline_first(kept, low_water_deadline(&f->water))
		   : kept;
}

/* n bytes came in. */
static void
note_read(struct flow *f, size_t n)
{
	f->last_ns = f->read_ns = clock_now();
	low_water_note(&f->water, n, f->read_ns);
	f->taken += n;
	f->left -= n;
	if (f->left == 0)
		f->in.fd = -1;
}

/* n bytes lie at the queue's end now. 0, or -1 when see wants no more. */
static int
take(struct flow *f, const unsigned char *space, size_t n)
{
	if (f->out.fd < 0)
		f->bytes += (uint64_t)n;
	else
		buf_added(&f->queue, n);
	return f->see == NULL ? 0 : f->see(f->context, space, n);
}

/* Pieces are copied from now on. */
static void
stop_moving(struct flow *f)
{
	f->move.is_on = false;
	f->move.is_blocked = false;
	f->move.streak = 0;
}

/* Makes large pipes of those that are used. */
static void
start_moving(struct flow *f)
{
	struct flow_move *m = &f->move;

	m->streak = 0;
	if (!is_direct(f) && m->inner[0] < 0 && os_pipe(m->inner, true) < 0) {
		m->is_possible = false;
		return;
	}
	if (f->in.kind == FD_PIPE)
		splice_grow_pipe(f->in.fd);
	if (f->out.kind == FD_PIPE)
		splice_grow_pipe(f->out.fd);
	if (m->inner[1] >= 0)
		splice_grow_pipe(m->inner[1]);
	m->is_on = true;
}

/* A piece of n bytes went in: decides which way the next one takes. */
static void
judge(struct flow *f, size_t n)
{
	struct flow_move *m = &f->move;

	if (!m->is_possible)
		return;
	if (m->is_on ? n >= COPY_BELOW : n < MOVE_LEAST)
		m->streak = 0;
	else
		m->streak++;
	if (m->is_on && m->streak == COPY_AFTER)
		stop_moving(f);
	else if (!m->is_on && m->streak == MOVE_AFTER)
		start_moving(f);
}

/* What an end met has closed it. -1 with the errno. */
static int
end_failed(struct flow_end *end)
{
	end->errnum = errno;
	end->fd = -1;
	return -1;
}

/*
 * Whether it was out that failed. The inner pipe never does; of a pair that
 * is moved directly a pipe or a file to read from gives no errors, and a pipe
 * to write to just one.
 */
static bool
was_out(const struct flow *f)
{
	return is_direct(f) && (f->in.kind != FD_SOCKET || errno == EPIPE);
}

/* Nothing was moved: finds out what to do. -1 with errno. */
static int
not_moved(struct flow *f, ssize_t n, bool is_room)
{
	int errnum = n == 0 ? ENOTSUP : errno;

	if (errnum == ENOTSUP && n < 0)
		f->move.is_possible = false;
	if (is_transient(errnum) && !is_room) {
		f->move.is_blocked = true;
	} else if (is_transient(errnum) || errnum == ENOTSUP) {
		/* Somebody else was faster, out-of-band data is in the way,
		 * or it is the end: reading will tell. */
		stop_moving(f);
	} else {
		errno = errnum;
		return end_failed(was_out(f) ? &f->out : &f->in);
	}
	errno = EAGAIN;
	return -1;
}

/* How much a move may take. */
static size_t
move_size(const struct flow *f)
{
	return f->move.takes_turns && f->out.kind == FD_SOCKET
		   ? TURN
		   : SPLICE_PIPE_SIZE;
}

/*
 * Moves a piece from in to out, or into the inner pipe. is_room: there is
 * room where it goes, so that EAGAIN is not about that.
 */
static ssize_t
move_in(struct flow *f, bool is_room)
{
	struct flow_move *m = &f->move;
	bool direct = is_direct(f);
	ssize_t n = splice_move(f->in.fd, direct ? f->out.fd : m->inner[1],
	    at_most(f, move_size(f)));

	if (n <= 0)
		return not_moved(f, n, is_room);
	m->is_blocked = false;
	note_read(f, (size_t)n);
	if (direct) {
		f->bytes += (uint64_t)n;
		coalesce_note(&f->gather, (size_t)n, f->last_ns);
	} else
		m->held += (size_t)n;
	judge(f, (size_t)n);
	return n;
}

/* Reads into the queue. */
static ssize_t
copy_in(struct flow *f)
{
	size_t room, got;
	unsigned char *space = buf_space(&f->queue, &room);
	ssize_t n = read_some(f, space, room);

	if (n > 0) {
		got = (size_t)n;
		note_read(f, got);
		if (f->crlf)
			n = (ssize_t)expand(f, space, room, got);
		judge(f, got);
		if (take(f, space, (size_t)n) == 0)
			return n;
		errno = ECANCELED;
		n = -1;
	}
	if (n < 0 && is_transient(errno)) {
		errno = EAGAIN;
		return -1;
	}
	if (n < 0)
		return end_failed(&f->in);
	f->in.fd = -1;
	return 0;
}

ssize_t
flow_read(struct flow *f)
{
	if (f->move.is_on && buf_is_empty(&f->queue))
		return move_in(f, !is_direct(f) && f->move.held == 0);
	return copy_in(f);
}

bool
flow_put(struct flow *f, const void *bytes, size_t n)
{
	if (!buf_put(&f->queue, bytes, n))
		return false;
	if (f->see != NULL && f->see(f->context, bytes, n) < 0) {
		f->in.errnum = ECANCELED;
		f->in.fd = -1;
	}
	return true;
}

/* n bytes have gone out. */
static ssize_t
gone(struct flow *f, ssize_t n)
{
	f->bytes += (uint64_t)n;
	f->last_ns = clock_now();
	coalesce_note(&f->gather, (size_t)n, f->last_ns);
	return n;
}

/* Writes from the queue. */
static ssize_t
copy_out(struct flow *f)
{
	ssize_t n = os_write_nowait(f->out.fd, f->out.kind,
	    buf_bytes(&f->queue), buf_length(&f->queue));

	if (n >= 0) {
		buf_eat(&f->queue, (size_t)n);
		return gone(f, n);
	}
	if (!is_transient(errno))
		return end_failed(&f->out);
	errno = EAGAIN;
	return -1;
}

/* out takes nothing from a pipe: what is in the inner one is copied. */
static ssize_t
retreat(struct flow *f)
{
	size_t room;
	unsigned char *space = buf_space(&f->queue, &room);
	ssize_t n = read(f->move.inner[0], space, room);

	if (n <= 0)
		return end_failed(&f->out);
	f->move.held -= (size_t)n;
	buf_added(&f->queue, (size_t)n);
	return copy_out(f);
}

/* Moves from the inner pipe. */
static ssize_t
move_out(struct flow *f)
{
	struct flow_move *m = &f->move;
	ssize_t n;

	if (!m->is_possible)
		return retreat(f);
	n = splice_move(m->inner[0], f->out.fd, m->held);
	if (n > 0) {
		m->held -= (size_t)n;
		m->is_blocked = false;
		return gone(f, n);
	}
	if (n == 0 || errno == ENOTSUP) {
		m->is_possible = false;
		stop_moving(f);
		return retreat(f);
	}
	if (!is_transient(errno))
		return end_failed(&f->out);
	errno = EAGAIN;
	return -1;
}

ssize_t
flow_write(struct flow *f)
{
	if (!buf_is_empty(&f->queue))
		return copy_out(f);
	if (f->move.held > 0)
		return move_out(f);
	return move_in(f, true);
}

bool
flow_pump(struct flow *f, short in, short out)
{
	bool is_blocked, has_ended = false;

	if (in != 0 && flow_wants_read(f))
		has_ended = flow_read(f) == 0;
	else if (flow_wants_read(f) &&
		 deadline_passed(low_water_deadline(&f->water)))
		low_water_lower(&f->water);
	if (deadline_passed(coalesce_deadline(&f->gather)))
		coalesce_end(&f->gather);
	is_blocked = f->move.is_blocked && flow_is_empty(f);
	if (flow_wants_write(f) && (!is_blocked || out != 0))
		flow_write(f);
	return has_ended;
}

void
flow_lose_out(struct flow *f, int errnum)
{
	if (f->out.errnum == 0)
		f->out.errnum = errnum;
	f->out.fd = -1;
}

void
flow_stop_reading(struct flow *f)
{
	f->in.fd = -1;
	f->move.is_blocked = false;
}

void
flow_stop_unless_readable(struct flow *f, const struct pollfd *p)
{
	if (flow_wants_read(f) && p->fd >= 0 && p->revents == 0)
		flow_stop_reading(f);
}

bool
flow_meets_error(struct flow *f, int fd)
{
	int errnum = sock_error(fd);

	if (errnum != 0)
		flow_lose_out(f, errnum);
	return errnum != 0;
}
