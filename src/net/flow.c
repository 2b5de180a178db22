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

ssize_t
flow_read(struct flow *f)
{
	size_t room;
	unsigned char *space = buf_space(&f->queue, &room);
	ssize_t n;

	n = f->in.kind == FD_SOCKET ? recv(f->in.fd, space, room, MSG_DONTWAIT)
				    : read(f->in.fd, space, room);
	if (n > 0) {
		f->last_ns = clock_now();
		if (f->out.fd < 0)
			f->bytes += (uint64_t)n;
		else
			buf_added(&f->queue, (size_t)n);
		return n;
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
