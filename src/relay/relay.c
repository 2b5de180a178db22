/* Relays both directions of a connection until its policy ends it. */
#include "relay/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/progress.h"
#include "relay/script.h"
#include "relay/flow.h"
#include "relay/relay_result.h"
#include "net/shutdown.h"
#include "net/sock.h"
#include "net/wait.h"

/* The longest pause between two checks of the acknowledgements. */
#define MAX_RECHECK_MS 32

/* The longest wait for the last acknowledgements with --on-peer-eof quit. */
#define QUIT_MS INT64_C(2000)

/* How long the input is idle after the peer's FIN before report_waiting()
 * reports it: on a terminal, and with -v. */
#define NOTICE_MS INT64_C(1000)
#define NOTICE_VERBOSE_MS INT64_C(100)

/* Indexes in the poll array. */
enum { POLL_SOCKET, POLL_IN, POLL_OUT, POLL_COUNT };

/* Whether a forwarder has lost either side: a FIN to the other side would make
 * partial data look complete. */
static bool
is_side_lost(const struct relay *r)
{
	return relay_result_is_forwarder(r) &&
	       (r->up.in.errnum != 0 || r->up.out.errnum != 0 ||
		   r->down.in.errnum != 0 || r->down.out.errnum != 0);
}

/* If the FIN cannot be sent, the connection is lost, unless nothing was ever
 * sent on it. */
static void
fail_unfinished(struct flow *f, int fd)
{
	int errnum = errno;

	if (f->bytes == 0)
		return;
	if (errnum == ENOTCONN)
		errnum = sock_error(fd);
	flow_fail_output(f, errnum != 0 ? errnum : EPIPE);
}

/* Sends FIN when the input has ended and all of it is sent. */
static void
send_fin(struct relay *r)
{
	if (r->up.in.fd >= 0 || r->finished || !flow_is_done(&r->up))
		return;
	if (r->o->in < 0)
		return;
	if (r->up.out.errnum == 0 && r->up.in.errnum == 0 && !is_side_lost(r) &&
	    !r->input_abandoned &&
	    (r->o->on_eof == RELAY_EOF_FIN || r->peer_finished)) {
		r->fin_sent = shutdown_write(r->fd, &r->sum) == 0;
		if (!r->fin_sent)
			fail_unfinished(&r->up, r->fd);
	}
	r->finished = true;
	r->finished_ns = clock_now();
}

static bool
is_scripted(const struct relay *r)
{
	return r->o->script != NULL && !script_is_done(r->o->script);
}

/*
 * Sends the script's next texts. Returns 0, or -1 with *e if a pattern failed.
 */
static int
advance_script(struct relay *r)
{
	struct script *script = r->o->script;
	const char *text;
	size_t n;

	if (r->down.in.fd < 0 && r->down.in.errnum == 0)
		script_end(script);
	while ((text = script_text(script, &n)) != NULL &&
	       flow_put(&r->up, text, n))
		script_sent(script);
	/* If sending failed, that is the error to report. */
	if (!script_is_expecting(script) || r->up.out.errnum != 0)
		return 0;
	if (r->down.in.fd < 0)
		return script_error(script,
		    r->down.in.errnum != 0 ? "the connection was lost"
					   : "the peer finished",
		    r->e);
	if (deadline_passed(script_deadline(script)))
		return script_timeout_error(script, r->e);
	return 0;
}

/* A forwarder passes the peer's FIN on to its target. */
static void
forward_fin(struct relay *r)
{
	if (!relay_result_is_forwarder(r) || r->out_finished ||
	    !flow_is_done(&r->down))
		return;
	if (!is_side_lost(r) && shutdown_write(r->o->out, &r->target_sum) < 0)
		fail_unfinished(&r->down, r->o->out);
	r->out_finished = true;
}

/* Whether the policy or the script ends the relay before the peer finishes. */
static bool
ends_early(const struct relay *r)
{
	return (r->finished && r->o->on_eof == RELAY_EOF_QUIT) ||
	       (r->o->quit_after_script && flow_is_empty(&r->up));
}

static bool
must_end(const struct relay *r)
{
	if (r->down.out.errnum != 0 && !relay_result_is_forwarder(r))
		return true;
	if (r->up.in.errnum != 0 && !relay_result_is_forwarder(r))
		return flow_is_empty(&r->down);
	if (is_scripted(r))
		/* The next text cannot be sent; see peer_lost(). */
		return r->up.out.errnum != 0 && flow_is_done(&r->down);
	if (ends_early(r) && !relay_result_has_failed(r))
		return true;
	if (!flow_is_done(&r->down))
		return false;
	if (r->o->on_peer_eof == RELAY_PEER_QUIT)
		return true;
	return flow_is_done(&r->up) && (r->finished || r->o->in < 0);
}

/* Until when --on-peer-eof quit waits for acknowledgements. */
static struct deadline
quit_deadline(const struct relay *r)
{
	struct deadline d = {.at_ns = r->peer_end_ns + QUIT_MS * CLOCK_MS};

	return r->peer_finished && r->o->on_peer_eof == RELAY_PEER_QUIT
		   ? d
		   : deadline_none();
}

/*
 * Whether all sent data is acknowledged or lost: the peer may still reset. No
 * descriptor becomes ready at the last acknowledgement, so this must be polled.
 */
static bool
is_delivered(struct relay *r)
{
	bool has_two = relay_result_is_forwarder(r),
	     is_done = deadline_passed(quit_deadline(r)) ||
		       (sock_is_acked(r->fd) &&
			   (!has_two || sock_is_acked(r->o->out)));

	if (flow_check_error(&r->up, r->fd) ||
	    (has_two && flow_check_error(&r->down, r->o->out)) || is_done)
		return true;
	r->recheck = deadline_after(backoff_next(&r->recheck_pause));
	return false;
}

/* Whether all data read is written; stops further reads. */
static bool
is_written_out(struct relay *r)
{
	r->has_stopped_receiving = true;
	return flow_is_empty(&r->down);
}

/* Whether the relay has ended and its data is delivered. */
static bool
has_ended(struct relay *r)
{
	r->recheck = deadline_none();
	if (!must_end(r))
		return false;
	return relay_result_has_failed(r) ||
	       (is_delivered(r) && is_written_out(r));
}

/* Whether the peer has finished and this side has not. No more data can arrive
 * on fd, and an error or hang-up there means that the peer has vanished. */
static bool
is_half_closed(const struct relay *r)
{
	return r->peer_finished && !r->finished && r->up.out.errnum == 0;
}

/* The same for the target of a forwarder. */
static bool
is_target_half_closed(const struct relay *r)
{
	return relay_result_is_forwarder(r) && r->up.in.fd < 0 &&
	       r->up.in.errnum == 0 && !r->out_finished &&
	       r->down.out.errnum == 0;
}

static void
set_poll(struct pollfd *p, int fd, short events, bool is_watched)
{
	p->fd = events != 0 || is_watched ? fd : -1;
	p->events = events;
	p->revents = 0;
}

static void
fill_poll(const struct relay *r, struct pollfd *fds)
{
	short events = 0;

	if (flow_wants_read(&r->down) && !r->has_stopped_receiving)
		events |= POLLIN;
	if (flow_wants_write(&r->up))
		events |= POLLOUT;
	set_poll(&fds[POLL_SOCKET], r->fd, events, is_half_closed(r));
	set_poll(&fds[POLL_IN], r->up.in.fd,
	    flow_wants_read(&r->up) && !is_scripted(r) ? POLLIN : 0, false);
	set_poll(&fds[POLL_OUT], r->down.out.fd,
	    flow_wants_write(&r->down) ? POLLOUT : 0, is_target_half_closed(r));
}

/* Stops reading the input; records that it had not ended. */
static void
abandon_input(struct relay *r)
{
	if (r->up.in.fd >= 0)
		r->input_abandoned = true;
	flow_stop_reading(&r->up);
}

/*
 * Whether the peer has finished and the policy is to send the available input.
 */
static bool
is_draining(const struct relay *r)
{
	return r->peer_finished && r->up.in.fd >= 0 && !is_scripted(r) &&
	       r->o->on_peer_eof == RELAY_PEER_DRAIN && flow_wants_read(&r->up);
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

/* One read from the input and one write to the peer. */
static void
pump_up(struct relay *r, const struct pollfd *fds)
{
	if (is_draining(r) && fds[POLL_IN].events != 0 &&
	    fds[POLL_IN].revents == 0)
		abandon_input(r);
	if (flow_pump(&r->up, fds[POLL_IN].revents,
		fds[POLL_SOCKET].revents & ~POLLIN) &&
	    relay_result_is_forwarder(r)) {
		detect_reset(&r->up.in, r->o->in, r->out_finished);
		r->target_sum.is_fin_received = r->up.in.errnum == 0;
		if (is_target_half_closed(r))
			sock_start_keepalive(r->o->in);
	}
	if (relay_result_is_forwarder(r) && r->up.in.errnum != 0)
		/* A lost target accepts no more data either. */
		flow_fail_output(&r->down, r->up.in.errnum);
	if (r->up.out.errnum != 0)
		/* Readable data is read before the error ends the relay. */
		abandon_input(r);
	send_fin(r);
}

/* Ends both directions after the connection is lost. */
static void
peer_lost(struct relay *r, int errnum)
{
	flow_fail_output(&r->up, errnum);
	abandon_input(r);
	send_fin(r);
}

/* Records the peer's FIN or reset. */
static void
note_peer_end(struct relay *r)
{
	r->peer_finished = true;
	r->peer_end_ns = clock_now();
	if (r->down.in.errnum == 0)
		shutdown_received(r->fd, &r->sum);
	else if (r->sum.first == CONN_FIRST_NOBODY)
		r->sum.first = CONN_FIRST_PEER;
	if (r->down.in.errnum != 0)
		peer_lost(r, r->down.in.errnum);
	else if (!r->finished && r->o->in >= 0)
		sock_start_keepalive(r->fd);
}

/* One read from the peer and one write to the output. */
static void
pump_down(struct relay *r, const struct pollfd *fds)
{
	if (flow_pump(&r->down,
		fds[POLL_SOCKET].revents & (POLLIN | POLLHUP | POLLERR),
		fds[POLL_OUT].revents))
		detect_reset(&r->down.in, r->fd, r->finished);
	/*
	 * Either call may have read the end: a write may move from the socket.
	 */
	if (r->down.in.fd < 0 && !r->peer_finished)
		note_peer_end(r);
	forward_fin(r);
}

/* An error or hang-up on a half-closed side means that it is lost. */
static void
check_hangups(struct relay *r, const struct pollfd *fds)
{
	const short hangup = POLLERR | POLLHUP;
	int errnum;

	if (is_half_closed(r) && (fds[POLL_SOCKET].revents & hangup) != 0 &&
	    flow_is_empty(&r->up)) {
		errnum = sock_error(r->fd);
		peer_lost(r, errnum != 0 ? errnum : EPIPE);
	}
	if (is_target_half_closed(r) && (fds[POLL_OUT].revents & hangup) != 0 &&
	    flow_is_empty(&r->down)) {
		errnum = sock_error(r->o->out);
		flow_fail_output(&r->down, errnum != 0 ? errnum : EPIPE);
		flow_stop_reading(&r->down);
	}
}

/* One round of both directions. */
static void
pump(struct relay *r, const struct pollfd *fds)
{
	uint64_t up = r->up.read_bytes, down = r->down.read_bytes;

	if (r->up.out.errnum != 0)
		flow_stop_unless_readable(&r->down, &fds[POLL_SOCKET]);
	if (r->down.out.errnum != 0 && relay_result_is_forwarder(r))
		flow_stop_unless_readable(&r->up, &fds[POLL_IN]);
	flow_yield(&r->up, &r->down);
	pump_up(r, fds);
	flow_yield(&r->down, &r->up);
	pump_down(r, fds);
	check_hangups(r, fds);
	if (r->down.read_bytes != down)
		flow_flush(&r->up);
	if (r->up.read_bytes != up)
		flow_flush(&r->down);
}

/* Records progress for the limits: data that the system still sends counts, and
 * --linger starts only when all received data is written. */
static void
note_progress(struct relay *r)
{
	uint64_t unsent;

	if (relay_result_is_output_pending(r))
		r->written_ns = clock_now();
	if (r->o->idle_ms < 0)
		return;
	unsent = sock_unacked_bytes(r->fd);
	if (relay_result_is_forwarder(r))
		unsent += sock_unacked_bytes(r->o->out);
	if (unsent < r->unsent)
		r->moved_ns = clock_now();
	r->unsent = unsent;
}

/* When to check the system's progress again, which no event reports. */
static struct deadline
progress_deadline(const struct relay *r)
{
	int64_t ms = r->o->idle_ms / 8;

	return r->o->idle_ms < 0 || r->unsent == 0
		   ? deadline_none()
		   : deadline_after(ms < 10 ? 10 : ms);
}

/* When to report that the peer has finished and sockt waits for stdin; none if
 * the input is not idle or nobody would see it. */
static struct deadline
report_deadline(const struct relay *r)
{
	bool is_verbose = diag_shows(DIAG_NOTE);
	struct deadline d = {.at_ns = r->peer_end_ns};

	if (r->is_waiting_reported || !is_half_closed(r) ||
	    relay_result_is_forwarder(r) || is_scripted(r) || r->up.in.fd < 0 ||
	    !flow_is_empty(&r->up) ||
	    (!is_verbose && !diag_progress_is_shown()))
		return deadline_none();
	if (r->up.read_ns > d.at_ns)
		d.at_ns = r->up.read_ns;
	return deadline_from(
	    d.at_ns, is_verbose ? NOTICE_VERBOSE_MS : NOTICE_MS);
}

static void
report_waiting(struct relay *r)
{
	if (!deadline_passed(report_deadline(r)))
		return;
	r->is_waiting_reported = true;
	diag_warn("the peer has finished; waiting for the end of stdin, which "
		  "is still sent (--on-peer-eof quit or --recv-only would not "
		  "wait)");
}

/* When to report on a terminal which pattern the script waits for. */
static struct deadline
script_report_deadline(const struct relay *r)
{
	return is_scripted(r) && diag_progress_is_shown()
		   ? script_notice(r->o->script)
		   : deadline_none();
}

/* The deadline of the next poll. */
static struct deadline
next_event(const struct relay *r)
{
	struct deadline until = relay_result_deadline(r);

	if (is_draining(r) ||
	    (r->up.out.errnum != 0 && flow_wants_read(&r->down)) ||
	    (r->down.out.errnum != 0 && flow_wants_read(&r->up)))
		/* Read only the data that has already arrived. */
		until = deadline_after(0);
	until = deadline_first(until, r->recheck);
	until = deadline_first(until, progress_deadline(r));
	until = deadline_first(until, report_deadline(r));
	until = deadline_first(until, flow_deadline(&r->up));
	until = deadline_first(until, flow_deadline(&r->down));
	until = deadline_first(until, script_report_deadline(r));
	if (r->o->script != NULL)
		until = deadline_first(until, script_deadline(r->o->script));
	if (r->o->progress != NULL)
		until = deadline_first(until, progress_next(r->o->progress));
	return until;
}

/* Reads, writes and waits until the relay ends. */
static int
loop(struct relay *r, struct err *e)
{
	struct pollfd fds[POLL_COUNT + 1];

	while (!has_ended(r)) {
		if (is_scripted(r) && advance_script(r) < 0)
			return -1;
		fill_poll(r, fds);
		if (wait_poll(fds, POLL_COUNT, next_event(r)) < 0)
			return err_sys(e, ERR_FAILED, errno, "relaying");
		note_progress(r);
		if (deadline_passed(relay_result_deadline(r)))
			return relay_result_limit(r, e);
		pump(r, fds);
		report_waiting(r);
		if (deadline_passed(script_report_deadline(r)))
			script_report(r->o->script);
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
tap_sent(void *context, const void *bytes, size_t n)
{
	struct relay *r = context;

	if (r->o->tap == NULL)
		return 0;
	return r->o->tap(r->o->context, true, bytes, n, r->e);
}

static int
tap_received(void *context, const void *bytes, size_t n)
{
	struct relay *r = context;

	if (is_scripted(r))
		script_receive(r->o->script, bytes, n);
	/* It goes where the live line is. */
	if (r->down.out.kind == FD_TERMINAL)
		diag_progress_yield(bytes, n);
	if (r->o->tap == NULL)
		return 0;
	return r->o->tap(r->o->context, false, bytes, n, r->e);
}

/*
 * Sets what each flow may do. It may move bytes that are neither tapped nor
 * changed, unless stdin or stdout is a socket, which other processes may share
 * and which may block. It may set options on sockets that no other process
 * shares.
 */
static void
set_up_flows(struct relay *r)
{
	const struct relay_options *o = r->o;

	if (o->tap == NULL && !o->crlf &&
	    (r->up.in.kind != FD_SOCKET || relay_result_is_forwarder(r)))
		flow_allow_move(&r->up);
	if (o->tap == NULL && o->script == NULL &&
	    (r->down.out.kind != FD_SOCKET || relay_result_is_forwarder(r)))
		flow_allow_move(&r->down);
	flow_allow_low_water(&r->down);
	if (relay_result_is_forwarder(r))
		flow_allow_low_water(&r->up);
	flow_allow_coalesce(&r->up);
	if (relay_result_is_forwarder(r))
		flow_allow_coalesce(&r->down);
	r->up.context = r->down.context = r;
	if (r->o->tap != NULL)
		r->up.tap = tap_sent;
	if (r->o->tap != NULL || r->o->script != NULL ||
	    (r->o->progress != NULL && r->down.out.kind == FD_TERMINAL))
		r->down.tap = tap_received;
}

/* See sock_reset_on_close(); for a forwarder, both connections. */
static void
reset_on_close(const struct relay *r, bool resets)
{
	sock_reset_on_close(r->fd, resets);
	if (relay_result_is_forwarder(r))
		sock_reset_on_close(r->o->out, resets);
}

int
relay_run(int fd, const struct relay_options *o, struct conn_summary *sum,
    struct err *e)
{
	unsigned char *storage = mem_array(2, FLOW_SIZE);
	struct relay r = {.fd = fd,
	    .o = o,
	    .sum = {.wants_order = diag_emits(DIAG_NOTE)},
	    .recheck = deadline_none(),
	    .recheck_pause = {.min = 1, .max = MAX_RECHECK_MS},
	    .e = e};
	int status;

	sock_nonblocking(fd, true);
	flow_init(&r.up, o->in, fd, storage);
	/* Data for /dev/null is dropped without a copy. */
	flow_init(&r.down, fd, fd_kind(o->out) == FD_NULL ? -1 : o->out,
	    storage + FLOW_SIZE);
	r.up.crlf = o->crlf;
	set_up_flows(&r);
	if (r.up.in.kind != FD_TERMINAL)
		reset_on_close(&r, true);
	status = loop(&r, e);
	if (status == 0)
		status = relay_result_check(&r, e);
	if (o->progress != NULL)
		progress_end(o->progress);
	relay_result_summarize(&r, sum, status, e);
	if (o->target != NULL)
		*o->target = r.target_sum;
	if (!sum->is_aborted)
		reset_on_close(&r, false);
	flow_release(&r.up);
	flow_release(&r.down);
	free(storage);
	return status;
}
