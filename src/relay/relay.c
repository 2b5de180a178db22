/*
 * Relays both directions of a connection: moves data as its flows can, and asks
 * the policy (relay/policy.h) what the facts require. What happens at which
 * event is the table of "Half-close" in sockt(1).
 */
#include "relay/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "base/text.h"
#include "net/link.h"
#include "net/listener.h"
#include "net/sink.h"
#include "net/sock.h"
#include "net/wait.h"
#include "relay/flow.h"
#include "relay/policy.h"
#include "relay/recorder.h"
#include "relay/script.h"

/* How many pieces that arrived before a limit are received after it. */
#define LATE_PIECES 16

/* How long the input is idle before the next client has its turn, or a lost
 * connection ends. */
#define YIELD_MS 200

/* Indexes in the poll array. */
enum { POLL_SOCKET, POLL_IN, POLL_OUT, POLL_COUNT };

/*
 * The relay of a connection. Bytes go up, from the input to the peer, and down,
 * from the peer to the output. These are stdin and stdout; in a forwarder, both
 * are the target.
 */
struct relay {
	const struct relay_options *o;
	/* The error belongs to the caller; whatever fails sets it. */
	struct err *e;

	/* Both sides. Without a target, these are the peer and stdin and
	 * stdout. A flow forgets a descriptor when it is done with it; in and
	 * out keep it. */
	struct link *peer, *target;
	int in, out;
	struct flow up, down;
	bool is_unix; /* The peer's socket is a Unix socket. */

	/* The facts and options of the policy, and what it wants. */
	unsigned state; /* A set of enum policy_state, by decide(). */
	unsigned wants; /* A set of enum policy_want: policy_wants(state). */

	/* The input. */
	struct rate rate; /* It is read at this rate (--limit-rate). */
	/* --limit-rate delays it, now or in the last round. */
	bool is_paused;
	bool refuses_stdin; /* Data on stdin is still an error. */
	bool is_searching;  /* The script can search on before more data. */

	/* The output. */
	bool shows_reader; /* poll(2) shows when nobody reads it any more. */
	int64_t unread_ns; /* That was seen at this time; 0: not yet. */

	/* Times of clock_now(), from which the deadlines below are counted; 0:
	 * it has not happened yet. */
	int64_t peer_end_ns; /* The peer's FIN or reset arrived. */
	int64_t finished_ns; /* The last byte of the input was sent. */
	int64_t written_ns;  /* Received data last waited for the output. */
	int64_t reported_ns; /* Waits since before this time were reported. */
};

static int advance_script(struct relay *r);
static void run_timers(struct relay *r, struct deadline *next);
static void decide(struct relay *r);
static void confirm(struct relay *r, struct deadline *next);
static struct deadline limit_deadline(const struct relay *r);
static int limit_error(const struct relay *r);
static void close_output(struct relay *r);
static bool is_output_pending(const struct relay *r);
static struct deadline next_event(const struct relay *r, struct deadline until);
static nfds_t fill_poll(const struct relay *r, struct pollfd *fds);
static const char *wait_text(void *context);
static struct deadline report_deadline(const struct relay *r);
static int pump(struct relay *r, const struct pollfd *fds);
static struct deadline yield_deadline(const struct relay *r);
static void yield_input(
    struct relay *r, const struct pollfd *fds, nfds_t count);
static void set_up(struct relay *r, unsigned char *storage);
static int find_result(const struct relay *r);
static void summarize(const struct relay *r, int status);
static void reset_on_close(const struct relay *r, bool resets);

static bool
is(const struct relay *r, unsigned bits)
{
	return (r->state & bits) != 0;
}

static bool
wants(const struct relay *r, unsigned bits)
{
	return (r->wants & bits) != 0;
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Reads, writes and waits until the relay ends. fds is zeroed. Returns the
 * result of the relay; or -1 with the error if a limit, a signal, the script or
 * refused data ends it. */
static int
loop(struct relay *r, struct pollfd *fds)
{
	struct progress *progress = r->o->progress;
	int64_t total = -1; /* The input has so many bytes; -1: unknown. */
	int late_pieces = 0, ready;
	struct wait_reason reason;
	struct deadline until;
	int64_t pending_ns;
	nfds_t count;

	if (progress != NULL && r->up.in.kind == FD_REGULAR)
		total = (int64_t)fd_available(r->in);
	fds[POLL_SOCKET].revents = POLLIN; /* That is not known yet. */
	for (;;) {
		if (is(r, POLICY_SCRIPTED) && advance_script(r) < 0)
			return -1;

		until = deadline_none();
		run_timers(r, &until);
		decide(r);
		if (wants(r, POLICY_CONFIRM))
			confirm(r, &until);
		if (wants(r, POLICY_END))
			return find_result(r);

		/* This process may have been stopped: data and the peer's end
		 * may have arrived before the limit. */
		if (deadline_passed(limit_deadline(r)) &&
		    ((fds[POLL_SOCKET].revents & POLLIN) == 0 ||
			late_pieces++ >= LATE_PIECES))
			return limit_error(r);

		close_output(r);
		pending_ns = is_output_pending(r) ? clock_now() : 0;
		r->is_paused = deadline_is_set(rate_next(r->up.rate));
		until = next_event(r, until);
		count = fill_poll(r, fds);
		wait_begin(&reason, wait_text, r);
		reason.due = report_deadline(r);
		ready = wait_poll(fds, count, until);
		wait_end();
		if (ready < 0)
			return err_sys(r->e, ERR_FAILED, errno, "relaying");

		if (pump(r, fds) < 0)
			return -1;
		if (pending_ns != 0) {
			r->written_ns = clock_now();
			r->peer->output_ns += r->written_ns - pending_ns;
		}
		if (deadline_passed(yield_deadline(r)))
			yield_input(r, fds, count);
		if (progress != NULL)
			progress_update(progress,
			    (const struct progress_count[]){
				{"sent ", r->up.bytes, total, 0},
				{"received ", r->down.bytes, -1, 0}},
			    2);
	}
}

int
relay_run(struct link *peer, struct link *target, const struct relay_options *o,
    struct err *e)
{
	unsigned char *storage = mem_buffer((size_t)2 * FLOW_SIZE);
	struct pollfd *fds = mem_array(
	    POLL_COUNT + (o->listener != NULL ? o->listener->count : 0) +
		WAIT_SPARE,
	    sizeof(*fds));
	struct relay r = {.peer = peer,
	    .target = target,
	    .o = o,
	    .in = target != NULL ? target->fd : o->in,
	    .out = target != NULL ? target->fd : o->out,
	    .is_unix = sock_is_unix(peer->fd),
	    .refuses_stdin = o->refuses_stdin,
	    .e = e};
	int status;

	sock_nonblocking(peer->fd, true);
	set_up(&r, storage);
	decide(&r);
	if (!is(&r, POLICY_TERMINAL))
		reset_on_close(&r, true);
	status = loop(&r, fds);
	if (o->progress != NULL)
		progress_stop(o->progress);
	summarize(&r, status);
	if (!peer->is_aborted)
		reset_on_close(&r, false);
	flow_release(&r.up);
	flow_release(&r.down);
	free(fds);
	free(storage);
	return status;
}

/* Returns the facts of the policy: see enum policy_state. */
static unsigned
observe(const struct relay *r)
{
	const struct flow *up = &r->up, *down = &r->down;
	const struct script *script = r->o->script;
	unsigned facts = 0;

	if (script != NULL && !script_is_done(script))
		facts |= POLICY_SCRIPTED;
	if (script != NULL && script_is_expecting(script))
		facts |= POLICY_EXPECTING;
	if (up->in.errnum == ECANCELED || down->in.errnum == ECANCELED)
		facts |= POLICY_CANCELED;
	if (up->in.fd >= 0)
		facts |= POLICY_INPUT_OPEN;
	if (up->in.errnum != 0)
		facts |= POLICY_INPUT_LOST;
	if (up->out.errnum != 0)
		facts |= POLICY_SEND_LOST;
	else if (!flow_is_empty(up))
		facts |= POLICY_UNSENT;
	if (down->in.fd >= 0)
		facts |= POLICY_PEER_OPEN;
	if (down->in.errnum != 0)
		facts |= POLICY_PEER_RESET;
	if (down->out.errnum != 0)
		facts |= POLICY_OUTPUT_LOST;
	else if (!flow_is_empty(down))
		facts |= POLICY_UNWRITTEN;
	if (r->peer->sending != LINK_SENDING)
		facts |= POLICY_FIN;
	if (r->target != NULL && r->target->sending != LINK_SENDING)
		facts |= POLICY_TARGET_FIN;
	return facts;
}

/* After link_finish() or link_run_timers() of the link to which f sends: if its
 * FIN could not be sent (result is -1, with errno), the connection is lost,
 * unless nothing was ever sent on it. */
static void
fail_after_fin(struct flow *f, int result)
{
	if (result < 0 && f->bytes > 0)
		flow_fail_output(f, errno);
}

/* Does what the facts require, and sets what is wanted now. */
static void
decide(struct relay *r)
{
	unsigned actions;

	do {
		r->state = (r->state & ~(unsigned)POLICY_FACTS) | observe(r);
		if (!is(r, POLICY_PEER_OPEN) && r->peer_end_ns == 0) {
			r->peer_end_ns = clock_now();
			if (is(r, POLICY_PEER_RESET) &&
			    !is(r, POLICY_CANCELED) &&
			    r->peer->first == LINK_FIRST_NOBODY)
				r->peer->first = LINK_FIRST_PEER;
		}
		actions = policy_actions(r->state);
		if ((actions & POLICY_FAIL_SEND) != 0)
			flow_fail_output(&r->up, r->down.in.errnum);
		if ((actions & POLICY_FAIL_OUTPUT) != 0)
			flow_fail_output(&r->down, r->up.in.errnum);
		if ((actions & POLICY_ABANDONED) != 0)
			flow_stop_reading(&r->up);
		if ((actions & POLICY_SEND_FIN) != 0)
			fail_after_fin(&r->up, link_finish(r->peer));
		if ((actions & POLICY_FORWARD_FIN) != 0)
			fail_after_fin(&r->down, link_finish(r->target));
		r->state |= actions & POLICY_ABANDONED;
	} while (actions != 0);
	if (r->finished_ns == 0 && !is(r, POLICY_INPUT_OPEN | POLICY_UNSENT))
		r->finished_ns = clock_now();
	r->wants = policy_wants(r->state);
}

/*
 * Sets POLICY_WRITING when all sent data is acknowledged or lost: until then
 * the peer may still reset. No descriptor becomes ready at the last
 * acknowledgement, so *next is when to check again.
 */
static void
confirm(struct relay *r, struct deadline *next)
{
	int up = link_confirm(r->peer), down = 1;
	bool is_done;

	if (up < 0)
		flow_fail_output(&r->up, errno);
	else if (r->target != NULL)
		down = link_confirm(r->target);
	if (down < 0)
		flow_fail_output(&r->down, errno);
	is_done = up > 0 && down > 0;
	/* --on-peer-eof quit does not wait for long. */
	if (is(r, POLICY_PEER_QUIT) && !is(r, POLICY_PEER_OPEN) &&
	    deadline_passed(deadline_from(r->peer_end_ns, LINK_DRAIN_MS)))
		is_done = true;
	/* Data that nobody will read makes the end a failure. */
	if (r->unread_ns != 0 && is(r, POLICY_PEER_OPEN) &&
	    (fd_available(r->peer->fd) > 0 ||
		!deadline_passed(deadline_from(r->unread_ns, WAIT_UNREAD_MS))))
		is_done = false;
	if (is_done || up < 0 || down < 0)
		r->state |= POLICY_WRITING;
	else
		*next = deadline_first(
		    *next, sock_recheck(later(r->finished_ns, r->peer_end_ns)));
	decide(r);
}

/* Lets the links do what time requires, and makes *next no later than the time
 * when they must do it again. */
static void
run_timers(struct relay *r, struct deadline *next)
{
	struct flow *up = &r->up, *down = &r->down;
	int64_t idle_ms = r->o->idle.ms;

	/* Many programs end only at the end of their input: end it once nothing
	 * more is sent. */
	if (r->in < 0 && r->peer->eof == LINK_EOF_PROGRAM &&
	    r->peer->sending == LINK_SENDING &&
	    !is(r, POLICY_SCRIPTED | POLICY_UNSENT))
		(void)link_finish(r->peer);
	fail_after_fin(up, link_run_timers(r->peer, up->bytes, down->read_bytes,
			       idle_ms, next));
	if (r->target != NULL)
		fail_after_fin(down, link_run_timers(r->target, down->bytes,
					 up->read_bytes, idle_ms, next));
}

/*
 * When the loop goes on although no descriptor is ready:
 *
 *   limit_deadline      a limit of the user ends the relay
 *   run_timers          a link checks for acknowledgements, or sends a FIN that
 *                       was held back
 *   confirm             the last acknowledgements are checked for
 *   rate_next           --limit-rate permits more input
 *   yield_deadline      the input was idle for long enough
 *   script->until       a pattern has not matched in time
 *   progress_next       the progress line is drawn anew
 *   report_deadline     a line reports what the relay waits for
 *
 * next_event() returns the first of them, but for report_deadline(), which the
 * wait itself obeys.
 */

/* Whether received data waits for the output. */
static bool
is_output_pending(const struct relay *r)
{
	return !flow_is_empty(&r->down) || r->down.move.is_blocked;
}

static int64_t
last_movement(const struct relay *r)
{
	return later(r->up.last_ns, r->down.last_ns);
}

/* Whether only the peer's end is missing. A user who sent nothing expects to
 * receive for any time. */
static bool
awaits_peer_fin(const struct relay *r)
{
	return wants(r, POLICY_LINGER) && !wants(r, POLICY_CONFIRM) &&
	       !is(r, POLICY_FORWARDER) && !is_output_pending(r) &&
	       r->up.bytes > 0;
}

/* Since when the user waits for the end of a side, or for any data. */
static int64_t
wait_start(const struct relay *r)
{
	if (awaits_peer_fin(r))
		return later(r->finished_ns, r->down.last_ns);
	if (wants(r, POLICY_AWAIT_INPUT))
		return later(r->peer_end_ns, r->up.last_ns);
	return last_movement(r);
}

/* When the wait for the peer to finish ends (--linger). It begins when FIN may
 * be sent and all received data is written; none before that. */
static struct deadline
linger_deadline(const struct relay *r)
{
	int64_t fin_ns = r->finished_ns + link_hold_ms(r->peer) * CLOCK_MS;

	if (!wants(r, POLICY_LINGER) || is_output_pending(r))
		return deadline_none();
	return deadline_limit_from(
	    later(fin_ns, r->written_ns), r->o->linger_ms, "--linger");
}

/* The earliest limit: --max-time, --linger, --idle-timeout. */
static struct deadline
limit_deadline(const struct relay *r)
{
	int64_t last = later(last_movement(r), r->peer->moved_ns);

	if (r->target != NULL)
		last = later(last, r->target->moved_ns);

	return deadline_first(
	    r->o->until, deadline_first(linger_deadline(r),
			     deadline_from(last, r->o->idle.ms)));
}

/* When the input has been idle for so long that another client has its turn, or
 * that a peer whose end was bare counts as lost. */
static struct deadline
yield_deadline(const struct relay *r)
{
	if (!wants(r, POLICY_AWAIT_INPUT) || r->o->sends_to_end)
		return deadline_none();
	if (r->o->listener == NULL && r->peer->peer_end != LINK_BARE)
		return deadline_none();
	return deadline_from(wait_start(r), YIELD_MS);
}

/* When to report what the user waits for, once. If there is nothing to report
 * then, wait_text() checks again after the next movement. */
static struct deadline
report_deadline(const struct relay *r)
{
	if (is(r, POLICY_SCRIPTED))
		return r->o->script->notice;
	if (wait_start(r) <= r->reported_ns)
		return deadline_none();
	return deadline_from(wait_start(r), WAIT_REPORT_MS);
}

/* Returns the first of the times above, or until, the time of the links. */
static struct deadline
next_event(const struct relay *r, struct deadline until)
{
	/* Only data that has already arrived is read or searched. */
	if (r->is_searching ||
	    (wants(r, POLICY_DRAIN_TARGET) && flow_wants_read(&r->up)) ||
	    (wants(r, POLICY_DRAIN_PEER) && flow_wants_read(&r->down)))
		return deadline_after(0);
	until = deadline_first(until, limit_deadline(r));
	until = deadline_first(until, rate_next(r->up.rate));
	if (!deadline_passed(yield_deadline(r)))
		until = deadline_first(until, yield_deadline(r));
	if (r->o->script != NULL)
		until = deadline_first(until, r->o->script->until);
	if (r->o->progress != NULL)
		until = deadline_first(until, progress_next(r->o->progress));
	return until;
}

/* Advances the script. Returns 0, or -1 with the error if a pattern failed. */
static int
advance_script(struct relay *r)
{
	struct script *script = r->o->script;

	r->is_searching = script_advance(
	    script, &r->up, r->down.in.fd < 0 && r->down.in.errnum == 0);
	if (script->at > 0)
		r->refuses_stdin = false;
	decide(r);
	if (r->is_searching || wants(r, POLICY_END))
		return 0;
	if (wants(r, POLICY_FAIL_PATTERN))
		return script_error(script, false, r->e);
	/* If sending failed, that is the error to report. */
	if (is(r, POLICY_SEND_LOST) || !deadline_passed(script->until))
		return 0;
	return script_error(script, true, r->e);
}

/* Whether a hang-up of the peer means more than its end. On a Unix socket it
 * does not: whether data is lost shows when the rest of stdin is sent. */
static bool
watches_peer(const struct relay *r)
{
	return wants(r, POLICY_WATCH_PEER) &&
	       (!r->is_unix || is(r, POLICY_FORWARDER) ||
		   !link_is_direct(r->peer));
}

/* Whether the end of the output's reader would end the relay: nothing is read
 * from the input any more, and no record is made, which is worth the wait. */
static bool
watches_reader(const struct relay *r)
{
	return r->shows_reader && r->unread_ns == 0 && r->up.in.fd < 0 &&
	       r->o->recorder == NULL;
}

/* Returns the number of entries. */
static nfds_t
fill_poll(const struct relay *r, struct pollfd *fds)
{
	nfds_t count = POLL_COUNT;
	size_t i;
	bool reads_in = flow_wants_read(&r->up) && wants(r, POLICY_READ_INPUT),
	     reads_fd = flow_wants_read(&r->down) &&
			wants(r, POLICY_READ_PEER) && !r->is_searching,
	     sends = flow_wants_write(&r->up),
	     writes = flow_wants_write(&r->down);

	fds[POLL_SOCKET] = (struct pollfd){
	    .fd = reads_fd || sends || watches_peer(r) ? r->peer->fd : -1,
	    .events = (short)((reads_fd ? POLLIN : 0) | (sends ? POLLOUT : 0))};
	fds[POLL_IN] = (struct pollfd){
	    .fd = reads_in ? r->up.in.fd : -1, .events = POLLIN};
	if (r->refuses_stdin)
		fds[POLL_IN].fd = STDIN_FILENO;
	fds[POLL_OUT] = (struct pollfd){
	    .fd = writes || wants(r, POLICY_WATCH_TARGET) || watches_reader(r)
		      ? r->down.out.fd
		      : -1,
	    .events = writes ? POLLOUT : 0};
	if (r->o->listener != NULL && deadline_passed(yield_deadline(r)))
		for (i = 0; i < r->o->listener->count; i++)
			fds[count++] = (struct pollfd){
			    .fd = r->o->listener->fds[i], .events = POLLIN};
	return count;
}

/*
 * An error or hang-up on a side that has finished means that it is lost. But
 * Unix peers mostly close without shutdown(2), which is a hang-up: with nothing
 * pending, it is a normal end for a forwarder (may_be_over).
 */
static void
check_hangup(struct flow *f, int fd, bool may_be_over)
{
	int errnum = sock_error(fd);

	if (errnum == 0 && may_be_over)
		flow_stop_reading(f);
	else
		flow_fail_output(f, errnum != 0 ? errnum : EPIPE);
}

/* Reads and writes what is ready, a piece each way. Returns 0, or -1 with the
 * error if stdin has data that the relay refuses. */
static int
pump(struct relay *r, const struct pollfd *fds)
{
	const short hangup = POLLERR | POLLHUP;
	bool is_forwarder = is(r, POLICY_FORWARDER);

	if (r->rate.limit != 0 && fds[POLL_IN].revents != 0)
		r->is_paused = true;
	if (r->refuses_stdin && fds[POLL_IN].revents != 0) {
		if (fd_available(STDIN_FILENO) > 0)
			return err_set(r->e, ERR_USAGE, RELAY_UNREAD_ERROR);
		r->refuses_stdin = false;
	}
	/* After a failed send, data that has arrived is still read. */
	if (wants(r, POLICY_DRAIN_PEER) && flow_wants_read(&r->down) &&
	    fds[POLL_SOCKET].fd >= 0 && fds[POLL_SOCKET].revents == 0)
		flow_stop_reading(&r->down);
	if (wants(r, POLICY_DRAIN_TARGET) && flow_wants_read(&r->up) &&
	    fds[POLL_IN].fd >= 0 && fds[POLL_IN].revents == 0)
		flow_stop_reading(&r->up);
	if (flow_pump(&r->up, fds[POLL_IN].revents,
		fds[POLL_SOCKET].revents & ~POLLIN) &&
	    is_forwarder && link_record_eof(r->target) != LINK_WHOLE)
		r->up.in.errnum = ECONNRESET;
	decide(r);
	if (flow_pump(&r->down,
		fds[POLL_SOCKET].revents & (POLLIN | POLLHUP | POLLERR),
		fds[POLL_OUT].revents) &&
	    link_record_eof(r->peer) == LINK_LOST)
		r->down.in.errnum = ECONNRESET;
	decide(r);
	if (watches_peer(r) && (fds[POLL_SOCKET].revents & hangup) != 0 &&
	    flow_is_empty(&r->up))
		check_hangup(&r->up, r->peer->fd, is_forwarder && r->is_unix);
	if (wants(r, POLICY_WATCH_TARGET) &&
	    (fds[POLL_OUT].revents & hangup) != 0 && flow_is_empty(&r->down))
		check_hangup(&r->down, r->out, sock_is_unix(r->out));
	if (watches_reader(r) && (fds[POLL_OUT].revents & hangup) != 0) {
		/* What is to be sent is sent. */
		r->unread_ns = clock_now();
		r->state |= POLICY_DONE;
	}
	decide(r);
	return 0;
}

/* If the peer has finished and input is awaited, shows the reader of a pipe the
 * end by replacing stdout by /dev/null; not if a record may use that pipe. */
static void
close_output(struct relay *r)
{
	int null;

	if (!r->o->ends_out || r->o->recorder != NULL ||
	    r->down.out.kind != FD_PIPE || r->down.in.errnum != 0 ||
	    is(r, POLICY_PEER_OPEN | POLICY_UNWRITTEN | POLICY_OUTPUT_LOST))
		return;
	r->down.out.kind = FD_NULL;
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null >= 0)
		(void)dup2(null, r->out);
	fd_close(&null);
}

/* Ends the wait for an idle input, if another client waits for it or the peer
 * cannot be answered. */
static void
yield_input(struct relay *r, const struct pollfd *fds, nfds_t count)
{
	bool is_awaited = false;

	for (; count > POLL_COUNT; count--)
		is_awaited |= fds[count - 1].revents != 0;
	if (r->peer->peer_end == LINK_BARE)
		r->down.in.errnum = ECONNABORTED;
	else if (r->down.read_bytes > 0 || is_awaited)
		flow_stop_reading(&r->up);
}

/*
 * Why nothing moves, as a clause; NULL if that is not known. A forwarder waits
 * for the side to which it last sent something. accepts_silence: that a side
 * has received everything and sends nothing is an answer, too.
 */
static const char *
stall_clause(const struct relay *r, bool accepts_silence)
{
	bool is_forwarder = is(r, POLICY_FORWARDER),
	     is_unsent = !flow_is_empty(&r->up),
	     is_pending = is_output_pending(r);
	const char *peer = is_forwarder                         ? "the client"
			   : r->peer->route == LINK_ROUTE_PROXY ? "the proxy"
								: "the peer";
	const char *why;

	if (is_pending && !is_forwarder)
		return "stdout accepts no more data";
	if (r->is_paused && r->up.in.fd >= 0 && !is_unsent)
		return "--limit-rate delays the rest";
	if (is_forwarder && (is_pending || link_unacked(r->target) > 0 ||
				(!is_unsent && link_unacked(r->peer) == 0 &&
				    r->down.last_ns > r->up.last_ns))) {
		why = link_stall_text(
		    r->target, accepts_silence && !is_pending, "the target");
		return why == NULL && is_pending
			   ? "the target accepts no more data"
			   : why;
	}
	why = link_stall_text(r->peer,
	    accepts_silence && !is_unsent && wants(r, POLICY_READ_PEER), peer);
	/* A Unix socket is full only when the other side does not read. */
	if (why == NULL && is_unsent && r->is_unix && link_is_direct(r->peer))
		return text_format("%s does not read what was sent", peer);
	return why;
}

/* "6 bytes", and how many of them l has not acknowledged. */
static const char *
sent_text(uint64_t bytes, const struct link *l)
{
	uint64_t unacked = link_unacked(l);

	if (unacked == 0)
		return num_count_text(bytes, "byte");
	return text_format("%s, %llu of them not acknowledged",
	    num_count_text(bytes, "byte"), (unsigned long long)unacked);
}

static int
limit_error(const struct relay *r)
{
	struct deadline linger = linger_deadline(r);
	const char *why = stall_clause(r, true);

	if (deadline_passed(linger) && !deadline_passed(r->o->until))
		deadline_error(linger, "the peer did not finish", r->e);
	else
		deadline_idle_error(r->o->until, r->o->idle, r->e);
	if (why != NULL)
		err_append(r->e, "%s", why);
	if (is(r, POLICY_FORWARDER))
		return err_append(r->e,
		    "sent to the target: %s; to the client: %s",
		    sent_text(r->down.bytes, r->target),
		    sent_text(r->up.bytes, r->peer));
	return err_append(r->e, "sent %s, received %llu",
	    sent_text(r->up.bytes, r->peer), (unsigned long long)r->down.bytes);
}

static const char *
wait_text(void *context)
{
	struct relay *r = context;
	bool is_forwarder = is(r, POLICY_FORWARDER);
	const char *why;

	if (is(r, POLICY_SCRIPTED))
		return script_report(r->o->script);
	r->reported_ns = INT64_MAX;
	if (awaits_peer_fin(r)) {
		why = stall_clause(r, true);
		return text_format(
		    "stdin has ended; waiting for the peer to finish%s%s",
		    deadline_is_set(limit_deadline(r))
			? ""
			: " (--linger limits this)",
		    why == NULL ? "" : text_format("; %s", why));
	}
	if (wants(r, POLICY_AWAIT_INPUT))
		return text_format("the peer has finished%s (--on-peer-eof "
				   "quit or --recv-only would not wait)",
		    r->o->listener != NULL
			? ", and has sent nothing; the rest of stdin is sent "
			  "to it until another client connects"
			: "; waiting for the end of stdin, which is still "
			  "sent");
	/* The user sees that the reader of stdout is slow. */
	why = NULL;
	if (is_forwarder || !is_output_pending(r))
		why = stall_clause(
		    r, is_forwarder && r->down.last_ns > r->up.last_ns);
	if (why == NULL)
		r->reported_ns = wait_start(r);
	if (why == NULL || !is_forwarder)
		return why;
	return text_format("%s: %s", addr_text(&r->peer->remote), why);
}

/* Bytes of the input that the peer is not known to have acknowledged. */
static uint64_t
undelivered(const struct relay *r)
{
	uint64_t n = link_unacked(r->peer) +
		     (uint64_t)buf_length(&r->up.queue) + r->up.move.held;

	if (is(r, POLICY_ABANDONED))
		n += fd_available(r->in);
	return n;
}

/* Whether the abandoned input has not ended yet. */
static bool
is_input_open(const struct relay *r)
{
	return is(r, POLICY_ABANDONED) && !fd_has_ended(r->in);
}

/* Whose bytes were not delivered: the script precedes stdin. */
static const char *
input_name(const struct relay *r)
{
	return r->o->script == NULL || r->up.read_bytes > 0 ? "stdin"
	       : r->in < 0 || fd_available(r->in) == 0      ? "--send"
						       : "--send and stdin";
}

/* left: bytes of the input that were not delivered. If a process is beneath the
 * connection, the errno of its socket is not the cause: link_close() adds it.
 */
static int
lost_error(const struct relay *r, uint64_t left)
{
	const char *lost = text_format("the connection was lost after %s sent "
				       "and %llu received",
	    num_count_text(r->up.bytes, "byte"),
	    (unsigned long long)r->down.bytes);
	int errnum =
	    r->up.out.errnum != 0 ? r->up.out.errnum : r->down.in.errnum;

	if (link_is_direct(r->peer))
		err_sys(r->e, ERR_LOST, errnum, "%s", lost);
	else
		err_set(r->e, ERR_LOST, "%s", lost);
	r->e->errnum = errnum;
	if (is(r, POLICY_FORWARDER))
		return -1;
	if (left > 0)
		return err_append(r->e, "%s of %s not delivered",
		    num_count_text(left, "byte"), input_name(r));
	if (is_input_open(r))
		return err_append(r->e, "stdin was still open");
	return -1;
}

/* Warns of an answer that the end of this side may have made the other side
 * drop. */
static void
warn_dropped(const struct relay *r)
{
	if (r->target != NULL && link_may_have_dropped(r->target))
		diag_note("%s: the target ended the connection when it learned "
			  "that the client had finished, and sent nothing; it "
			  "may have dropped its answer",
		    addr_text(&r->peer->remote));
	else if (r->target == NULL && link_may_have_dropped(r->peer))
		diag_warn("the peer ended the connection when it learned that "
			  "stdin had ended, and sent nothing; it may have "
			  "dropped its answer (--on-eof keep)");
}

/* The result of a relay that has ended, after all readable data was read: 0
 * when everything was delivered, or -1 with the error; see relay_run(). */
static int
find_result(const struct relay *r)
{
	const struct flow *up = &r->up, *down = &r->down;
	unsigned state = r->state;
	uint64_t left = 0;

	if (!is(r, POLICY_FORWARDER | POLICY_OUTPUT_LOST | POLICY_INPUT_LOST)) {
		left = undelivered(r);
		/* A terminal's user sees that the peer has finished. */
		if (up->in.fd >= 0 && up->in.kind != FD_TERMINAL)
			left += fd_available(up->in.fd);
		/* Data that was read and not sent counts as left. */
		state |= left > 0 ? POLICY_HAS_LEFT : 0;
		if (left > 0 || up->bytes > 0 || is_input_open(r))
			state |= POLICY_HAS_DATA;
	}
	switch (policy_result(state)) {
	case POLICY_DELIVERED:
		warn_dropped(r);
		return 0;
	case POLICY_PEER_FAILED:
		return lost_error(r, left);
	case POLICY_TARGET_FAILED:
		return err_sys(r->e, ERR_LOST,
		    down->out.errnum != 0 ? down->out.errnum : up->in.errnum,
		    "the target was lost after %s received from it and %llu "
		    "sent",
		    num_count_text(up->read_bytes, "byte"),
		    (unsigned long long)down->bytes);
	case POLICY_OUTPUT_FAILED:
		return sink_refused(
		    &(struct sink){.name = "stdout", .bytes = down->bytes},
		    down->out.errnum, r->e);
	case POLICY_INPUT_FAILED:
		return err_sys(r->e, ERR_OUTPUT, up->in.errnum, "stdin");
	case POLICY_INPUT_LEFT:
		return err_set(r->e, ERR_LOST,
		    "the peer finished first; %s of %s not delivered "
		    "(--on-peer-eof quit)",
		    num_count_text(left, "byte"), input_name(r));
	default: /* The record has its own error. */
		return -1;
	}
}

/* Sets the totals; status and the error are the relay's result. */
static void
summarize(const struct relay *r, int status)
{
	struct link *l = r->peer;

	link_read_counters(l);
	l->sent = r->up.bytes;
	l->received = r->down.bytes;
	l->undelivered = is(r, POLICY_FORWARDER) ? 0 : undelivered(r);
	if (r->unread_ns != 0)
		l->wanted = LINK_WANT_NO_DATA;
	l->is_aborted =
	    status < 0 && policy_aborts(r->state, r->e->kind == ERR_OUTPUT);
	if (l->is_aborted && l->first == LINK_FIRST_NOBODY)
		l->first = LINK_FIRST_US;
	/* For link_abort(): an idle limit does not begin again. */
	l->moved_ns = later(last_movement(r), l->moved_ns);
	if (r->target != NULL) {
		r->target->moved_ns =
		    later(last_movement(r), r->target->moved_ns);
		r->target->undelivered =
		    (uint64_t)buf_length(&r->down.queue) + r->down.move.held;
		/* A program that exits with unread input. */
		if (r->up.in.errnum == ECONNRESET &&
		    r->target->peer_end == LINK_OPEN)
			r->target->reset = LINK_RESET_BY_PEER;
	}
	if (status < 0 &&
	    (err_is_reset(r->up.out.errnum) || r->down.in.errnum == ECONNRESET))
		l->reset = LINK_RESET_BY_PEER;
	else if (l->is_aborted)
		l->reset = LINK_RESET_BY_US;
}

/* The flow_tap of both flows. */
static int
tap(const struct flow *f, const void *bytes, size_t n)
{
	const struct relay *r = f->context;
	bool is_sent = f == &r->up;

	if (!is_sent && r->o->script != NULL)
		script_receive(r->o->script, bytes, n);
	/* It is written to the terminal that shows the progress. */
	if (f->out.kind == FD_TERMINAL)
		diag_live_yield(bytes, n);
	if (r->o->recorder == NULL)
		return 0;
	return recorder_add(r->o->recorder, is_sent, NULL, bytes, n, r->e);
}

/*
 * Sets up the policy's options and the flows. A flow may use splice(2) for
 * bytes that are neither tapped nor changed; but not on a stdin or stdout that
 * is a socket, which other processes may share and which may block.
 */
static void
set_up(struct relay *r, unsigned char *storage)
{
	static const unsigned eof[] = {[RELAY_EOF_KEEP] = POLICY_EOF_KEEP,
	    [RELAY_EOF_QUIT] = POLICY_EOF_QUIT};
	const struct relay_options *o = r->o;
	bool is_forwarder = r->target != NULL;
	struct flow *up = &r->up, *down = &r->down;

	flow_init(up, r->in, r->peer->fd, storage);
	/* Data for /dev/null is dropped. */
	flow_init(down, r->peer->fd, fd_kind(r->out) == FD_NULL ? -1 : r->out,
	    storage + FLOW_SIZE);
	up->context = down->context = r;
	up->crlf = o->crlf != 0;
	r->rate.limit = o->rate;
	up->rate = &r->rate;
	/* Only data that was sent is recorded. */
	if (o->recorder != NULL)
		up->tap = tap;
	up->taps_output = true;
	if (o->recorder != NULL || o->script != NULL ||
	    (o->progress != NULL && down->out.kind == FD_TERMINAL))
		down->tap = tap;
	up->move.is_possible = up->in.kind != FD_SOCKET || is_forwarder;
	down->move.is_possible = down->out.kind != FD_SOCKET || is_forwarder;
	r->shows_reader =
	    !is_forwarder && sock_shows_reader(r->out, down->out.kind);
	r->state = eof[o->on_eof];
	if (r->in >= 0)
		r->state |= POLICY_HAS_INPUT;
	if (is_forwarder)
		r->state |= POLICY_FORWARDER;
	if (up->in.kind == FD_TERMINAL)
		r->state |= POLICY_TERMINAL;
	if (o->quits_with_peer)
		r->state |= POLICY_PEER_QUIT;
	if (o->quit_after_script)
		r->state |= POLICY_DONE;
}

/* See sock_reset_on_close(); for a forwarder, both connections. */
static void
reset_on_close(const struct relay *r, bool resets)
{
	sock_reset_on_close(r->peer->fd, resets);
	if (is(r, POLICY_FORWARDER))
		sock_reset_on_close(r->out, resets);
}
