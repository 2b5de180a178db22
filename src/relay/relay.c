/*
 * Relays both directions of a connection: reports what happens to the policy
 * (relay/policy.h), carries out its actions, and waits as it wants.
 */
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
#include "relay/relay_policy.h"
#include "relay/relay_result.h"
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

	if (r->down.in.fd < 0 && r->down.in.errnum == 0)
		script_end(script);
	r->is_searching = script_search(script);
	while ((text = script_text(script, &n)) != NULL &&
	       flow_put(&r->up, text, n))
		script_sent(script);
	/* It may have ended in texts. */
	if (script_is_done(script))
		r->is_searching = false;
	relay_policy_report_script(r);
	relay_policy_report_up(r);
	if (relay_is(r, POLICY_STOPPED))
		return -1;
	if (r->is_searching)
		return 0;
	if (relay_wants(r, POLICY_FAIL_PATTERN))
		return script_error(script, "the peer finished", r->e);
	/* If sending failed, that is the error to report. */
	if (relay_is(r, POLICY_SEND_LOST) ||
	    !deadline_passed(script_deadline(script)))
		return 0;
	return script_timeout_error(script, r->e);
}

/* Until when --on-peer-eof quit waits for acknowledgements. */
static struct deadline
quit_deadline(const struct relay *r)
{
	struct deadline d = {.at_ns = r->peer_end_ns + QUIT_MS * CLOCK_MS};

	return relay_is(r, POLICY_PEER_QUIT) && !relay_is(r, POLICY_PEER_OPEN)
		   ? d
		   : deadline_none();
}

/*
 * Reports when all sent data is acknowledged or lost: the peer may still reset.
 * No descriptor becomes ready at the last acknowledgement, so this must be
 * polled.
 */
static void
confirm(struct relay *r)
{
	bool has_two = relay_is(r, POLICY_FORWARDER),
	     is_acked = deadline_passed(quit_deadline(r)) ||
			(sock_is_acked(r->fd) &&
			    (!has_two || sock_is_acked(r->o->out)));

	if (flow_check_error(&r->up, r->fd))
		relay_policy_report(r, POLICY_ACK_ERROR);
	else if (has_two && flow_check_error(&r->down, r->o->out))
		relay_policy_report(r, POLICY_TARGET_ERROR);
	else if (is_acked)
		relay_policy_report(r, POLICY_ACKED);
	else
		r->recheck = deadline_after(backoff_next(&r->recheck_pause));
}

/* Whether the relay has ended and its data is delivered. */
static bool
has_ended(struct relay *r)
{
	r->recheck = deadline_none();
	relay_policy_report_script(r);
	if (relay_wants(r, POLICY_CONFIRM))
		confirm(r);
	return relay_wants(r, POLICY_END);
}

static void
set_poll(struct pollfd *p, int fd, short events, bool is_watched)
{
	p->fd = events != 0 || is_watched ? fd : -1;
	p->events = events;
	p->revents = 0;
}

/* Whether o->unread is polled. */
static bool
watches_unread(const struct relay *r)
{
	return r->watches_unread && r->o->script->at == 0;
}

/* Whether a hang-up of the peer tells more than its end. That of a Unix socket
 * does not: what stdin still gives shows whether there is a loss. */
static bool
watches_peer(const struct relay *r)
{
	return relay_wants(r, POLICY_WATCH_PEER) &&
	       (!r->is_unix || relay_is(r, POLICY_FORWARDER) ||
		   r->o->is_program);
}

static void
fill_poll(const struct relay *r, struct pollfd *fds)
{
	short events = 0;

	if (flow_wants_read(&r->down) && relay_wants(r, POLICY_READ_PEER) &&
	    !r->is_searching)
		events |= POLLIN;
	if (flow_wants_write(&r->up))
		events |= POLLOUT;
	set_poll(&fds[POLL_SOCKET], r->fd, events, watches_peer(r));
	if (watches_unread(r))
		set_poll(&fds[POLL_IN], r->o->unread, POLLIN, false);
	else
		set_poll(&fds[POLL_IN], r->up.in.fd,
		    flow_wants_read(&r->up) && relay_wants(r, POLICY_READ_INPUT)
			? POLLIN
			: 0,
		    false);
	set_poll(&fds[POLL_OUT], r->down.out.fd,
	    flow_wants_write(&r->down) ? POLLOUT : 0,
	    relay_wants(r, POLICY_WATCH_TARGET));
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
	if (flow_pump(&r->up, fds[POLL_IN].revents,
		fds[POLL_SOCKET].revents & ~POLLIN) &&
	    relay_is(r, POLICY_FORWARDER)) {
		detect_reset(
		    &r->up.in, r->o->in, relay_is(r, POLICY_TARGET_FINISHED));
		r->target_sum.is_fin_received = r->up.in.errnum == 0;
	}
	relay_policy_report_up(r);
}

/* One read from the peer and one write to the output. */
static void
pump_down(struct relay *r, const struct pollfd *fds)
{
	if (flow_pump(&r->down,
		fds[POLL_SOCKET].revents & (POLLIN | POLLHUP | POLLERR),
		fds[POLL_OUT].revents))
		detect_reset(&r->down.in, r->fd, relay_is(r, POLICY_FINISHED));
	relay_policy_report_down(r);
}

/*
 * An error or hang-up on a side that has finished means that it is lost. But a
 * Unix socket that is closed without a half-close before, as most are, hangs up
 * at once: if nothing was left to deliver, the conversation is over.
 */
static void
check_hangups(struct relay *r, const struct pollfd *fds)
{
	const short hangup = POLLERR | POLLHUP;
	bool is_forwarder = relay_is(r, POLICY_FORWARDER);
	int errnum;

	if (watches_peer(r) && (fds[POLL_SOCKET].revents & hangup) != 0 &&
	    flow_is_empty(&r->up)) {
		errnum = sock_error(r->fd);
		if (errnum == 0 && is_forwarder && r->is_unix)
			flow_stop_reading(&r->up);
		else
			flow_fail_output(&r->up, errnum != 0 ? errnum : EPIPE);
		relay_policy_report_up(r);
	}
	if (relay_wants(r, POLICY_WATCH_TARGET) &&
	    (fds[POLL_OUT].revents & hangup) != 0 && flow_is_empty(&r->down)) {
		errnum = sock_error(r->o->out);
		if (errnum == 0 && sock_is_unix(r->o->out)) {
			r->has_no_target = true;
			flow_stop_reading(&r->down);
		} else {
			flow_fail_output(
			    &r->down, errnum != 0 ? errnum : EPIPE);
		}
		relay_policy_report_down(r);
	}
}

/* One round of both directions. */
static void
pump(struct relay *r, const struct pollfd *fds)
{
	if (relay_wants(r, POLICY_DRAIN_PEER))
		flow_stop_unless_readable(&r->down, &fds[POLL_SOCKET]);
	if (relay_wants(r, POLICY_DRAIN_TARGET))
		flow_stop_unless_readable(&r->up, &fds[POLL_IN]);
	pump_up(r, fds);
	pump_down(r, fds);
	check_hangups(r, fds);
}

/* Records progress for the limits, before and after data is moved: data that
 * the system still sends counts, and --linger starts only when all received
 * data is written. */
static void
note_progress(struct relay *r)
{
	uint64_t unsent;

	if (relay_result_is_output_pending(r))
		r->written_ns = clock_now();
	if (r->o->idle.ms < 0)
		return;
	unsent = sock_unacked_bytes(r->fd);
	if (relay_is(r, POLICY_FORWARDER))
		unsent += sock_unacked_bytes(r->o->out);
	if (unsent < r->unsent)
		r->moved_ns = clock_now();
	r->unsent = unsent;
}

/* When to check the system's progress again, which no event reports. */
static struct deadline
progress_deadline(const struct relay *r)
{
	int64_t ms = r->o->idle.ms / 8;

	return r->o->idle.ms < 0 || r->unsent == 0
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

	if (r->is_waiting_reported || !relay_wants(r, POLICY_AWAIT_INPUT) ||
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

/* The deadline of the next poll. */
static struct deadline
next_event(const struct relay *r)
{
	struct deadline until = relay_result_deadline(r);

	if (r->is_searching ||
	    (relay_wants(r, POLICY_DRAIN_TARGET) && flow_wants_read(&r->up)) ||
	    (relay_wants(r, POLICY_DRAIN_PEER) && flow_wants_read(&r->down)))
		/* Read only the data that has already arrived. */
		until = deadline_after(0);
	until = deadline_first(until, r->recheck);
	until = deadline_first(until, progress_deadline(r));
	until = deadline_first(until, report_deadline(r));
	if (r->o->script != NULL) {
		until = deadline_first(until, script_deadline(r->o->script));
		until = deadline_first(until, script_notice(r->o->script));
	}
	if (r->o->progress != NULL)
		until = deadline_first(until, progress_next(r->o->progress));
	return until;
}

/* Returns 0, or -1 with *e if o->unread has data. */
static int
check_unread(struct relay *r, short revents, struct err *e)
{
	if (!watches_unread(r) || revents == 0)
		return 0;
	r->watches_unread = false;
	if (fd_available(r->o->unread) == 0)
		return 0;
	return err_set(e, ERR_USAGE, RELAY_UNREAD_ERROR);
}

/* Reads, writes and waits until the relay ends. */
static int
loop(struct relay *r, struct err *e)
{
	struct pollfd fds[POLL_COUNT + 1];
	bool was_scripted;

	while (!has_ended(r)) {
		was_scripted = relay_is(r, POLICY_SCRIPTED);
		if (was_scripted && advance_script(r) < 0)
			return -1;
		/* The end may have waited for this. */
		if (was_scripted && !relay_is(r, POLICY_SCRIPTED))
			continue;
		fill_poll(r, fds);
		if (wait_poll(fds, POLL_COUNT, next_event(r)) < 0)
			return err_sys(e, ERR_FAILED, errno, "relaying");
		if (check_unread(r, fds[POLL_IN].revents, e) < 0)
			return -1;
		note_progress(r);
		if (deadline_passed(relay_result_deadline(r)))
			return relay_result_limit(r, e);
		pump(r, fds);
		note_progress(r);
		if (relay_is(r, POLICY_STOPPED))
			return -1;
		report_waiting(r);
		if (relay_is(r, POLICY_SCRIPTED) &&
		    deadline_passed(script_notice(r->o->script)))
			script_report(r->o->script);
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

	return r->o->tap(r->o->context, true, bytes, n, r->e);
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
	if (r->o->tap == NULL)
		return 0;
	return r->o->tap(r->o->context, false, bytes, n, r->e);
}

/*
 * Sets what each flow may do. It may move bytes that are neither tapped nor
 * changed, unless stdin or stdout is a socket, which other processes may share
 * and which may block.
 */
static void
set_up_flows(struct relay *r)
{
	const struct relay_options *o = r->o;

	if (o->tap == NULL && !o->crlf &&
	    (r->up.in.kind != FD_SOCKET || relay_is(r, POLICY_FORWARDER)))
		flow_allow_move(&r->up);
	if (o->tap == NULL && o->script == NULL &&
	    (r->down.out.kind != FD_SOCKET || relay_is(r, POLICY_FORWARDER)))
		flow_allow_move(&r->down);
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
	if (relay_is(r, POLICY_FORWARDER))
		sock_reset_on_close(r->o->out, resets);
}

int
relay_run(int fd, const struct relay_options *o, struct conn_summary *sum,
    struct err *e)
{
	unsigned char *storage = mem_buffer((size_t)2 * FLOW_SIZE);
	struct relay r = {.fd = fd,
	    .o = o,
	    .is_unix = sock_is_unix(fd),
	    .watches_unread = o->unread >= 0,
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
	relay_policy_start(&r);
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
