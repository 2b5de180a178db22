#include "net/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "base/script.h"
#include "net/flow.h"
#include "net/sock.h"
#include "net/wait.h"

/* What makes an input a busy one, and how long its pauses may be. */
#define BUSY_BYTES (16 * 1024)
#define BUSY_MS INT64_C(2000)

/* How long the peer's last acknowledgement is waited for. */
#define CONFIRM_MS 2000

/* The state of one run. up goes to the socket, down comes from it. */
struct relay {
	int fd;
	const struct relay_options *o;
	struct flow up, down;
	bool finished;      /* we have sent FIN */
	bool out_finished;  /* a forwarder's other side got its FIN */
	bool peer_finished; /* the peer's FIN or reset came */
	enum summary_first first;
	struct deadline linger; /* end of the wait for the peer's end */
	struct err *e;          /* of the run, for see */
};

/* Places in the poll array. */
enum { POLL_SOCKET, POLL_IN, POLL_OUT, POLL_COUNT };

static void
note_first(struct relay *r, enum summary_first who)
{
	if (r->first == FIRST_NOBODY)
		r->first = who;
}

static bool
is_forwarder(const struct relay *r)
{
	return r->o->in >= 0 && r->o->in == r->o->out;
}

/* Either side of a forwarder was lost: a FIN to the other one would make what
 * was cut off look whole. */
static bool
is_cut_off(const struct relay *r)
{
	return is_forwarder(r) &&
	       (r->up.in.errnum != 0 || r->up.out.errnum != 0 ||
		   r->down.in.errnum != 0 || r->down.out.errnum != 0);
}

/* Own input has ended: says so to the peer when everything is sent. */
static void
finish_up(struct relay *r)
{
	if (r->up.in.fd >= 0 || r->finished || !flow_is_done(&r->up))
		return;
	if (r->o->in < 0)
		return;
	note_first(r, FIRST_US);
	if (r->up.out.errnum == 0 && !is_cut_off(r) &&
	    (r->o->on_eof == RELAY_EOF_FIN || r->peer_finished))
		sock_finish(r->fd);
	r->finished = true;
	r->linger = deadline_after(r->o->linger_ms);
}

static bool
is_scripted(const struct relay *r)
{
	return r->o->script != NULL && !script_is_done(r->o->script);
}

/* Sends what the script says next; finds out whether it failed. */
static int
advance_script(struct relay *r)
{
	struct script *script = r->o->script;
	const char *text;
	size_t n;

	while ((text = script_text(script, &n)) != NULL &&
	       flow_put(&r->up, text, n))
		script_sent(script);
	if (!script_is_expecting(script))
		return 0;
	if (r->down.in.fd < 0)
		return script_error(script,
		    r->down.in.errnum != 0 ? "the connection was lost"
					   : "the peer finished",
		    r->e);
	if (deadline_passed(script_deadline(script)))
		return script_error(
		    script, "time ran out (--expect-timeout)", r->e);
	return 0;
}

/* The peer has ended: a forwarder passes that on. */
static void
finish_down(struct relay *r)
{
	if (!is_forwarder(r) || r->out_finished || !flow_is_done(&r->down))
		return;
	if (!is_cut_off(r))
		shutdown(r->o->out, SHUT_WR);
	r->out_finished = true;
}

static bool
is_over(const struct relay *r)
{
	if (r->down.out.errnum != 0 && !is_forwarder(r))
		return true;
	if (is_scripted(r))
		/* A text that nobody will take; see lose_peer(). */
		return r->up.out.errnum != 0 && flow_is_done(&r->down) &&
		       !script_is_expecting(r->o->script);
	if (r->finished && r->o->on_eof == RELAY_EOF_QUIT)
		return true;
	if (r->o->leave_after && flow_is_empty(&r->up) &&
	    flow_is_empty(&r->down))
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
	set_poll(&fds[POLL_IN], r->up.in.fd,
	    flow_wants_read(&r->up) && !is_scripted(r) ? POLLIN : 0);
	set_poll(&fds[POLL_OUT], r->down.out.fd,
	    flow_wants_write(&r->down) ? POLLOUT : 0);
}

/* The peer has finished, and own input is still looked at: drain. */
static bool
is_draining(const struct relay *r)
{
	return r->peer_finished && r->up.in.fd >= 0 && !is_scripted(r) &&
	       r->o->on_peer_eof == RELAY_PEER_DRAIN && flow_wants_read(&r->up);
}

/*
 * Until when an input that holds nothing is waited for while draining. A
 * writer of much, which was at it just now, is in the middle of something: a
 * pause of its is not its end.
 */
static struct deadline
drain_deadline(const struct relay *r)
{
	struct deadline d = {r->up.read_ns + BUSY_MS * CLOCK_MS};

	return r->up.taken >= BUSY_BYTES ? d : deadline_after(0);
}

/* An input at its end was reset, if we have not finished and it is closed. */
static void
recall_reset(struct flow_end *in, int fd, bool have_finished)
{
	if (!have_finished && sock_is_gone(fd))
		in->errnum = ECONNRESET;
}

/* One read of own input and one write to the peer. */
static void
pump_up(struct relay *r, const struct pollfd *fds)
{
	if (is_draining(r) && fds[POLL_IN].events != 0 &&
	    fds[POLL_IN].revents == 0 && deadline_passed(drain_deadline(r)))
		/* The input holds nothing more by now. */
		flow_stop_reading(&r->up);
	if (flow_pump(&r->up, fds[POLL_IN].revents,
		fds[POLL_SOCKET].revents & ~POLLIN) &&
	    is_forwarder(r))
		recall_reset(&r->up.in, r->o->in, r->out_finished);
	if (is_forwarder(r) && r->up.in.errnum != 0)
		/* A target that was lost takes nothing more either. */
		flow_lose_out(&r->down, r->up.in.errnum);
	if (r->up.out.errnum != 0)
		/* What can still be read is read before this is acted on. */
		flow_stop_reading(&r->up);
	finish_up(r);
}

/* A reset ends both directions, whatever own input may still hold. */
static void
lose_peer(struct relay *r)
{
	flow_lose_out(&r->up, r->down.in.errnum);
	flow_stop_reading(&r->up);
	finish_up(r);
}

/* One read from the peer and one write to own output. */
static void
pump_down(struct relay *r, const struct pollfd *fds)
{
	if (flow_pump(&r->down,
		fds[POLL_SOCKET].revents & (POLLIN | POLLHUP | POLLERR),
		fds[POLL_OUT].revents))
		recall_reset(&r->down.in, r->fd, r->finished);
	/* Either of them may have met it: a write may move from the socket. */
	if (r->down.in.fd < 0 && !r->peer_finished) {
		r->peer_finished = true;
		note_first(r, FIRST_PEER);
		if (r->down.in.errnum != 0)
			lose_peer(r);
	}
	finish_down(r);
}

/* One round of both directions, each with regard to the other. */
static void
pump(struct relay *r, const struct pollfd *fds)
{
	uint64_t up = r->up.taken, down = r->down.taken;

	flow_take_turns(&r->up, &r->down);
	pump_up(r, fds);
	flow_take_turns(&r->down, &r->up);
	pump_down(r, fds);
	if (r->down.taken != down)
		flow_hurry(&r->up);
	if (r->up.taken != up)
		flow_hurry(&r->down);
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
	int64_t ms = r->o->idle_ms;
	const char *what = "nothing was sent or received within ";
	const char *option = " (--idle-timeout)";
	char took[32];

	if (deadline_passed(r->linger)) {
		ms = r->o->linger_ms;
		what = "our end was sent, and the peer did not finish within ";
		option = " (--linger)";
	}
	num_format_duration(took, sizeof(took), ms * CLOCK_MS);
	if (deadline_passed(r->o->until)) {
		what = "the whole run took longer than allowed";
		took[0] = '\0';
		option = " (--max-time)";
	}
	return err_set(e, ERR_TIMEOUT,
	    "%s%s%s; %llu bytes were sent, %llu received", what, took, option,
	    (unsigned long long)r->up.bytes, (unsigned long long)r->down.bytes);
}

/* The earliest limit of all. */
static struct deadline
limit(const struct relay *r)
{
	return deadline_first(
	    deadline_first(r->o->until, r->linger), idle_deadline(r));
}

/* Until when the poll may last. */
static struct deadline
next_event(const struct relay *r)
{
	struct deadline until = limit(r);

	if (is_draining(r))
		until = deadline_first(until, drain_deadline(r));
	until = deadline_first(until, flow_patience(&r->up));
	until = deadline_first(until, flow_patience(&r->down));
	if (r->o->script != NULL)
		until = deadline_first(until, script_deadline(r->o->script));
	if (r->o->progress != NULL)
		until = deadline_first(until, progress_next(r->o->progress));
	return until;
}

/* Reads, writes and waits until it is over. */
static int
loop(struct relay *r, struct err *e)
{
	struct pollfd fds[POLL_COUNT + 1];

	while (!is_over(r)) {
		if (is_scripted(r) && advance_script(r) < 0)
			return -1;
		fill_poll(r, fds);
		if (wait_poll(fds, POLL_COUNT, next_event(r)) < 0)
			return err_sys(e, ERR_FAILED, errno, "relaying");
		if (deadline_passed(limit(r)))
			return limit_error(r, e);
		pump(r, fds);
		if (r->up.in.errnum == ECANCELED ||
		    r->down.in.errnum == ECANCELED)
			return -1;
		if (r->o->progress != NULL && progress_is_due(r->o->progress))
			progress_draw_both(r->o->progress, r->up.bytes,
			    r->o->total, r->down.bytes);
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

/* Which side of a forwarder was lost, if any. lost is the client's errno. */
static int
judge_forwarder(const struct relay *r, int lost, struct err *e)
{
	int target =
	    r->down.out.errnum != 0 ? r->down.out.errnum : r->up.in.errnum;

	if (lost != 0)
		return lost_error(r, lost, e);
	if (target == 0)
		return 0;
	return err_sys(e, ERR_LOST, target,
	    "the target was lost after %llu bytes received from it and %llu "
	    "sent",
	    (unsigned long long)r->up.taken, (unsigned long long)r->down.bytes);
}

/* What the ends met, now that everything readable was read. */
static int
judge(const struct relay *r, struct err *e)
{
	int lost = r->up.out.errnum != 0 ? r->up.out.errnum : r->down.in.errnum;

	/* What we sent behind the peer's FIN may meet a reset. */
	if (lost == 0 && !is_cut_off(r))
		lost = sock_confirm(r->fd,
		    deadline_first(r->o->until, deadline_after(CONFIRM_MS)));
	if (lost == EINTR)
		return err_sys(e, ERR_FAILED, EINTR, "relaying");
	if (lost == EAGAIN && deadline_passed(r->o->until))
		return limit_error(r, e);
	if (lost == EAGAIN)
		lost = 0;
	if (is_forwarder(r))
		return judge_forwarder(r, lost, e);
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

static int
see_sent(void *context, const void *bytes, size_t n)
{
	struct relay *r = context;

	if (r->o->see == NULL)
		return 0;
	return r->o->see(r->o->context, true, bytes, n, r->e);
}

static int
see_received(void *context, const void *bytes, size_t n)
{
	struct relay *r = context;

	if (is_scripted(r))
		script_see(r->o->script, bytes, n);
	if (r->o->see == NULL)
		return 0;
	return r->o->see(r->o->context, false, bytes, n, r->e);
}

/*
 * Nobody is asked where nobody wants to look on, and then bytes may go past
 * us. A stdin or stdout that is a socket is somebody else's, and may block.
 */
static void
look_on(struct relay *r)
{
	const struct relay_options *o = r->o;

	if (o->see == NULL && !o->crlf &&
	    (r->up.in.kind != FD_SOCKET || is_forwarder(r)))
		flow_allow_move(&r->up);
	if (o->see == NULL && o->script == NULL &&
	    (r->down.out.kind != FD_SOCKET || is_forwarder(r)))
		flow_allow_move(&r->down);
	flow_allow_patience(&r->down);
	if (is_forwarder(r))
		flow_allow_patience(&r->up);
	flow_send_at_once(&r->up);
	if (is_forwarder(r))
		flow_send_at_once(&r->down);
	r->up.context = r->down.context = r;
	if (r->o->see != NULL)
		r->up.see = see_sent;
	if (r->o->see != NULL || r->o->script != NULL)
		r->down.see = see_received;
}

/* What would go to /dev/null is dropped without being looked at. */
static int
useful_output(int out)
{
	return out >= 0 && fd_kind(out) == FD_NULL ? -1 : out;
}

int
relay_run(
    int fd, const struct relay_options *o, struct summary *sum, struct err *e)
{
	unsigned char *storage = mem_array(2, FLOW_SIZE);
	struct relay r = {.fd = fd, .o = o, .linger = deadline_none(), .e = e};
	int status;

	sock_nonblocking(fd, true);
	flow_init(&r.up, o->in, fd, storage);
	flow_init(&r.down, fd, useful_output(o->out), storage + FLOW_SIZE);
	r.up.crlf = o->crlf;
	look_on(&r);
	status = loop(&r, e);
	if (status == 0)
		status = judge(&r, e);
	if (o->progress != NULL)
		progress_end(o->progress);
	memset(sum, 0, sizeof(*sum));
	sum->sent = r.up.bytes;
	sum->received = r.down.bytes;
	sum->first = r.first;
	sum->reset = status < 0 && e->kind == ERR_LOST &&
		     (e->errnum == ECONNRESET || e->errnum == EPIPE);
	flow_release(&r.up);
	flow_release(&r.down);
	free(storage);
	return status;
}
