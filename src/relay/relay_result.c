/* The result of a relay: its error message and its summary. */
#include "relay/relay_result.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/num.h"
#include "relay/relay_options.h"
#include "net/sock.h"

bool
relay_result_is_forwarder(const struct relay *r)
{
	return r->o->in >= 0 && r->o->in == r->o->out;
}

bool
relay_result_has_failed(const struct relay *r)
{
	return r->up.in.errnum != 0 || r->up.out.errnum != 0 ||
	       r->down.in.errnum != 0 || r->down.out.errnum != 0;
}

bool
relay_result_is_output_pending(const struct relay *r)
{
	return !flow_is_empty(&r->down) || r->down.move.is_blocked;
}

/* Until when the peer must finish; none while sockt is not waiting for the
 * peer. */
static struct deadline
linger_deadline(const struct relay *r)
{
	int64_t from =
	    r->finished_ns > r->written_ns ? r->finished_ns : r->written_ns;

	if (!r->finished || r->peer_finished ||
	    relay_result_is_output_pending(r))
		return deadline_none();
	return deadline_limit_from(from, r->o->linger_ms, "--linger");
}

static struct deadline
idle_deadline(const struct relay *r)
{
	int64_t last =
	    r->up.last_ns > r->down.last_ns ? r->up.last_ns : r->down.last_ns;

	return deadline_from(
	    last > r->moved_ns ? last : r->moved_ns, r->o->idle_ms);
}

struct deadline
relay_result_deadline(const struct relay *r)
{
	return deadline_first(
	    r->o->until, deadline_first(linger_deadline(r), idle_deadline(r)));
}

int
relay_result_limit(const struct relay *r, struct err *e)
{
	struct deadline linger = linger_deadline(r);
	char sent[32];

	if (deadline_passed(linger) && !deadline_passed(r->o->until))
		deadline_error(linger, "the peer did not finish", e);
	else
		deadline_idle_error(r->o->until, r->o->idle_ms, e);
	if (relay_result_is_output_pending(r))
		err_append(e, "stdout accepts no more data");
	else if (!flow_is_empty(&r->up))
		err_append(e, "the peer does not read what was sent");
	return err_append(e, "sent %s, received %llu",
	    num_format_count(sent, sizeof(sent), r->up.bytes, "byte"),
	    (unsigned long long)r->down.bytes);
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
	if (r->input_abandoned)
		n += fd_available(r->o->in);
	return n;
}

/* Whether the abandoned input has not ended yet. */
static bool
is_input_open(const struct relay *r)
{
	struct pollfd p = {.fd = r->o->in, .events = POLLIN};

	return r->input_abandoned &&
	       (poll(&p, 1, 0) <= 0 || fd_available(r->o->in) > 0);
}

static int
lost_error(const struct relay *r, int errnum, struct err *e)
{
	char text[32];
	uint64_t n;

	err_sys(e, ERR_LOST, errnum,
	    "the connection was lost after %s sent and %llu received",
	    num_format_count(text, sizeof(text), r->up.bytes, "byte"),
	    (unsigned long long)r->down.bytes);
	if (relay_result_is_forwarder(r) || r->o->in < 0)
		return -1;
	n = undelivered(r);
	if (n > 0)
		return err_append(e, "%s of stdin not delivered",
		    num_format_count(text, sizeof(text), n, "byte"));
	if (is_input_open(r))
		return err_append(e, "stdin was still open");
	return -1;
}

/* The policy ended the relay before the end of the input. At a terminal the
 * user sees that; otherwise the data left is reported. */
static int
check_input(const struct relay *r, struct err *e)
{
	bool quits = r->o->on_peer_eof == RELAY_PEER_QUIT;
	char text[32];
	uint64_t n = undelivered(r);

	if (relay_result_is_forwarder(r) || r->o->in < 0 ||
	    r->o->quit_after_script)
		return 0;
	if (r->up.in.fd >= 0 && r->up.in.kind != FD_TERMINAL)
		n += fd_available(r->up.in.fd);
	if (n > 0)
		return err_set(e, ERR_LOST,
		    "the peer finished first; %s of stdin not delivered "
		    "(--on-peer-eof %s)",
		    num_format_count(text, sizeof(text), n, "byte"),
		    quits ? "quit" : "drain");
	if (r->up.in.kind != FD_TERMINAL && is_input_open(r))
		return err_set(e, ERR_LOST,
		    "the peer finished first; stdin was still open, and what "
		    "it delivers later is not sent (--on-peer-eof drain)");
	return 0;
}

/* Reports the side of a forwarder that was lost, if any. lost is the client's
 * errno. */
static int
check_forwarder(const struct relay *r, int lost, struct err *e)
{
	char text[32];
	int target =
	    r->down.out.errnum != 0 ? r->down.out.errnum : r->up.in.errnum;

	if (lost != 0)
		return lost_error(r, lost, e);
	if (target == 0)
		return 0;
	return err_sys(e, ERR_LOST, target,
	    "the target was lost after %s received from it and %llu sent",
	    num_format_count(text, sizeof(text), r->up.read_bytes, "byte"),
	    (unsigned long long)r->down.bytes);
}

int
relay_result_check(const struct relay *r, struct err *e)
{
	char text[32];
	int lost = r->up.out.errnum != 0 ? r->up.out.errnum : r->down.in.errnum;

	if (relay_result_is_forwarder(r))
		return check_forwarder(r, lost, e);
	if (r->down.out.errnum == EPIPE) {
		err_set(e, ERR_OUTPUT,
		    "stdout was closed by its reader after %s",
		    num_format_count(
			text, sizeof(text), r->down.bytes, "byte"));
		e->errnum = EPIPE;
		return -1;
	}
	if (r->down.out.errnum != 0)
		return err_sys(e, ERR_OUTPUT, r->down.out.errnum, "stdout");
	if (r->up.in.errnum != 0)
		return err_sys(e, ERR_OUTPUT, r->up.in.errnum, "stdin");
	/* A peer that finished and then vanished is not an error if nothing
	 * was to be sent. */
	if (lost != 0 && r->down.in.errnum == 0 && r->up.read_bytes == 0 &&
	    r->up.bytes == 0 && flow_is_empty(&r->up) && !is_input_open(r))
		return 0;
	return lost == 0 ? check_input(r, e) : lost_error(r, lost, e);
}

/* Both directions ended and were delivered. */
static bool
is_whole(const struct relay *r)
{
	return !relay_result_has_failed(r) && !r->input_abandoned &&
	       flow_is_done(&r->down) && (r->o->in < 0 || r->finished);
}

/* Whether to end the connection with a reset, since a FIN would make partial
 * data look complete. */
static bool
must_abort(const struct relay *r, int status, const struct err *e)
{
	if (status == 0 || is_whole(r))
		return false;
	return r->up.in.kind != FD_TERMINAL || e->kind == ERR_OUTPUT;
}

void
relay_result_summarize(const struct relay *r, struct conn_summary *sum,
    int status, const struct err *e)
{
	*sum = r->sum;
	sum->sent = r->up.bytes;
	sum->received = r->down.bytes;
	sum->undelivered = relay_result_is_forwarder(r) ? 0 : undelivered(r);
	sum->reset = status < 0 && e->kind == ERR_LOST &&
		     (e->errnum == ECONNRESET || e->errnum == EPIPE);
	sum->is_aborted = must_abort(r, status, e);
	if (sum->is_aborted && sum->first == CONN_FIRST_NOBODY)
		sum->first = CONN_FIRST_US;
	if (sum->is_aborted && !sock_is_unix(r->fd))
		sum->reset = true;
}
