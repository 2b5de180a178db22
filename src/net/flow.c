#include "net/flow.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/fast.h"

static void
end_init(struct flow_end *end, int fd)
{
	end->fd = fd;
	end->kind = fd < 0 ? FD_OTHER : fd_kind(fd);
	end->errnum = 0;
}

void
flow_init(struct flow *f, int in, int out, void *storage)
{
	memset(f, 0, sizeof(*f));
	end_init(&f->in, in);
	end_init(&f->out, out);
	buf_init(&f->queue, storage, FLOW_SIZE);
	f->last_ns = clock_now();
}

bool
flow_wants_read(const struct flow *f)
{
	return f->in.fd >= 0 && f->out.errnum == 0 &&
	       buf_length(&f->queue) < f->queue.size;
}

bool
flow_wants_write(const struct flow *f)
{
	return f->out.fd >= 0 && !buf_is_empty(&f->queue);
}

bool
flow_is_done(const struct flow *f)
{
	return f->out.errnum != 0 ||
	       (f->in.fd < 0 && (f->out.fd < 0 || buf_is_empty(&f->queue)));
}

static bool
is_transient(int errnum)
{
	return errnum == EAGAIN || errnum == EWOULDBLOCK || errnum == EINTR;
}

/* One read(2); for CRLF into the second half, so that it can grow. */
static ssize_t
read_some(struct flow *f, unsigned char *space, size_t room)
{
	if (f->crlf) {
		space += room - room / 2;
		room /= 2;
	}
	if (f->in.kind == FD_SOCKET)
		return recv(f->in.fd, space, room, MSG_DONTWAIT);
	return read(f->in.fd, space, room);
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

/* n bytes lie at the queue's end. 0, or -1 when see wants no more. */
static int
take(struct flow *f, const unsigned char *space, size_t n)
{
	f->last_ns = f->read_ns = clock_now();
	f->taken += n;
	if (f->out.fd < 0)
		f->bytes += (uint64_t)n;
	else
		buf_added(&f->queue, n);
	return f->see == NULL ? 0 : f->see(f->context, space, n);
}

ssize_t
flow_read(struct flow *f)
{
	size_t room;
	unsigned char *space = buf_space(&f->queue, &room);
	ssize_t n = read_some(f, space, room);

	if (n > 0) {
		if (f->crlf)
			n = (ssize_t)expand(f, space, room, (size_t)n);
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
		f->in.errnum = errno;
	f->in.fd = -1;
	return n;
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

ssize_t
flow_write(struct flow *f)
{
	ssize_t n = fast_write_nowait(f->out.fd, f->out.kind,
	    buf_bytes(&f->queue), buf_length(&f->queue));

	if (n >= 0) {
		buf_eat(&f->queue, (size_t)n);
		f->bytes += (uint64_t)n;
		f->last_ns = clock_now();
		return n;
	}
	if (is_transient(errno)) {
		errno = EAGAIN;
		return -1;
	}
	f->out.errnum = errno;
	f->out.fd = -1;
	return -1;
}

void
flow_stop_reading(struct flow *f)
{
	f->in.fd = -1;
}
