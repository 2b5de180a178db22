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
#include "base/step.h"
#include "net/os.h"
#include "relay/splice.h"
#include "net/sock.h"

/* Bytes are moved after four consecutive pieces of at least this size; from a
 * pipe, only if the pieces are larger once the pipe is enlarged. */
#define MIN_MOVE (32 * 1024)
#define MIN_MOVE_ENLARGED (64 * 1024)
#define MOVE_AFTER 4
/* Bytes are copied after eight consecutive pieces below this size. */
#define COPY_BELOW (12 * 1024)
#define COPY_AFTER 8

static void
end_init(struct flow_end *end, int fd)
{
	end->fd = fd;
	end->kind = fd < 0 ? FD_OTHER : fd_kind(fd);
	end->errnum = 0;
}

/*
 * A terminal that poll(2) reports writable may still block write(2) halfway (it
 * is stopped, or nobody reads its other side). O_NONBLOCK must not be set on a
 * descriptor that other processes share.
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
	f->left = UINT64_MAX;
	f->last_ns = clock_now();
}

/* Whether splice(2) needs no intermediate pipe. */
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
flow_limit(struct flow *f, uint64_t n)
{
	f->left = n;
}

void
flow_release(struct flow *f)
{
	fd_close(&f->move.inner[0]);
	fd_close(&f->move.inner[1]);
	fd_close(&f->terminal);
}

bool
flow_wants_read(const struct flow *f)
{
	if (f->in.fd < 0 || f->out.errnum != 0 || f->move.is_blocked)
		return false;
	if (f->move.is_on || f->crlf)
		/* The expansion needs an empty queue, too. */
		return buf_is_empty(&f->queue);
	return f->move.held == 0 && buf_length(&f->queue) <= f->queue.size / 2;
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

/* n, or the bytes left to read if fewer. */
static size_t
limited(const struct flow *f, size_t n)
{
	return f->left < n ? (size_t)f->left : n;
}

/* Reads once; with CRLF into the second half of space, which leaves room to
 * expand. */
static ssize_t
read_some(struct flow *f, unsigned char *space, size_t size)
{
	size_t n;

	if (f->crlf) {
		space += size - size / 2;
		size /= 2;
	}
	n = limited(f, size);
	if (f->in.kind == FD_SOCKET)
		return sock_recv(f->in.fd, space, n, MSG_DONTWAIT);
	return read(f->in.fd, space, n);
}

/*
 * Copies n bytes from the second half to the front, with CR before a bare LF.
 */
static size_t
expand(struct flow *f, unsigned char *space, size_t size, size_t n)
{
	const unsigned char *from = space + size - size / 2;
	size_t i, out = 0;

	for (i = 0; i < n; i++) {
		if (from[i] == '\n' && !f->last_was_cr)
			space[out++] = '\r';
		f->last_was_cr = from[i] == '\r';
		space[out++] = from[i];
	}
	return out;
}

/* Accounts for n bytes read. */
static void
note_read(struct flow *f, size_t n)
{
	f->last_ns = f->read_ns = clock_now();
	f->read_bytes += n;
	f->left -= n;
	if (f->left == 0)
		f->in.fd = -1;
}

/* Accounts for n bytes put at the queue's end. 0, or -1 when the tap ends the
 * flow. */
static int
enqueue(struct flow *f, const unsigned char *space, size_t n)
{
	if (f->out.fd < 0)
		f->bytes += (uint64_t)n;
	else
		buf_added(&f->queue, n);
	return f->tap == NULL ? 0 : f->tap(f->context, space, n);
}

/* Copies pieces from now on. */
static void
stop_moving(struct flow *f)
{
	f->move.is_on = false;
	f->move.is_blocked = false;
	f->move.streak = 0;
}

/* Moves pieces from now on; enlarges the pipes. */
static void
start_moving(struct flow *f)
{
	struct flow_move *m = &f->move;

	m->streak = 0;
	/* The writer pays for each page that is moved away: that pays off only
	 * if it is faster than copying, so that its pipe is filled again. */
	if (f->in.kind == FD_PIPE && !m->is_enlarged) {
		splice_grow_pipe(f->in.fd);
		m->is_enlarged = true;
		return;
	}
	if (!is_direct(f) && m->inner[0] < 0 && fd_pipe(m->inner, true) < 0) {
		m->is_possible = false;
		return;
	}
	if (f->out.kind == FD_PIPE)
		splice_grow_pipe(f->out.fd);
	if (m->inner[1] >= 0)
		splice_grow_pipe(m->inner[1]);
	m->is_on = true;
}

/* Selects the path of the next piece, after one of n bytes. */
static void
choose_path(struct flow *f, size_t n)
{
	struct flow_move *m = &f->move;
	size_t min = m->is_enlarged ? MIN_MOVE_ENLARGED : MIN_MOVE;

	if (!m->is_possible)
		return;
	m->streak = (m->is_on ? n < COPY_BELOW : n >= min) ? m->streak + 1 : 0;
	if (m->is_on && m->streak == COPY_AFTER)
		stop_moving(f);
	else if (!m->is_on && m->streak == MOVE_AFTER)
		start_moving(f);
}

/* Closes an end that failed with errno. Returns -1. */
static int
end_failed(struct flow_end *end)
{
	end->errnum = errno;
	end->fd = -1;
	return -1;
}

/*
 * Whether the error came from out. The intermediate pipe never fails. In a
 * direct move a pipe or file that is read gives no errors, and a pipe that is
 * written gives only EPIPE.
 */
static bool
was_out(const struct flow *f)
{
	return is_direct(f) && (f->in.kind != FD_SOCKET || errno == EPIPE);
}

/* Handles a splice(2) that moved nothing. Returns -1 with errno. */
static int
not_moved(struct flow *f, ssize_t n, bool has_space)
{
	int errnum = n == 0 ? ENOTSUP : errno;

	if (errnum == ENOTSUP && n < 0)
		f->move.is_possible = false;
	if (is_transient(errnum) && !has_space) {
		f->move.is_blocked = true;
	} else if (is_transient(errnum) || errnum == ENOTSUP) {
		/* Another process took the data, out-of-band data is next, or
		 * in is at its end: read(2) will show which. */
		stop_moving(f);
	} else {
		errno = errnum;
		return end_failed(was_out(f) ? &f->out : &f->in);
	}
	errno = EAGAIN;
	return -1;
}

/* Reports a splice(2) as a step: from in it is a receive, to out a send. The
 * size requested is not the amount available. */
static void
report_move(const struct flow *f, int64_t start, size_t size, ssize_t n)
{
	bool is_send = f->in.kind != FD_SOCKET;
	struct step_transfer t = {.fd = is_send ? f->out.fd : f->in.fd,
	    .start_ns = start,
	    .is_send = is_send,
	    .wanted = is_send && n > 0 ? (size_t)n : size,
	    .done = n,
	    .errnum = n < 0 ? errno : 0,
	    .note = "moved inside the system, without a copy"};

	/* After a move of nothing, or a refusal, read(2) follows and is
	 * reported. A move into the intermediate pipe is not a send. */
	if (n == 0 || (n < 0 && errno == ENOTSUP) ||
	    (is_send && (f->out.kind != FD_SOCKET || !is_direct(f))))
		return;
	step_transfer(&t);
}

/* Moves a piece from in to out, or into the intermediate pipe. has_space: the
 * destination is not full, so EAGAIN is about in. */
static ssize_t
move_in(struct flow *f, bool has_space)
{
	struct flow_move *m = &f->move;
	bool direct = is_direct(f);
	int64_t start = step_start();
	size_t size = limited(f, SPLICE_PIPE_SIZE);
	ssize_t n =
	    splice_move(f->in.fd, direct ? f->out.fd : m->inner[1], size);

	if (step_is_on())
		report_move(f, start, size, n);
	if (n <= 0)
		return not_moved(f, n, has_space);
	m->is_blocked = false;
	note_read(f, (size_t)n);
	if (direct)
		f->bytes += (uint64_t)n;
	else
		m->held += (size_t)n;
	choose_path(f, (size_t)n);
	return n;
}

/* Reads into the queue. */
static ssize_t
copy_in(struct flow *f)
{
	size_t size, got;
	unsigned char *space = buf_space(&f->queue, &size);
	ssize_t n = read_some(f, space, size);

	if (n > 0) {
		got = (size_t)n;
		note_read(f, got);
		if (f->crlf)
			n = (ssize_t)expand(f, space, size, got);
		choose_path(f, got);
		if (enqueue(f, space, (size_t)n) == 0)
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
	if (f->tap != NULL && f->tap(f->context, bytes, n) < 0) {
		f->in.errnum = ECANCELED;
		f->in.fd = -1;
	}
	return true;
}

/* Accounts for n bytes written. */
static ssize_t
note_written(struct flow *f, ssize_t n)
{
	f->bytes += (uint64_t)n;
	f->last_ns = clock_now();
	return n;
}

/* Writes from the queue. */
static ssize_t
copy_out(struct flow *f)
{
	ssize_t n = sock_write_nowait(f->out.fd, f->out.kind,
	    buf_bytes(&f->queue), buf_length(&f->queue));

	if (n >= 0) {
		buf_eat(&f->queue, (size_t)n);
		return note_written(f, n);
	}
	if (!is_transient(errno))
		return end_failed(&f->out);
	errno = EAGAIN;
	return -1;
}

/*
 * The kernel refuses to move to out: copies what the intermediate pipe holds.
 */
static ssize_t
fall_back_to_copy(struct flow *f)
{
	size_t size;
	unsigned char *space = buf_space(&f->queue, &size);
	ssize_t n = read(f->move.inner[0], space, size);

	if (n <= 0)
		return end_failed(&f->out);
	f->move.held -= (size_t)n;
	buf_added(&f->queue, (size_t)n);
	return copy_out(f);
}

/* Moves from the intermediate pipe. */
static ssize_t
move_out(struct flow *f)
{
	struct flow_move *m = &f->move;
	int64_t start = step_start();
	size_t held;
	ssize_t n;

	if (!m->is_possible)
		return fall_back_to_copy(f);
	held = m->held;
	n = splice_move(m->inner[0], f->out.fd, held);
	if (step_is_on() && f->out.kind == FD_SOCKET && n != 0)
		step_transfer(&(struct step_transfer){.fd = f->out.fd,
		    .start_ns = start,
		    .is_send = true,
		    .wanted = held,
		    .done = n,
		    .errnum = n < 0 ? errno : 0,
		    .note = "moved inside the system, without a copy"});
	if (n > 0) {
		m->held -= (size_t)n;
		m->is_blocked = false;
		return note_written(f, n);
	}
	if (n == 0 || errno == ENOTSUP) {
		m->is_possible = false;
		stop_moving(f);
		return fall_back_to_copy(f);
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
	is_blocked = f->move.is_blocked && flow_is_empty(f);
	if (flow_wants_write(f) && (!is_blocked || out != 0))
		flow_write(f);
	return has_ended;
}

void
flow_fail_output(struct flow *f, int errnum)
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
flow_check_error(struct flow *f, int fd)
{
	int errnum = sock_error(fd);

	if (errnum != 0)
		flow_fail_output(f, errnum);
	return errnum != 0;
}
