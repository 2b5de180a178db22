#include "net/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "net/flow.h"
#include "net/sock.h"
#include "net/wait.h"

/* The state of one run. up goes to the socket, down comes from it. */
struct relay {
	int fd;
	const struct relay_options *o;
	struct flow up, down;
	bool finished;      /* we have sent FIN */
	bool out_finished;  /* a forwarder's other side got its FIN */
	bool peer_finished; /* the peer's FIN or reset came */
	enum relay_first first;
};

/* Places in the poll array. */
enum { POLL_SOCKET, POLL_IN, POLL_OUT, POLL_COUNT };

static void
note_first(struct relay *r, enum relay_first who)
{
	if (r->first == RELAY_NOBODY)
		r->first = who;
}

static bool
is_forwarder(const struct relay *r)
{
	return r->o->in >= 0 && r->o->in == r->o->out;
}

/* Own input has ended: says so to the peer when everything is sent. */
static void
finish_up(struct relay *r)
{
	if (r->up.in.fd >= 0 || r->finished || !flow_is_done(&r->up))
		return;
	if (r->o->in < 0)
		return;
	note_first(r, RELAY_US);
	if (r->up.out.errnum == 0 &&
	    (r->o->on_eof == RELAY_EOF_FIN || r->peer_finished))
		sock_finish(r->fd);
	r->finished = true;
}

/* The peer has ended: a forwarder passes that on. */
static void
finish_down(struct relay *r)
{
	if (!is_forwarder(r) || r->out_finished || !flow_is_done(&r->down))
		return;
	shutdown(r->o->out, SHUT_WR);
	r->out_finished = true;
}

static bool
is_over(const struct relay *r)
{
	if (r->down.out.errnum != 0 && !is_forwarder(r))
		return true;
	if (r->finished && r->o->on_eof == RELAY_EOF_QUIT)
		return true;
	if (!flow_is_done(&r->down))
		return false;
	if (r->o->on_peer_eof == RELAY_PEER_QUIT)
		return true;
	return flow_is_done(&r->up) && (r->finished || r->o->in < 0);
}

static void
set_poll(struct pollfd *p, int fd, short events)
{
	p->fd = events != 0 ? fd : -1;
	p->events = events;
	p->revents = 0;
}

static void
fill_poll(const struct relay *r, struct pollfd *fds)
{
	short events = 0;

	if (flow_wants_read(&r->down))
		events |= POLLIN;
	if (flow_wants_write(&r->up))
		events |= POLLOUT;
	set_poll(&fds[POLL_SOCKET], r->fd, events);
	set_poll(
	    &fds[POLL_IN], r->up.in.fd, flow_wants_read(&r->up) ? POLLIN : 0);
	set_poll(&fds[POLL_OUT], r->down.out.fd,
	    flow_wants_write(&r->down) ? POLLOUT : 0);
}

/* One read of own input and one write to the peer. */
static void
pump_up(struct relay *r, const struct pollfd *fds)
{
	if (fds[POLL_IN].revents != 0)
		flow_read(&r->up);
	else if (r->peer_finished && r->up.in.fd >= 0 &&
		 r->o->on_peer_eof == RELAY_PEER_DRAIN &&
		 fds[POLL_IN].events != 0)
		/* The input holds nothing more by now. */
		flow_stop_reading(&r->up);
	if (flow_wants_write(&r->up) && flow_write(&r->up) < 0 &&
	    errno != EAGAIN)
		/* What can still be read is read before this is acted on. */
		flow_stop_reading(&r->up);
	finish_up(r);
}

/* One read from the peer and one write to own output. */
static void
pump_down(struct relay *r, const struct pollfd *fds)
{
	if (fds[POLL_SOCKET].revents & (POLLIN | POLLHUP | POLLERR) &&
	    flow_wants_read(&r->down) && flow_read(&r->down) <= 0 &&
	    r->down.in.fd < 0) {
		r->peer_finished = true;
		note_first(r, RELAY_PEER);
	}
	if (flow_wants_write(&r->down))
		flow_write(&r->down);
	finish_down(r);
}

static struct deadline
idle_deadline(const struct relay *r)
{
	int64_t last =
	    r->up.last_ns > r->down.last_ns ? r->up.last_ns : r->down.last_ns;
	struct deadline d = {last + r->o->idle_ms * CLOCK_MS};

	return r->o->idle_ms < 0 ? deadline_none() : d;
}

/* Which limit it was. */
static int
limit_error(const struct relay *r, struct err *e)
{
	char took[32];

	if (deadline_passed(r->o->until))
		return err_set(e, ERR_TIMEOUT,
		    "the whole run took too long (--max-time); sent %llu "
		    "bytes, received %llu",
		    (unsigned long long)r->up.bytes,
		    (unsigned long long)r->down.bytes);
	return err_set(e, ERR_TIMEOUT,
	    "nothing was sent or received for %s (--idle-timeout); sent %llu "
	    "bytes, received %llu",
	    num_format_duration(took, sizeof(took), r->o->idle_ms * CLOCK_MS),
	    (unsigned long long)r->up.bytes, (unsigned long long)r->down.bytes);
}

/* Reads, writes and waits until it is over. */
static int
loop(struct relay *r, struct err *e)
{
	struct pollfd fds[POLL_COUNT + 1];
	struct deadline until;
	int ready;

	while (!is_over(r)) {
		until = deadline_first(r->o->until, idle_deadline(r));
		if (r->peer_finished && r->up.in.fd >= 0 &&
		    r->o->on_peer_eof == RELAY_PEER_DRAIN &&
		    flow_wants_read(&r->up))
			until = deadline_after(0);
		fill_poll(r, fds);
		ready = wait_poll(fds, POLL_COUNT, until);
		if (ready < 0)
			return err_sys(e, ERR_FAILED, errno, "relaying");
		if (deadline_passed(r->o->until) ||
		    deadline_passed(idle_deadline(r)))
			return limit_error(r, e);
		pump_up(r, fds);
		pump_down(r, fds);
	}
	return 0;
}

static int
lost_error(const struct relay *r, int errnum, struct err *e)
{
	return err_sys(e, ERR_LOST, errnum,
	    "the connection was lost after %llu bytes sent and %llu received",
	    (unsigned long long)r->up.bytes, (unsigned long long)r->down.bytes);
}

/* What the ends met, now that everything readable was read. */
static int
judge(const struct relay *r, struct err *e)
{
	int lost = r->up.out.errnum != 0 ? r->up.out.errnum : r->down.in.errnum;

	if (is_forwarder(r) && lost == 0)
		lost = r->down.out.errnum != 0 ? r->down.out.errnum
					       : r->up.in.errnum;
	if (is_forwarder(r))
		return lost == 0 ? 0 : lost_error(r, lost, e);
	if (r->down.out.errnum == EPIPE) {
		err_set(e, ERR_OUTPUT,
		    "stdout was closed by its reader after %llu bytes",
		    (unsigned long long)r->down.bytes);
		e->errnum = EPIPE;
		return -1;
	}
	if (r->down.out.errnum != 0)
		return err_sys(e, ERR_OUTPUT, r->down.out.errnum, "stdout");
	if (r->up.in.errnum != 0)
		return err_sys(e, ERR_OUTPUT, r->up.in.errnum, "stdin");
	return lost == 0 ? 0 : lost_error(r, lost, e);
}

int
relay_run(int fd, const struct relay_options *o, struct relay_result *result,
    struct err *e)
{
	unsigned char *storage = mem_array(2, FLOW_SIZE);
	struct relay r = {.fd = fd, .o = o};
	int status;

	flow_init(&r.up, o->in, fd, storage);
	flow_init(&r.down, fd, o->out, storage + FLOW_SIZE);
	status = loop(&r, e);
	if (status == 0)
		status = judge(&r, e);
	result->sent = r.up.bytes;
	result->received = r.down.bytes;
	result->first = r.first;
	result->reset = r.down.in.errnum == ECONNRESET ||
			r.up.out.errnum == ECONNRESET ||
			r.up.out.errnum == EPIPE;
	free(storage);
	return status;
}

void
relay_tell_closed(int level, const struct addr *local,
    const struct addr *remote, const struct relay_result *r, int64_t ns,
    int status)
{
	static const char *const names[] = {"nobody", "us", "peer"};
	char from[ADDR_TEXT], to[ADDR_TEXT], took[32];
	struct json j;

	diag_event_begin(&j, "closed");
	addr_json(local, &j, "local");
	addr_json(remote, &j, "remote");
	json_number(&j, "sent", (int64_t)r->sent);
	json_number(&j, "received", (int64_t)r->received);
	json_seconds(&j, "seconds", (double)ns / 1e9);
	json_text(&j, "first", names[r->first]);
	json_text(&j, "how", r->reset ? "reset" : "fin");
	json_number(&j, "status", status);
	diag_event_end(&j, level,
	    "closed %s from %s: sent %llu bytes, received %llu, in %s; %s%s",
	    addr_format(remote, to, sizeof(to)),
	    addr_format(local, from, sizeof(from)), (unsigned long long)r->sent,
	    (unsigned long long)r->received,
	    num_format_duration(took, sizeof(took), ns),
	    r->first == RELAY_US     ? "we finished first"
	    : r->first == RELAY_PEER ? "the peer finished first"
				     : "nobody finished",
	    r->reset ? ", reset" : "");
}
