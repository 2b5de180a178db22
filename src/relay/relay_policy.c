/* Connects a relay to its policy: events to report, actions to carry out. */
#include "relay/relay_policy.h"

#include <errno.h>

#include "base/clock.h"
#include "relay/policy.h"
#include "relay/relay_options.h"
#include "relay/relay_result.h"
#include "relay/script.h"
#include "net/shutdown.h"
#include "net/sock.h"

void
relay_policy_start(struct relay *r)
{
	const struct relay_options *o = r->o;
	const struct {
		bool is_set;
		unsigned option;
	} rows[] = {{o->in >= 0, POLICY_HAS_INPUT},
	    {r->up.in.kind == FD_TERMINAL, POLICY_TERMINAL},
	    {o->in >= 0 && o->in == o->out, POLICY_FORWARDER},
	    {o->on_eof == RELAY_EOF_KEEP, POLICY_EOF_KEEP},
	    {o->on_eof == RELAY_EOF_QUIT, POLICY_EOF_QUIT},
	    {o->on_peer_eof == RELAY_PEER_QUIT, POLICY_PEER_QUIT},
	    {o->quit_after_script, POLICY_DONE},
	    {o->script != NULL, POLICY_SCRIPTED}};
	unsigned options = 0;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		options |= rows[i].is_set ? rows[i].option : 0;
	r->state = policy_start(options);
	r->wants = policy_wants(r->state);
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

static void
send_fin(struct relay *r)
{
	r->fin_sent = shutdown_write(r->fd, &r->sum) == 0;
	if (!r->fin_sent)
		fail_unfinished(&r->up, r->fd);
}

static void
forward_fin(struct relay *r)
{
	if (shutdown_write(r->o->out, &r->target_sum) < 0)
		fail_unfinished(&r->down, r->o->out);
}

/* Carries out the policy's actions. Returns the event that they cause, or
 * POLICY_ANY. */
static enum policy_event
act(struct relay *r, unsigned actions)
{
	if ((actions & POLICY_FAIL_SEND) != 0)
		flow_fail_output(&r->up, r->down.in.errnum);
	if ((actions & POLICY_FAIL_OUTPUT) != 0)
		flow_fail_output(&r->down, r->up.in.errnum);
	if ((actions & POLICY_STOP_INPUT) != 0)
		flow_stop_reading(&r->up);
	if ((actions & POLICY_PROBE_PEER) != 0)
		sock_start_keepalive(r->fd);
	if ((actions & POLICY_PROBE_TARGET) != 0)
		sock_start_keepalive(r->o->in);
	if ((actions & POLICY_SEND_FIN) != 0)
		send_fin(r);
	if ((actions & POLICY_FINISH) != 0)
		r->finished_ns = clock_now();
	if ((actions & POLICY_FORWARD_FIN) != 0)
		forward_fin(r);
	if (r->up.out.errnum != 0 && !relay_is(r, POLICY_SEND_LOST))
		return POLICY_SEND_ERROR;
	if (r->down.out.errnum != 0 && !relay_is(r, POLICY_OUTPUT_LOST))
		return POLICY_OUTPUT_ERROR;
	return POLICY_ANY;
}

void
relay_policy_report(struct relay *r, enum policy_event event)
{
	struct policy_step step;

	while (event != POLICY_ANY) {
		step = policy_next(r->state, event);
		r->state = step.state;
		r->wants = policy_wants(step.state);
		event = step.actions != 0 ? act(r, step.actions) : POLICY_ANY;
	}
}

/* Reports what has changed at the end in, which was open. */
static void
report_end(struct relay *r, const struct flow_end *in, enum policy_event end,
    enum policy_event error)
{
	if (in->errnum == ECANCELED)
		relay_policy_report(r, POLICY_CANCEL);
	else
		relay_policy_report(r, in->errnum != 0 ? error : end);
}

void
relay_policy_report_up(struct relay *r)
{
	const struct flow *f = &r->up;
	bool is_unsent = f->out.errnum == 0 && !flow_is_empty(f);

	if (is_unsent && !relay_is(r, POLICY_UNSENT))
		relay_policy_report(r, POLICY_INPUT_DATA);
	if (f->in.errnum == ECANCELED ||
	    (f->in.fd < 0 && relay_is(r, POLICY_INPUT_OPEN)))
		report_end(r, &f->in, POLICY_INPUT_END, POLICY_INPUT_ERROR);
	if (f->out.errnum != 0 && !relay_is(r, POLICY_SEND_LOST))
		relay_policy_report(r, POLICY_SEND_ERROR);
	if (!is_unsent && relay_is(r, POLICY_UNSENT))
		relay_policy_report(r, POLICY_SENT);
}

/* Records the peer's FIN or reset. */
static void
note_peer_end(struct relay *r)
{
	r->peer_end_ns = clock_now();
	if (r->down.in.errnum == 0)
		shutdown_received(&r->sum);
	else if (r->down.in.errnum != ECANCELED &&
		 r->sum.first == CONN_FIRST_NOBODY)
		r->sum.first = CONN_FIRST_PEER;
}

void
relay_policy_report_down(struct relay *r)
{
	const struct flow *f = &r->down;
	bool is_unwritten = f->out.errnum == 0 && !flow_is_empty(f);

	if (is_unwritten && !relay_is(r, POLICY_UNWRITTEN))
		relay_policy_report(r, POLICY_PEER_DATA);
	if (f->in.fd < 0 && relay_is(r, POLICY_PEER_OPEN)) {
		if (!r->has_no_target)
			note_peer_end(r);
		report_end(r, &f->in, POLICY_PEER_FIN, POLICY_PEER_ERROR);
	}
	if (f->out.errnum != 0 && !relay_is(r, POLICY_OUTPUT_LOST))
		relay_policy_report(r, POLICY_OUTPUT_ERROR);
	if (!is_unwritten && relay_is(r, POLICY_UNWRITTEN))
		relay_policy_report(r, POLICY_WRITTEN);
}

void
relay_policy_report_script(struct relay *r)
{
	const struct script *script = r->o->script;
	bool is_expecting;

	if (!relay_is(r, POLICY_SCRIPTED))
		return;
	is_expecting = script_is_expecting(script);
	if (script_is_done(script))
		relay_policy_report(r, POLICY_AT_SCRIPT_END);
	else if (is_expecting != relay_is(r, POLICY_EXPECTING))
		relay_policy_report(
		    r, is_expecting ? POLICY_AT_PATTERN : POLICY_AT_TEXT);
}
