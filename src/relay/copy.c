/* Copies a number of bytes from a connection to a sink. */
#include "relay/copy.h"

#include <errno.h>
#include <poll.h>

#include "base/err.h"
#include "relay/flow.h"
#include "net/sink.h"
#include "net/wait.h"

/* Indexes in the poll array. */
enum { POLL_CONNECTION, POLL_SINK, POLL_COUNT };

static void
start(struct flow *f, const struct copy *p)
{
	const struct sink *s = p->sink;

	flow_init(f, p->fd, s->kind == FD_NULL ? -1 : s->fd, p->storage);
	flow_limit(f, p->max_bytes);
	/*
	 * Other processes may share a socket that is stdout, and it may block.
	 */
	if (s->kind != FD_SOCKET)
		flow_allow_move(f);
}

static struct deadline
limit(const struct copy *p, const struct flow *f)
{
	return deadline_first(p->until,
	    deadline_limit_from(f->last_ns, p->idle.ms, p->idle.option));
}

/* Waits until the flow can continue. Returns as wait_poll(). */
static int
wait_flow(const struct copy *p, const struct flow *f, struct pollfd *fds)
{
	fds[POLL_CONNECTION] = (struct pollfd){
	    .fd = flow_wants_read(f) ? f->in.fd : -1, .events = POLLIN};
	fds[POLL_SINK] = (struct pollfd){
	    .fd = flow_wants_write(f) ? f->out.fd : -1, .events = POLLOUT};
	return wait_poll(fds, POLL_COUNT,
	    deadline_first(limit(p, f), deadline_after(p->tick_ms)));
}

static enum copy_end
end_of(const struct copy *p, const struct flow *f, struct err *e)
{
	if (f->out.errnum != 0) {
		sink_refused(p->sink, f->out.errnum, e);
		return COPY_FAILED;
	}
	if (f->in.errnum != 0) {
		errno = f->in.errnum;
		return COPY_LOST;
	}
	return f->read_bytes == p->max_bytes ? COPY_DONE : COPY_ENDED;
}

/* Returns the result when a timeout has expired. */
static enum copy_end
timed_out(const struct copy *p, const struct flow *f, struct err *e)
{
	if (flow_wants_read(f))
		return COPY_SILENT;
	sink_late(p->sink, limit(p, f), e);
	return COPY_FAILED;
}

/* Polls and pumps until the flow ends. */
static enum copy_end
run(const struct copy *p, struct flow *f, struct err *e)
{
	struct pollfd fds[POLL_COUNT + 1];
	uint64_t read_bytes;

	while (!flow_is_done(f)) {
		if (wait_flow(p, f, fds) < 0) {
			err_sys(e, ERR_FAILED, errno, "receiving");
			return COPY_FAILED;
		}
		if (deadline_passed(limit(p, f)))
			return timed_out(p, f, e);
		read_bytes = f->read_bytes;
		flow_pump(
		    f, fds[POLL_CONNECTION].revents, fds[POLL_SINK].revents);
		p->progress(p->context, (size_t)(f->read_bytes - read_bytes));
	}
	return end_of(p, f, e);
}

enum copy_end
copy_run(const struct copy *p, struct err *e)
{
	enum copy_end end;
	struct flow f;
	int errnum;

	start(&f, p);
	end = run(p, &f, e);
	errnum = errno;
	/* A write to a regular file never blocks: write the queued data. */
	while (p->sink->kind == FD_REGULAR && f.out.errnum == 0 &&
	       !flow_is_empty(&f) && flow_write(&f) > 0)
		continue;
	p->sink->bytes += f.bytes;
	flow_release(&f);
	errno = errnum;
	return end;
}
