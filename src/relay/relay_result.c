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

	if (!relay_wants(r, POLICY_LINGER) || relay_result_is_output_pending(r))
		return deadline_none();
	return deadline_limit_from(from, r->o->linger_ms, "--linger");
}

static struct deadline
idle_deadline(const struct relay *r)
{
	int64_t last =
	    r->up.last_ns > r->down.last_ns ? r->up.last_ns : r->down.last_ns;

	return deadline_from(
	    last > r->moved_ns ? last : r->moved_ns, r->o->idle.ms);
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

	if (deadline_passed(linger) && !deadline_passed(r->o->until))
		deadline_error(linger, "the peer did not finish", e);
	else
		deadline_idle_error(r->o->until, r->o->idle, e);
	if (relay_result_is_output_pending(r))
		err_append(e, "stdout accepts no more data");
	else if (!flow_is_empty(&r->up))
		err_append(e, "the peer does not read what was sent");
	return err_append(e, "sent %s, received %llu",
	    num_count_text(r->up.bytes, "byte"),
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
	if (relay_is(r, POLICY_ABANDONED))
		n += fd_available(r->o->in);
	return n;
}

/* Whether the abandoned input has not ended yet. */
static bool
is_input_open(const struct relay *r)
{
	struct pollfd p = {.fd = r->o->in, .events = POLLIN};

	return relay_is(r, POLICY_ABANDONED) &&
	       (poll(&p, 1, 0) <= 0 || fd_available(r->o->in) > 0);
}

/* n: bytes of the input that were not delivered. */
static int
lost_error(const struct relay *r, uint64_t n, struct err *e)
{
	int errnum =
	    r->up.out.errnum != 0 ? r->up.out.errnum : r->down.in.errnum;

	err_sys(e, ERR_LOST, errnum,
	    "the connection was lost after %s sent and %llu received",
	    num_count_text(r->up.bytes, "byte"),
	    (unsigned long long)r->down.bytes);
	if (relay_is(r, POLICY_FORWARDER) || r->o->in < 0)
		return -1;
	if (n > 0)
		return err_append(
		    e, "%s of stdin not delivered", num_count_text(n, "byte"));
	if (is_input_open(r))
		return err_append(e, "stdin was still open");
	return -1;
}

static int
target_error(const struct relay *r, struct err *e)
{
	return err_sys(e, ERR_LOST,
	    r->down.out.errnum != 0 ? r->down.out.errnum : r->up.in.errnum,
	    "the target was lost after %s received from it and %llu sent",
	    num_count_text(r->up.read_bytes, "byte"),
	    (unsigned long long)r->down.bytes);
}

static int
output_error(const struct relay *r, struct err *e)
{
	if (r->down.out.errnum != EPIPE)
		return err_sys(e, ERR_OUTPUT, r->down.out.errnum, "stdout");
	err_set(e, ERR_OUTPUT, "stdout was closed by its reader after %s",
	    num_count_text(r->down.bytes, "byte"));
	e->errnum = EPIPE;
	return -1;
}

/* The policy ended the relay before n bytes of the input were delivered. */
static int
left_error(const struct relay *r, uint64_t n, struct err *e)
{
	return err_set(e, ERR_LOST,
	    "the peer finished first; %s of %s not delivered "
	    "(--on-peer-eof quit)",
	    num_count_text(n, "byte"), r->o->in < 0 ? "--send" : "stdin");
}

/* Bytes that were sent but not delivered, or could still be read. At a terminal
 * the user sees that the peer has finished. */
static uint64_t
bytes_left(const struct relay *r)
{
	uint64_t n = undelivered(r);

	if (r->up.in.fd >= 0 && r->up.in.kind != FD_TERMINAL)
		n += fd_available(r->up.in.fd);
	return n;
}

/* The state of a relay that has ended, with what is left. */
static unsigned
final_state(const struct relay *r, uint64_t *left)
{
	unsigned state = r->state;

	*left = 0;
	if (relay_is(r, POLICY_FORWARDER) ||
	    (state & POLICY_OUTPUT_LOST) != 0 ||
	    (state & POLICY_INPUT_LOST) != 0)
		return state;
	*left = bytes_left(r);
	if (*left > 0)
		state |= POLICY_HAS_LEFT;
	/* What was read and not sent is left. */
	if (r->up.bytes > 0)
		state |= POLICY_HAS_SENT;
	if (is_input_open(r))
		state |= POLICY_HAS_MORE;
	return state;
}

int
relay_result_check(const struct relay *r, struct err *e)
{
	uint64_t left;

	switch (policy_result(final_state(r, &left))) {
	case POLICY_DELIVERED:
		return 0;
	case POLICY_PEER_FAILED:
		return lost_error(r, left, e);
	case POLICY_TARGET_FAILED:
		return target_error(r, e);
	case POLICY_OUTPUT_FAILED:
		return output_error(r, e);
	case POLICY_INPUT_FAILED:
		return err_sys(e, ERR_OUTPUT, r->up.in.errnum, "stdin");
	case POLICY_INPUT_LEFT:
		return left_error(r, left, e);
	default: /* The event has its own error. */
		return -1;
	}
}

/* Whether the peer of r->fd has reset the connection. */
static bool
is_reset_by_peer(const struct relay *r)
{
	return err_is_reset(r->up.out.errnum) ||
	       r->down.in.errnum == ECONNRESET;
}

void
relay_result_summarize(const struct relay *r, struct conn_summary *sum,
    int status, const struct err *e)
{
	*sum = r->sum;
	sum->sent = r->up.bytes;
	sum->received = r->down.bytes;
	sum->undelivered = relay_is(r, POLICY_FORWARDER) ? 0 : undelivered(r);
	sum->reset =
	    status < 0 && e->kind == ERR_LOST && err_is_reset(e->errnum);
	sum->is_aborted =
	    status < 0 && policy_aborts(r->state, e->kind == ERR_OUTPUT);
	if (sum->is_aborted && sum->first == CONN_FIRST_NOBODY)
		sum->first = CONN_FIRST_US;
	if (sum->is_aborted && !sock_is_unix(r->fd))
		sum->reset = true;
	sum->reset_by_us = sum->reset && !is_reset_by_peer(r);
}
