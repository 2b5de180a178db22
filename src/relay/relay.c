/*
 * Relays both directions of a connection: moves data as its flows can, and asks
 * the policy (relay/policy.h) what the facts require.
 */
#include "relay/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "base/text.h"
#include "net/listener.h"
#include "net/sink.h"
#include "net/sock.h"
#include "net/stream.h"
#include "net/wait.h"
#include "relay/flow.h"
#include "relay/policy.h"
#include "relay/recorder.h"
#include "relay/script.h"

/* The longest pause between two checks of the acknowledgements. */
#define MAX_RECHECK_MS 32

/* The longest wait for the last acknowledgements with --on-peer-eof quit. */
#define QUIT_MS INT64_C(2000)

/* How many pieces that had arrived are received after a limit has passed. */
#define LATE_PIECES 16

/* How long the input is idle before the next client has its turn, or a lost
 * connection ends. */
#define YIELD_MS 200

/* Indexes in the poll array. */
enum { POLL_SOCKET, POLL_IN, POLL_OUT, POLL_COUNT };

/* up sends to the socket, down receives from it. */
struct relay {
	int fd;
	const struct relay_options *o;
	struct flow up, down;
	unsigned options;     /* the bits of enum policy_state that are such */
	unsigned decided;     /* those that actions have set */
	unsigned state;       /* all of them, since decide() */
	unsigned wants;       /* policy_wants() of that */
	bool is_unix;         /* so is fd */
	bool has_no_target;   /* a Unix socket that was closed */
	int unread;           /* o->unread; -1: it does not matter any more */
	bool is_searching;    /* the script has more to search at once */
	bool fin_sent;        /* to the peer */
	bool is_reported;     /* that the end of the input is waited for */
	bool is_awaited;      /* by another client */
	bool is_peer_lost;    /* its end was not a whole one: o->is_whole */
	int late_pieces;      /* received after a limit */
	int64_t peer_end_ns;  /* when its FIN or reset arrived; 0: not yet */
	int64_t finished_ns;  /* when all input was sent */
	int64_t written_ns;   /* when bytes last waited for out */
	uint64_t unacked;     /* bytes not yet acknowledged */
	int64_t acked_ns;     /* when their number last decreased */
	struct deadline next; /* check of the acknowledgements */
	struct backoff pause;
	struct conn_summary sum, target_sum; /* of both sides */
	struct err *e; /* the caller's, for the recorder */
};

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

/* When the end of the input is passed on, if that is delayed. */
static struct deadline
hold_deadline(const struct relay *r)
{
	if (!r->o->delays_end || r->up.in.fd >= 0 || r->up.in.errnum != 0 ||
	    r->up.out.errnum != 0 || r->down.in.fd < 0 ||
	    (r->decided & POLICY_FINISHED) != 0)
		return deadline_none();
	if (r->unacked > 0)
		return deadline_after(MAX_RECHECK_MS);
	return deadline_from(
	    later(later(r->up.last_ns, r->down.last_ns), r->acked_ns),
	    r->up.bytes > 0 ? SOCK_QUIET_MS : SOCK_QUIET_UNUSED_MS);
}

/* The state, from the facts. The input whose end is delayed seems open. */
static unsigned
observe(const struct relay *r)
{
	const struct flow *up = &r->up, *down = &r->down;
	const struct script *script = r->o->script;
	const struct deadline held = hold_deadline(r);
	unsigned state = r->options | r->decided;

	if (script != NULL && !script_is_done(script))
		state |= POLICY_SCRIPTED;
	if (script != NULL && script_is_expecting(script))
		state |= POLICY_EXPECTING;
	if (up->in.errnum == ECANCELED || down->in.errnum == ECANCELED)
		state |= POLICY_CANCELED;
	if (up->in.fd >= 0 || (deadline_is_set(held) && !deadline_passed(held)))
		state |= POLICY_INPUT_OPEN;
	return state | (up->in.errnum != 0 ? POLICY_INPUT_LOST : 0) |
	       (up->out.errnum != 0    ? POLICY_SEND_LOST
		   : flow_is_empty(up) ? 0
				       : POLICY_UNSENT) |
	       (down->in.fd >= 0 ? POLICY_PEER_OPEN : 0) |
	       (down->in.errnum != 0 ? POLICY_PEER_RESET : 0) |
	       (down->out.errnum != 0    ? POLICY_OUTPUT_LOST
		   : flow_is_empty(down) ? 0
					 : POLICY_UNWRITTEN);
}

/* Sends FIN to fd, f's out. If that is impossible, the connection is lost,
 * unless nothing was ever sent on it. */
static bool
send_fin(struct flow *f, int fd, struct conn_summary *sum)
{
	int errnum;

	if (stream_finish(fd, sum) == 0)
		return true;
	errnum = errno;
	if (f->bytes == 0)
		return false;
	if (errnum == ENOTCONN)
		errnum = sock_error(fd);
	flow_fail_output(f, errnum != 0 ? errnum : EPIPE);
	return false;
}

static void
act(struct relay *r, unsigned actions)
{
	if ((actions & POLICY_FAIL_SEND) != 0)
		flow_fail_output(&r->up, r->down.in.errnum);
	if ((actions & POLICY_FAIL_OUTPUT) != 0)
		flow_fail_output(&r->down, r->up.in.errnum);
	if ((actions & POLICY_ABANDONED) != 0)
		flow_stop_reading(&r->up);
	if ((actions & POLICY_PEER_PROBED) != 0)
		sock_start_keepalive(r->fd);
	if ((actions & POLICY_TARGET_PROBED) != 0)
		sock_start_keepalive(r->o->in);
	if ((actions & POLICY_SEND_FIN) != 0)
		r->fin_sent = send_fin(&r->up, r->fd, &r->sum);
	if ((actions & POLICY_FINISHED) != 0)
		r->finished_ns = clock_now();
	if ((actions & POLICY_FORWARD_FIN) != 0)
		(void)send_fin(&r->down, r->o->out, &r->target_sum);
	r->decided |= actions & POLICY_DECISIONS;
}

/* Does what the facts require, and sets what is wanted now. */
static void
decide(struct relay *r)
{
	unsigned actions;

	do {
		r->state = observe(r);
		if (!is(r, POLICY_PEER_OPEN) && r->peer_end_ns == 0) {
			r->peer_end_ns = clock_now();
			if (r->down.in.errnum == 0 && !r->has_no_target)
				stream_note_fin(&r->sum);
			else if (is(r, POLICY_PEER_RESET) &&
				 !is(r, POLICY_CANCELED) &&
				 r->sum.first == CONN_FIRST_NOBODY)
				r->sum.first = CONN_FIRST_PEER;
		}
		actions = policy_actions(r->state);
		act(r, actions);
	} while (actions != 0);
	r->wants = policy_wants(r->state);
}

/*
 * Decides when all sent data is acknowledged or lost: the peer may still reset.
 * No descriptor becomes ready at the last acknowledgement, so this must be
 * polled.
 */
static void
confirm(struct relay *r)
{
	struct deadline quit = {.at_ns = r->peer_end_ns + QUIT_MS * CLOCK_MS};
	bool has_two = is(r, POLICY_FORWARDER), is_acked;
	int errnum;

	is_acked =
	    sock_is_acked(r->fd) && (!has_two || sock_is_acked(r->o->out));
	/* --on-peer-eof quit does not wait for long. */
	if (is(r, POLICY_PEER_QUIT) && !is(r, POLICY_PEER_OPEN))
		is_acked = is_acked || deadline_passed(quit);
	if ((errnum = sock_error(r->fd)) != 0)
		flow_fail_output(&r->up, errnum);
	else if (has_two && (errnum = sock_error(r->o->out)) != 0)
		flow_fail_output(&r->down, errnum);
	if (errnum != 0 || is_acked)
		r->decided |= POLICY_WRITING;
	else
		r->next = deadline_after(backoff_next(&r->pause));
}

static bool
has_ended(struct relay *r)
{
	r->next = deadline_none();
	decide(r);
	if (wants(r, POLICY_CONFIRM)) {
		confirm(r);
		decide(r);
	}
	return wants(r, POLICY_END);
}

static bool
is_output_pending(const struct relay *r)
{
	return !flow_is_empty(&r->down) || r->down.move.is_blocked;
}

/* Records progress for the limits, before and after data is moved: data that
 * the system still sends counts, and --linger starts only when all received
 * data is written. */
static void
note_progress(struct relay *r)
{
	uint64_t unacked;

	if (is_output_pending(r))
		r->written_ns = clock_now();
	if (r->o->idle.ms < 0 && !r->o->delays_end)
		return;
	unacked = sock_unacked_bytes(r->fd);
	if (is(r, POLICY_FORWARDER))
		unacked += sock_unacked_bytes(r->o->out);
	if (unacked < r->unacked)
		r->acked_ns = clock_now();
	r->unacked = unacked;
}

/* Until when the peer must finish, while that is waited for. */
static struct deadline
linger_deadline(const struct relay *r)
{
	if (!wants(r, POLICY_LINGER) || is_output_pending(r))
		return deadline_none();
	return deadline_limit_from(
	    later(r->finished_ns, r->written_ns), r->o->linger_ms, "--linger");
}

/* The earliest limit: --max-time, --linger, --idle-timeout. */
static struct deadline
limit_deadline(const struct relay *r)
{
	int64_t last =
	    later(later(r->up.last_ns, r->down.last_ns), r->acked_ns);

	return deadline_first(
	    r->o->until, deadline_first(linger_deadline(r),
			     deadline_from(last, r->o->idle.ms)));
}

static int
limit_error(const struct relay *r, struct err *e)
{
	struct deadline linger = linger_deadline(r);

	if (deadline_passed(linger) && !deadline_passed(r->o->until))
		deadline_error(linger, "the peer did not finish", e);
	else
		deadline_idle_error(r->o->until, r->o->idle, e);
	if (is_output_pending(r))
		err_append(e, "stdout accepts no more data");
	else if (!flow_is_empty(&r->up))
		err_append(e, "the peer does not read what was sent");
	return err_append(e, "sent %s, received %llu",
	    num_count_text(r->up.bytes, "byte"),
	    (unsigned long long)r->down.bytes);
}

/* Since when only the end of the input is missing, and it has been idle for ms;
 * none if that is not so. */
static struct deadline
idle_input(const struct relay *r, int64_t ms)
{
	return wants(r, POLICY_AWAIT_INPUT)
		   ? deadline_from(later(r->peer_end_ns, r->up.last_ns), ms)
		   : deadline_none();
}

/* Whether only the peer's end is missing, after something was sent: who sends
 * nothing wants to receive for as long as it takes. */
static bool
awaits_end(const struct relay *r)
{
	return wants(r, POLICY_LINGER) && !wants(r, POLICY_CONFIRM) &&
	       !is(r, POLICY_FORWARDER) && !is_output_pending(r) &&
	       r->up.bytes > 0;
}

/* When to report what a person waits for, each once. */
static struct deadline
report_deadline(const struct relay *r)
{
	if (is(r, POLICY_SCRIPTED))
		return r->o->script->notice;
	if (r->is_reported)
		return deadline_none();
	return awaits_end(r)
		   ? deadline_from(
			 later(r->finished_ns, r->down.last_ns), WAIT_REPORT_MS)
		   : idle_input(r, WAIT_REPORT_MS);
}

static const char *
wait_text(void *context)
{
	struct relay *r = context;

	if (is(r, POLICY_SCRIPTED))
		return script_report(r->o->script);
	r->is_reported = true;
	if (awaits_end(r))
		return text_format(
		    "stdin has ended; waiting for the peer to finish%s",
		    deadline_is_set(limit_deadline(r))
			? ""
			: " (--linger limits this)");
	return r->o->next != NULL
		   ? "the peer has finished, and has sent nothing; it gets "
		     "what stdin still gives, until another client comes "
		     "(--on-peer-eof quit or --recv-only would not wait)"
		   : "the peer has finished; waiting for the end of stdin, "
		     "which is still sent (--on-peer-eof quit or --recv-only "
		     "would not wait)";
}

/* When the input has been idle for so long that it is not waited for. */
static struct deadline
yield_deadline(const struct relay *r)
{
	return r->o->next != NULL || r->is_peer_lost ? idle_input(r, YIELD_MS)
						     : deadline_none();
}

static struct deadline
next_event(const struct relay *r)
{
	struct deadline until = deadline_first(limit_deadline(r), r->next);
	int64_t ms = r->o->idle.ms / 8;

	/* Only what has arrived already is read, or searched. */
	if (r->is_searching ||
	    (wants(r, POLICY_DRAIN_TARGET) && flow_wants_read(&r->up)) ||
	    (wants(r, POLICY_DRAIN_PEER) && flow_wants_read(&r->down)))
		return deadline_after(0);
	/* No event reports the system's progress. */
	if (r->o->idle.ms >= 0 && r->unacked > 0)
		until =
		    deadline_first(until, deadline_after(ms < 10 ? 10 : ms));
	until = deadline_first(until, hold_deadline(r));
	if (!deadline_passed(yield_deadline(r)))
		until = deadline_first(until, yield_deadline(r));
	if (r->o->script != NULL)
		until = deadline_first(until, r->o->script->until);
	if (r->o->progress != NULL)
		until = deadline_first(until, progress_next(r->o->progress));
	return until;
}

/*
 * Searches for the script's pattern, and sends its next texts. Returns 0, or -1
 * with *e if a pattern failed.
 */
static int
advance_script(struct relay *r)
{
	struct script *script = r->o->script;
	const char *text;
	size_t n;

	r->is_searching =
	    script_search(script, r->down.in.fd < 0 && r->down.in.errnum == 0);
	while ((text = script_text(script, &n)) != NULL &&
	       flow_put(&r->up, text, n))
		script_sent(script);
	/* It may have ended in texts. */
	if (script_is_done(script))
		r->is_searching = false;
	if (script->at > 0)
		r->unread = -1;
	decide(r);
	if (is(r, POLICY_CANCELED))
		return -1;
	if (r->is_searching)
		return 0;
	if (wants(r, POLICY_FAIL_PATTERN))
		return script_error(script, false, r->e);
	/* If sending failed, that is the error to report. */
	if (is(r, POLICY_SEND_LOST) || !deadline_passed(script->until))
		return 0;
	return script_error(script, true, r->e);
}

/* Whether a hang-up of the peer tells more than its end. That of a Unix socket
 * does not: what stdin still gives shows whether there is a loss. */
static bool
watches_peer(const struct relay *r)
{
	return wants(r, POLICY_WATCH_PEER) &&
	       (!r->is_unix || is(r, POLICY_FORWARDER) || r->o->is_program);
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
	    .fd = reads_fd || sends || watches_peer(r) ? r->fd : -1,
	    .events = (short)((reads_fd ? POLLIN : 0) | (sends ? POLLOUT : 0))};
	fds[POLL_IN] = (struct pollfd){
	    .fd = reads_in ? r->up.in.fd : -1, .events = POLLIN};
	if (r->unread >= 0)
		fds[POLL_IN].fd = r->unread;
	fds[POLL_OUT] = (struct pollfd){
	    .fd = writes || wants(r, POLICY_WATCH_TARGET) ? r->down.out.fd : -1,
	    .events = writes ? POLLOUT : 0};
	if (r->o->next != NULL && deadline_passed(yield_deadline(r)))
		for (i = 0; i < r->o->next->count; i++)
			fds[count++] = (struct pollfd){
			    .fd = r->o->next->fds[i], .events = POLLIN};
	return count;
}

/*
 * The end of in was a reset if the socket is closed although no FIN was sent.
 */
static void
detect_reset(struct flow_end *in, int fd, bool have_finished)
{
	if (!have_finished && sock_is_closed(fd))
		in->errnum = ECONNRESET;
}

/*
 * An error or hang-up on a side that has finished means that it is lost. But a
 * Unix socket that is closed without a half-close before, as most are, hangs up
 * at once: if nothing was left to deliver, the conversation of a forwarder is
 * over. Returns whether it is.
 */
static bool
check_hangup(struct flow *f, int fd, bool may_be_over)
{
	int errnum = sock_error(fd);
	bool is_over = errnum == 0 && may_be_over;

	if (is_over)
		flow_stop_reading(f);
	else
		flow_fail_output(f, errnum != 0 ? errnum : EPIPE);
	return is_over;
}

static void
pump(struct relay *r, const struct pollfd *fds)
{
	const short hangup = POLLERR | POLLHUP;
	bool is_forwarder = is(r, POLICY_FORWARDER);

	/* After a failed send, all that had arrived is read. */
	if (wants(r, POLICY_DRAIN_PEER) && flow_wants_read(&r->down) &&
	    fds[POLL_SOCKET].fd >= 0 && fds[POLL_SOCKET].revents == 0)
		flow_stop_reading(&r->down);
	if (wants(r, POLICY_DRAIN_TARGET) && flow_wants_read(&r->up) &&
	    fds[POLL_IN].fd >= 0 && fds[POLL_IN].revents == 0)
		flow_stop_reading(&r->up);
	if (flow_pump(&r->up, fds[POLL_IN].revents,
		fds[POLL_SOCKET].revents & ~POLLIN) &&
	    is_forwarder) {
		detect_reset(
		    &r->up.in, r->o->in, is(r, POLICY_TARGET_FINISHED));
		if (r->up.in.errnum == 0 && r->o->is_whole != NULL &&
		    !r->o->is_whole(r->o->context))
			r->up.in.errnum = ECONNRESET;
		r->target_sum.is_fin_received = r->up.in.errnum == 0;
	}
	decide(r);
	if (flow_pump(&r->down,
		fds[POLL_SOCKET].revents & (POLLIN | POLLHUP | POLLERR),
		fds[POLL_OUT].revents)) {
		detect_reset(&r->down.in, r->fd, is(r, POLICY_FINISHED));
		if (r->down.in.errnum == 0 && r->o->is_there != NULL &&
		    !r->o->is_there(r->o->peer))
			r->down.in.errnum = ECONNRESET;
		r->is_peer_lost = !is_forwarder && r->o->is_whole != NULL &&
				  !r->o->is_whole(r->o->context);
	}
	decide(r);
	if (watches_peer(r) && (fds[POLL_SOCKET].revents & hangup) != 0 &&
	    flow_is_empty(&r->up)) {
		(void)check_hangup(&r->up, r->fd, is_forwarder && r->is_unix);
		decide(r);
	}
	if (wants(r, POLICY_WATCH_TARGET) &&
	    (fds[POLL_OUT].revents & hangup) != 0 && flow_is_empty(&r->down)) {
		r->has_no_target =
		    check_hangup(&r->down, r->o->out, sock_is_unix(r->o->out));
		decide(r);
	}
}

/* While input is awaited, the reader of a pipe sees the end of what the peer
 * sent: /dev/null takes its place. A record may go there, too. */
static void
end_output(struct relay *r)
{
	int null;

	if (!r->o->ends_out || r->o->recorder != NULL ||
	    r->down.out.kind != FD_PIPE || r->down.in.errnum != 0 ||
	    is(r, POLICY_PEER_OPEN | POLICY_UNWRITTEN | POLICY_OUTPUT_LOST))
		return;
	r->down.out.kind = FD_NULL;
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null >= 0)
		(void)dup2(null, r->o->out);
	fd_close(&null);
}

/* Reads, writes and waits until the relay ends. fds has room for all that is
 * polled. */
static int
loop(struct relay *r, struct pollfd *fds, struct err *e)
{
	struct progress *progress = r->o->progress;
	struct wait_reason reason;
	bool was_scripted;
	nfds_t count;
	int ready;

	while (!has_ended(r)) {
		was_scripted = is(r, POLICY_SCRIPTED);
		if (was_scripted && advance_script(r) < 0)
			return -1;
		/* The end may have waited for this. */
		if (was_scripted && !is(r, POLICY_SCRIPTED))
			continue;
		end_output(r);
		count = fill_poll(r, fds);
		wait_begin(&reason, wait_text, r);
		reason.due = report_deadline(r);
		ready = wait_poll(fds, count, next_event(r));
		wait_end();
		if (ready < 0)
			return err_sys(e, ERR_FAILED, errno, "relaying");
		if (r->unread >= 0 && fds[POLL_IN].revents != 0) {
			if (fd_available(r->unread) > 0)
				return err_set(
				    e, ERR_USAGE, RELAY_UNREAD_ERROR);
			r->unread = -1;
		}
		note_progress(r);
		/* This process may have been stopped: the peer's end may
		 * follow what it sent. */
		if (deadline_passed(limit_deadline(r)) &&
		    ((fds[POLL_SOCKET].revents & POLLIN) == 0 ||
			r->late_pieces++ >= LATE_PIECES))
			return limit_error(r, e);
		pump(r, fds);
		note_progress(r);
		if (is(r, POLICY_CANCELED))
			return -1;
		while (count > POLL_COUNT)
			r->is_awaited |= fds[--count].revents != 0;
		if (r->is_peer_lost && deadline_passed(yield_deadline(r)))
			r->down.in.errnum = ECONNABORTED;
		else if (deadline_passed(yield_deadline(r)) &&
			 (r->down.read_bytes > 0 || r->is_awaited))
			flow_stop_reading(&r->up);
		if (progress != NULL)
			progress_draw_counts(progress,
			    (const struct progress_count[]){
				{"sent ", r->up.bytes, r->o->total, 0},
				{"received ", r->down.bytes, -1, 0}},
			    2);
	}
	return 0;
}

/*
 * Bytes of the input that the peer has not acknowledged, as far as sockt knows.
 */
static uint64_t
undelivered(const struct relay *r)
{
	uint64_t n = sock_unacked_bytes(r->fd);

	/* The system counts FIN as a byte. */
	if (n > 0 && r->fin_sent)
		n--;
	n += (uint64_t)buf_length(&r->up.queue) + r->up.move.held;
	if (is(r, POLICY_ABANDONED))
		n += fd_available(r->o->in);
	return n;
}

/* Whether the abandoned input has not ended yet. */
static bool
is_input_open(const struct relay *r)
{
	struct pollfd p = {.fd = r->o->in, .events = POLLIN};

	return is(r, POLICY_ABANDONED) &&
	       (poll(&p, 1, 0) <= 0 || fd_available(r->o->in) > 0);
}

/* left: bytes of the input that were not delivered. What became of the socket
 * to a program is not why its connection was lost: the caller adds that. */
static int
lost_error(const struct relay *r, uint64_t left, struct err *e)
{
	const char *lost = text_format("the connection was lost after %s sent "
				       "and %llu received",
	    num_count_text(r->up.bytes, "byte"),
	    (unsigned long long)r->down.bytes);
	int errnum =
	    r->up.out.errnum != 0 ? r->up.out.errnum : r->down.in.errnum;

	if (r->o->is_program)
		err_set(e, ERR_LOST, "%s", lost);
	else
		err_sys(e, ERR_LOST, errnum, "%s", lost);
	e->errnum = errnum;
	if (is(r, POLICY_FORWARDER) || r->o->in < 0)
		return -1;
	if (left > 0)
		return err_append(e, "%s of stdin not delivered",
		    num_count_text(left, "byte"));
	if (is_input_open(r))
		return err_append(e, "stdin was still open");
	return -1;
}

/* The result of a relay that has ended, after all readable data was read: 0
 * when everything was delivered, or -1 with *e; see relay_run(). */
static int
check_result(const struct relay *r, struct err *e)
{
	const struct flow *up = &r->up, *down = &r->down;
	unsigned state = r->state;
	uint64_t left = 0;

	if (!is(r, POLICY_FORWARDER | POLICY_OUTPUT_LOST | POLICY_INPUT_LOST)) {
		left = undelivered(r);
		/* A terminal's user sees that the peer has finished. */
		if (up->in.fd >= 0 && up->in.kind != FD_TERMINAL)
			left += fd_available(up->in.fd);
		/* What was read and not sent is left. */
		state |= (left > 0 ? POLICY_HAS_LEFT : 0) |
			 (up->bytes > 0 ? POLICY_HAS_SENT : 0) |
			 (is_input_open(r) ? POLICY_HAS_MORE : 0);
	}
	switch (policy_result(state)) {
	case POLICY_DELIVERED:
		return 0;
	case POLICY_PEER_FAILED:
		return lost_error(r, left, e);
	case POLICY_TARGET_FAILED:
		return err_sys(e, ERR_LOST,
		    down->out.errnum != 0 ? down->out.errnum : up->in.errnum,
		    "the target was lost after %s received from it and %llu "
		    "sent",
		    num_count_text(up->read_bytes, "byte"),
		    (unsigned long long)down->bytes);
	case POLICY_OUTPUT_FAILED:
		return sink_refused(
		    &(struct sink){.name = "stdout", .bytes = down->bytes},
		    down->out.errnum, e);
	case POLICY_INPUT_FAILED:
		return err_sys(e, ERR_OUTPUT, up->in.errnum, "stdin");
	case POLICY_INPUT_LEFT:
		return err_set(e, ERR_LOST,
		    "the peer finished first; %s of %s not delivered "
		    "(--on-peer-eof quit)",
		    num_count_text(left, "byte"),
		    r->o->in < 0 ? "--send" : "stdin");
	default: /* The record has its own error. */
		return -1;
	}
}

/* Fills *sum; status and *e are the relay's result. */
static void
summarize(const struct relay *r, struct conn_summary *sum, int status,
    const struct err *e)
{
	*sum = r->sum;
	sum->sent = r->up.bytes;
	sum->received = r->down.bytes;
	sum->undelivered = is(r, POLICY_FORWARDER) ? 0 : undelivered(r);
	sum->reset =
	    status < 0 && e->kind == ERR_LOST && err_is_reset(e->errnum);
	sum->is_aborted =
	    status < 0 && policy_aborts(r->state, e->kind == ERR_OUTPUT);
	if (sum->is_aborted && sum->first == CONN_FIRST_NOBODY)
		sum->first = CONN_FIRST_US;
	if (sum->is_aborted && !r->is_unix)
		sum->reset = true;
	sum->reset_by_us = sum->reset && !err_is_reset(r->up.out.errnum) &&
			   r->down.in.errnum != ECONNRESET;
}

static int
tap_sent(void *context, const void *bytes, size_t n)
{
	struct relay *r = context;

	return recorder_add(r->o->recorder, true, NULL, bytes, n, r->e);
}

static int
tap_received(void *context, const void *bytes, size_t n)
{
	struct relay *r = context;

	if (r->o->script != NULL)
		script_receive(r->o->script, bytes, n);
	/* It goes where the live line is. */
	if (r->down.out.kind == FD_TERMINAL)
		diag_progress_yield(bytes, n);
	if (r->o->recorder == NULL)
		return 0;
	return recorder_add(r->o->recorder, false, NULL, bytes, n, r->e);
}

/*
 * Sets up the policy's options, and the flows. These may move bytes that are
 * neither tapped nor changed, unless stdin or stdout is a socket, which other
 * processes may share and which may block.
 */
static void
set_up(struct relay *r, unsigned char *storage)
{
	static const unsigned eof[] = {[RELAY_EOF_KEEP] = POLICY_EOF_KEEP,
	    [RELAY_EOF_QUIT] = POLICY_EOF_QUIT};
	const struct relay_options *o = r->o;
	bool is_forwarder = o->in >= 0 && o->in == o->out;
	struct flow *up = &r->up, *down = &r->down;

	flow_init(up, o->in, r->fd, storage);
	/* Data for /dev/null is dropped. */
	flow_init(down, r->fd, fd_kind(o->out) == FD_NULL ? -1 : o->out,
	    storage + FLOW_SIZE);
	up->context = down->context = r;
	up->crlf = o->crlf != 0;
	if (o->recorder != NULL)
		up->tap = tap_sent;
	if (o->recorder != NULL || o->script != NULL ||
	    (o->progress != NULL && down->out.kind == FD_TERMINAL))
		down->tap = tap_received;
	if (o->recorder == NULL && !o->crlf &&
	    (up->in.kind != FD_SOCKET || is_forwarder))
		flow_allow_move(up);
	if (o->recorder == NULL && o->script == NULL &&
	    (down->out.kind != FD_SOCKET || is_forwarder))
		flow_allow_move(down);
	r->options = eof[o->on_eof] | (o->in >= 0 ? POLICY_HAS_INPUT : 0) |
		     (is_forwarder ? POLICY_FORWARDER : 0) |
		     (up->in.kind == FD_TERMINAL ? POLICY_TERMINAL : 0) |
		     (o->quits_with_peer ? POLICY_PEER_QUIT : 0) |
		     (o->quit_after_script ? POLICY_DONE : 0);
}

/* See sock_reset_on_close(); for a forwarder, both connections. */
static void
reset_on_close(const struct relay *r, bool resets)
{
	sock_reset_on_close(r->fd, resets);
	if (is(r, POLICY_FORWARDER))
		sock_reset_on_close(r->o->out, resets);
}

int
relay_run(int fd, const struct relay_options *o, struct conn_summary *sum,
    struct err *e)
{
	unsigned char *storage = mem_buffer((size_t)2 * FLOW_SIZE);
	struct pollfd *fds =
	    mem_array(POLL_COUNT + (o->next != NULL ? o->next->count : 0) + 1,
		sizeof(*fds));
	struct relay r = {.fd = fd,
	    .o = o,
	    .is_unix = sock_is_unix(fd),
	    .unread = o->unread,
	    .next = deadline_none(),
	    .pause = {.min = 1, .max = MAX_RECHECK_MS},
	    .e = e};
	int status;

	sock_nonblocking(fd, true);
	set_up(&r, storage);
	decide(&r);
	if (!is(&r, POLICY_TERMINAL))
		reset_on_close(&r, true);
	status = loop(&r, fds, e);
	if (status == 0)
		status = check_result(&r, e);
	if (o->progress != NULL)
		progress_end(o->progress);
	summarize(&r, sum, status, e);
	if (o->target != NULL)
		*o->target = r.target_sum;
	if (!sum->is_aborted)
		reset_on_close(&r, false);
	flow_release(&r.up);
	flow_release(&r.down);
	free(fds);
	free(storage);
	return status;
}
