/* The policy of a relay: what its facts require. */
#include "relay/policy.h"

static bool
has(unsigned state, unsigned bits)
{
	return (state & bits) != 0;
}

/* One of the four ends has failed. */
static bool
has_failed(unsigned s)
{
	return has(s, POLICY_INPUT_LOST | POLICY_SEND_LOST | POLICY_PEER_RESET |
			  POLICY_OUTPUT_LOST);
}

/* No input waits to be read or sent. */
static bool
is_up_done(unsigned s)
{
	return !has(s, POLICY_INPUT_OPEN | POLICY_UNSENT);
}

/* Nothing can be received or written any more. */
static bool
is_down_done(unsigned s)
{
	return has(s, POLICY_OUTPUT_LOST) ||
	       !has(s, POLICY_PEER_OPEN | POLICY_UNWRITTEN);
}

/* Sending to the peer is over: --linger runs. */
static bool
is_finished(unsigned s)
{
	return has(s, POLICY_HAS_INPUT) && is_up_done(s);
}

unsigned
policy_actions(unsigned s)
{
	bool is_forwarder = has(s, POLICY_FORWARDER), failed = has_failed(s);
	unsigned actions = 0;

	/* Otherwise a direction that was cut would look finished. */
	if (has(s, POLICY_CANCELED))
		return 0;
	/* A socket that was reset accepts no more data either. */
	if (has(s, POLICY_PEER_RESET) && !has(s, POLICY_SEND_LOST))
		actions |= POLICY_FAIL_SEND;
	if (is_forwarder && has(s, POLICY_INPUT_LOST) &&
	    !has(s, POLICY_OUTPUT_LOST))
		actions |= POLICY_FAIL_OUTPUT;
	/* Input that cannot be sent is not read. */
	if (has(s, POLICY_SEND_LOST) && has(s, POLICY_INPUT_OPEN))
		actions |= POLICY_ABANDONED;
	/* When all input is sent, FIN follows: by --on-eof fin, or because the
	 * peer has finished. It would be a lie if not all input was sent; a
	 * forwarder that has lost either side may not have received all of it.
	 */
	if (is_finished(s) && !failed && !has(s, POLICY_FIN) &&
	    !(has(s, POLICY_PEER_OPEN) &&
		has(s, POLICY_EOF_KEEP | POLICY_EOF_QUIT)))
		actions |= POLICY_SEND_FIN;
	/* A forwarder passes the peer's FIN on to its target. */
	if (is_forwarder && is_down_done(s) && !failed &&
	    !has(s, POLICY_TARGET_FIN))
		actions |= POLICY_FORWARD_FIN;
	return actions;
}

/* POLICY_END or POLICY_FAIL_PATTERN if the relay ends, POLICY_CONFIRM if it
 * does once everything is acknowledged; otherwise 0. */
static unsigned
find_ending(unsigned s)
{
	bool is_forwarder = has(s, POLICY_FORWARDER), failed = has_failed(s);

	if (has(s, POLICY_CANCELED))
		return POLICY_END;
	/* After POLICY_CONFIRM, only the output is still written. */
	if (has(s, POLICY_WRITING))
		return has(s, POLICY_UNWRITTEN) ? 0 : POLICY_END;
	/* stdout or stdin failed; what was received is still written. */
	if (has(s, POLICY_OUTPUT_LOST) && !is_forwarder)
		return POLICY_END;
	if (has(s, POLICY_INPUT_LOST) && has(s, POLICY_UNWRITTEN))
		return 0;
	if (has(s, POLICY_INPUT_LOST) && !is_forwarder)
		return POLICY_END;
	/* The connection was lost; what was received before is written. */
	if (has(s, POLICY_SEND_LOST) && is_down_done(s))
		return POLICY_END;
	/* The script comes first. */
	if (has(s, POLICY_EXPECTING) &&
	    !has(s, POLICY_PEER_OPEN | POLICY_UNWRITTEN))
		return POLICY_FAIL_PATTERN;
	if (has(s, POLICY_SCRIPTED))
		return 0;
	/* --on-eof quit and --done do not wait for the peer. */
	if (has(s, POLICY_EOF_QUIT) && is_finished(s) && !failed)
		return POLICY_CONFIRM;
	if (has(s, POLICY_DONE) && !has(s, POLICY_UNSENT) && !failed)
		return POLICY_CONFIRM;
	if (!is_down_done(s))
		return 0;
	/* Everything received is written; --on-peer-eof quit waits no longer.
	 */
	if (has(s, POLICY_PEER_QUIT))
		return POLICY_CONFIRM;
	/* Both directions are finished. */
	if (!is_up_done(s))
		return 0;
	return failed ? POLICY_END : POLICY_CONFIRM;
}

unsigned
policy_wants(unsigned s)
{
	bool is_forwarder = has(s, POLICY_FORWARDER);
	unsigned wants = find_ending(s);

	if (!has(s, POLICY_SCRIPTED))
		wants |= POLICY_READ_INPUT;
	if (!has(s, POLICY_WRITING))
		wants |= POLICY_READ_PEER;
	if (!has(s, POLICY_WRITING) && has(s, POLICY_SEND_LOST))
		wants |= POLICY_DRAIN_PEER;
	if (has(s, POLICY_OUTPUT_LOST))
		wants |= POLICY_DRAIN_TARGET;
	if (!has(s, POLICY_PEER_OPEN | POLICY_SEND_LOST) && !is_finished(s))
		wants |= POLICY_WATCH_PEER;
	if (is_forwarder && !has(s, POLICY_INPUT_OPEN) && !is_down_done(s))
		wants |= POLICY_WATCH_TARGET;
	if (has(s, POLICY_INPUT_OPEN) && !is_forwarder &&
	    !has(s, POLICY_PEER_OPEN | POLICY_SCRIPTED | POLICY_UNSENT))
		wants |= POLICY_AWAIT_INPUT;
	if (is_finished(s) && has(s, POLICY_PEER_OPEN))
		wants |= POLICY_LINGER;
	return wants;
}

enum policy_result
policy_result(unsigned s)
{
	if (has(s, POLICY_CANCELED))
		return POLICY_RECORD_FAILED;
	if (has(s, POLICY_FORWARDER) && has(s, POLICY_SEND_LOST))
		return POLICY_PEER_FAILED;
	if (has(s, POLICY_FORWARDER) && has_failed(s))
		return POLICY_TARGET_FAILED;
	if (has(s, POLICY_OUTPUT_LOST))
		return POLICY_OUTPUT_FAILED;
	if (has(s, POLICY_INPUT_LOST))
		return POLICY_INPUT_FAILED;
	/* A peer that finished and then vanished is not an error if nothing was
	 * to be sent. */
	if (has(s, POLICY_SEND_LOST))
		return has(s, POLICY_PEER_RESET | POLICY_HAS_DATA |
				  POLICY_SCRIPTED)
			   ? POLICY_PEER_FAILED
			   : POLICY_DELIVERED;
	return has(s, POLICY_HAS_LEFT) ? POLICY_INPUT_LEFT : POLICY_DELIVERED;
}

bool
policy_aborts(unsigned s, bool is_output_error)
{
	if (is_up_done(s) && is_down_done(s) && !has_failed(s) &&
	    !has(s, POLICY_CANCELED | POLICY_SCRIPTED))
		return false;
	return !has(s, POLICY_TERMINAL) || is_output_error;
}
