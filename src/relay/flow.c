/* One direction of a relay: moves bytes from one descriptor to another. */
#include "relay/flow.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/step.h"
#include "net/os.h"
#include "net/sock.h"

/* Bytes are moved after four consecutive pieces of at least this size; from a
 * pipe, only if the pieces are larger once the pipe is enlarged. */
#define MIN_MOVE (32 * 1024)
#define MIN_MOVE_ENLARGED (64 * 1024)
#define MOVE_AFTER 4

void
flow_init(struct flow *f, int in, int out, void *storage)
{
	*f = (struct flow){.in = {in, sock_kind(in), 0},
	    .out = {out, sock_kind(out), 0},
	    .move.inner = {-1, -1},
	    .left = UINT64_MAX,
	    .last_ns = clock_now()};
	buf_init(&f->queue, storage, FLOW_SIZE);
}

/* Whether splice(2) needs no intermediate pipe. */
static bool
is_direct(const struct flow *f)
{
	return f->in.kind == FD_PIPE || f->out.kind == FD_PIPE;
}

void
flow_release(struct flow *f)
{
	fd_close(&f->move.inner[0]);
	fd_close(&f->move.inner[1]);
}

bool
flow_wants_read(const struct flow *f)
{
	if (f->in.fd < 0 || f->out.errnum != 0 || f->move.is_blocked ||
	    deadline_is_set(rate_next(f->rate)))
		return false;
	/* The expansion, and a message that must not be cut, also need an
	 * empty queue. */
	return f->move.held == 0 &&
	       buf_length(&f->queue) <=
		   (f->move.is_on || f->crlf || f->in.kind == FD_PACKETS
			   ? 0
			   : f->queue.size / 2);
}

bool
flow_wants_write(const struct flow *f)
{
	return f->out.fd >= 0 &&
	       (!flow_is_empty(f) || (f->move.is_blocked && f->in.fd >= 0));
}

static bool
is_transient(int errnum)
{
	return errnum == EAGAIN || errnum == EWOULDBLOCK || errnum == EINTR;
}

/* Closes an end that failed with errnum. */
static void
fail_end(struct flow_end *end, int errnum)
{
	if (end->errnum == 0)
		end->errnum = errnum;
	end->fd = -1;
}

static size_t
limited(const struct flow *f, size_t n)
{
	return rate_piece(f->rate, f->left < n ? (size_t)f->left : n);
}

static void
note_read(struct flow *f, size_t n)
{
	f->last_ns = clock_now();
	f->read_bytes += n;
	f->left -= n;
	rate_spend(f->rate, n);
	if (f->left == 0)
		f->in.fd = -1;
}

static void
note_written(struct flow *f, size_t n)
{
	f->bytes += n;
	f->last_ns = clock_now();
}

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
	/* Each page that is moved away costs the writer another one: that pays
	 * off only if the writer fills even a larger pipe. */
	if (f->in.kind == FD_PIPE && !m->is_enlarged) {
		os_grow_pipe(f->in.fd);
		m->is_enlarged = true;
		return;
	}
	if (!is_direct(f) && m->inner[0] < 0 && fd_pipe(m->inner, true) < 0) {
		m->is_possible = false;
		return;
	}
	if (f->out.kind == FD_PIPE)
		os_grow_pipe(f->out.fd);
	if (m->inner[1] >= 0)
		os_grow_pipe(m->inner[1]);
	m->is_on = true;
}

/* Selects the path of the next piece, after one of n bytes was copied. */
static void
choose_path(struct flow *f, size_t n)
{
	struct flow_move *m = &f->move;
	size_t min = m->is_enlarged ? MIN_MOVE_ENLARGED : MIN_MOVE;
	enum fd_kind in = f->in.kind, out = f->out.kind;

	if (m->is_on || !m->is_possible || f->out.fd < 0 || f->tap != NULL ||
	    f->crlf || in == FD_TERMINAL || in == FD_PACKETS ||
	    in == FD_OTHER || out == FD_TERMINAL || out == FD_PACKETS)
		return;
	m->streak = n >= min ? m->streak + 1 : 0;
	if (m->streak == MOVE_AFTER)
		start_moving(f);
}

/* Copies n bytes towards the front of the queue, with CR before a bare LF.
 * Returns the length. */
static size_t
expand(struct flow *f, unsigned char *to, const unsigned char *from, size_t n)
{
	size_t i, out = 0;

	for (i = 0; i < n; i++) {
		if (from[i] == '\n' && !f->last_was_cr)
			to[out++] = '\r';
		f->last_was_cr = from[i] == '\r';
		to[out++] = from[i];
	}
	return out;
}

/* Returns space for *size bytes, to be passed to enqueue(). With --crlf the
 * first half of the queue is left to the expansion. */
static unsigned char *
find_space(struct flow *f, size_t *size)
{
	unsigned char *space = buf_space(&f->queue, size);

	if (!f->crlf)
		return space;
	space += *size - *size / 2;
	*size /= 2;
	return space;
}

static void
tap(struct flow *f, const void *bytes, size_t n)
{
	if (f->tap != NULL && f->tap(f, bytes, n) < 0)
		fail_end(&f->in, ECANCELED);
}

/* Adds the n bytes that were put at a place to the queue; without an output
 * they are dropped, and after it has failed they are not counted. */
static void
enqueue(struct flow *f, const unsigned char *at, size_t n)
{
	size_t size;
	unsigned char *space = buf_space(&f->queue, &size);

	if (f->crlf)
		n = expand(f, space, at, n);
	if (f->out.errnum != 0)
		return;
	if (f->out.fd < 0)
		f->bytes += n;
	else
		buf_added(&f->queue, n);
	if (!f->taps_output)
		tap(f, space, n);
}

static void
copy_in(struct flow *f)
{
	size_t size;
	unsigned char *at = find_space(f, &size);
	ssize_t n;

	size = limited(f, size);
	n = sock_read_nowait(f->in.fd, f->in.kind, at, size);
	if (n < 0 && !is_transient(errno))
		fail_end(&f->in, errno);
	else if (n == 0)
		f->in.fd = -1;
	if (n <= 0)
		return;
	note_read(f, (size_t)n);
	choose_path(f, (size_t)n);
	enqueue(f, at, (size_t)n);
}

static void
copy_out(struct flow *f)
{
	ssize_t n = sock_write_nowait(f->out.fd, f->out.kind,
	    buf_bytes(&f->queue), buf_length(&f->queue));

	if (n < 0 && !is_transient(errno))
		fail_end(&f->out, errno);
	if (n < 0)
		return;
	if (f->taps_output)
		tap(f, buf_bytes(&f->queue), (size_t)n);
	buf_eat(&f->queue, (size_t)n);
	note_written(f, (size_t)n);
}

/* os_splice(), as a step of -vv if one end is a socket. */
static ssize_t
move_some(const struct flow *f, int in, int out, size_t n)
{
	int64_t start = step_start();
	ssize_t done = os_splice(in, out, n);
	bool is_send = out == f->out.fd && f->out.kind == FD_SOCKET,
	     is_recv = in == f->in.fd && f->in.kind == FD_SOCKET;

	/* After an empty or refused move, read(2) follows and is reported. How
	 * much in has is not known. */
	if (step_is_on() && (is_send || is_recv) && done != 0 &&
	    (done > 0 || errno != ENOTSUP))
		step_transfer(&(struct step_transfer){.fd = is_send ? out : in,
		    .start_ns = start,
		    .is_send = is_send,
		    .wanted = is_send && in == f->in.fd && done > 0
				  ? (size_t)done
				  : n,
		    .done = done,
		    .note = "moved inside the system, without a copy"});
	return done;
}

/* Moves a piece from in to out, or into the intermediate pipe. has_space: the
 * destination is not full, so EAGAIN is about in. */
static void
move_in(struct flow *f, bool has_space)
{
	struct flow_move *m = &f->move;
	bool direct = is_direct(f);
	ssize_t n = move_some(f, f->in.fd, direct ? f->out.fd : m->inner[1],
	    limited(f, OS_PIPE_SIZE));

	if (n > 0) {
		m->is_blocked = false;
		note_read(f, (size_t)n);
		if (direct)
			note_written(f, (size_t)n);
		else
			m->held += (size_t)n;
	} else if (n < 0 && is_transient(errno) && !has_space) {
		m->is_blocked = true;
	} else if (n == 0 || is_transient(errno) || errno == ENOTSUP) {
		/* Another process took the data, out-of-band data is next, or
		 * in is at its end: read(2) will show which. */
		m->is_possible = n == 0 || errno != ENOTSUP;
		stop_moving(f);
	} else if (f->in.kind == FD_SOCKET && errno == EPIPE) {
		/* The system looks at the pipe first, and refuses although
		 * there may be no data: writing fails only if there are some.
		 */
		stop_moving(f);
		copy_in(f);
	} else {
		/* The intermediate pipe never fails, and in a direct move a
		 * pipe or file that is read gives no errors. */
		fail_end(direct && f->in.kind != FD_SOCKET ? &f->out : &f->in,
		    errno);
	}
}

/* Moves bytes out of the intermediate pipe; copies them if the kernel refuses.
 */
static void
move_out(struct flow *f)
{
	struct flow_move *m = &f->move;
	unsigned char *space;
	size_t size;
	ssize_t n = 0;

	if (m->is_possible)
		n = move_some(f, m->inner[0], f->out.fd, m->held);
	if (n > 0) {
		m->held -= (size_t)n;
		note_written(f, (size_t)n);
		return;
	}
	if (n < 0 && errno != ENOTSUP) {
		if (!is_transient(errno))
			fail_end(&f->out, errno);
		return;
	}
	m->is_possible = false;
	stop_moving(f);
	space = buf_space(&f->queue, &size);
	n = read(m->inner[0], space, size);
	if (n <= 0) {
		fail_end(&f->out, n < 0 ? errno : EIO);
		return;
	}
	m->held -= (size_t)n;
	buf_added(&f->queue, (size_t)n);
	copy_out(f);
}

bool
flow_pump(struct flow *f, short in, short out)
{
	bool was_open = f->in.fd >= 0, is_waiting;

	if (in != 0 && flow_wants_read(f)) {
		if (f->move.is_on)
			move_in(f, !is_direct(f));
		else
			copy_in(f);
	}
	is_waiting = f->move.is_blocked && flow_is_empty(f) && out == 0;
	if (flow_wants_write(f) && !is_waiting) {
		if (!buf_is_empty(&f->queue))
			copy_out(f);
		else if (f->move.held > 0)
			move_out(f);
		else
			move_in(f, true);
	}
	return was_open && f->in.fd < 0 && f->in.errnum == 0;
}

size_t
flow_put(struct flow *f, const void *bytes, size_t n)
{
	size_t size;
	unsigned char *at = find_space(f, &size);

	if (n > size)
		n = size;
	memcpy(at, bytes, n);
	enqueue(f, at, n);
	return n;
}

void
flow_fail_output(struct flow *f, int errnum)
{
	fail_end(&f->out, errnum);
}
