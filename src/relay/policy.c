/* The policy of a relay, as tables of rules. */
#include "relay/policy.h"

#include <stddef.h>

/* Derived bits, which derive() adds; never in a state. */
enum {
	UP_DONE = 1 << 26,   /* no input waits to be read or sent */
	DOWN_DONE = 1 << 27, /* nothing can be received or written any more */
	FAILED = 1 << 28,    /* one of the four ends has failed */
	ALWAYS = 0
};

/* A rule: it applies if all bits of when and none of unless are set. value is a
 * set of actions and decisions, a set of enum policy_want, or an enum
 * policy_result. */
struct rule {
	unsigned when, unless;
	unsigned value;
};

/* Actions and decisions: all that apply. */
static const struct rule actions[] = {
    /* A socket that was reset accepts no more data either. */
    {POLICY_PEER_RESET, POLICY_SEND_LOST, POLICY_FAIL_SEND},
    {POLICY_FORWARDER | POLICY_INPUT_LOST, POLICY_OUTPUT_LOST,
	POLICY_FAIL_OUTPUT},

    /* Input that cannot be sent is not read. */
    {POLICY_SEND_LOST | POLICY_INPUT_OPEN, 0, POLICY_ABANDONED},

    /* A half-closed side is probed. */
    {POLICY_INPUT_OPEN, POLICY_PEER_OPEN | POLICY_PEER_PROBED | FAILED,
	POLICY_PEER_PROBED},
    {POLICY_FORWARDER,
	POLICY_INPUT_OPEN | POLICY_TARGET_PROBED | DOWN_DONE | FAILED,
	POLICY_TARGET_PROBED},

    /* When all input is sent, FIN follows: by --on-eof fin, or because the peer
     * has finished. It would be a lie if not all input was sent; a forwarder
     * that has lost either side may not have received all of it. */
    {POLICY_HAS_INPUT | UP_DONE,
	POLICY_FINISHED | FAILED | POLICY_EOF_KEEP | POLICY_EOF_QUIT,
	POLICY_SEND_FIN},
    {POLICY_HAS_INPUT | UP_DONE, POLICY_FINISHED | FAILED | POLICY_PEER_OPEN,
	POLICY_SEND_FIN},
    {POLICY_HAS_INPUT | UP_DONE, POLICY_FINISHED, POLICY_FINISHED},

    /* A forwarder passes the peer's FIN on to its target. */
    {POLICY_FORWARDER | DOWN_DONE, POLICY_TARGET_FINISHED | FAILED,
	POLICY_FORWARD_FIN},
    {POLICY_FORWARDER | DOWN_DONE, POLICY_TARGET_FINISHED,
	POLICY_TARGET_FINISHED},
};

/* When the relay ends: the first that applies. */
static const struct rule ends[] = {
    {POLICY_CANCELED, 0, POLICY_END},
    /* After POLICY_CONFIRM, only the output is still written. */
    {POLICY_WRITING, POLICY_UNWRITTEN, POLICY_END},
    {POLICY_WRITING, 0, 0},
    /* stdout or stdin failed; what was received is still written. */
    {POLICY_OUTPUT_LOST, POLICY_FORWARDER, POLICY_END},
    {POLICY_INPUT_LOST | POLICY_UNWRITTEN, 0, 0},
    {POLICY_INPUT_LOST, POLICY_FORWARDER, POLICY_END},
    /* The connection was lost; what was received before is written. */
    {POLICY_SEND_LOST | DOWN_DONE, 0, POLICY_END},
    /* The script comes first. */
    {POLICY_EXPECTING, POLICY_PEER_OPEN | POLICY_UNWRITTEN,
	POLICY_FAIL_PATTERN},
    {POLICY_SCRIPTED, 0, 0},
    /* --on-eof quit and --done do not wait for the peer. */
    {POLICY_EOF_QUIT | POLICY_FINISHED, FAILED, POLICY_CONFIRM},
    {POLICY_DONE, POLICY_UNSENT | FAILED, POLICY_CONFIRM},
    /* Everything received is written; --on-peer-eof quit waits no longer. */
    {DOWN_DONE | POLICY_PEER_QUIT, 0, POLICY_CONFIRM},
    /* Both directions are finished. */
    {DOWN_DONE | UP_DONE | FAILED, 0, POLICY_END},
    {DOWN_DONE | UP_DONE, 0, POLICY_CONFIRM},
    {ALWAYS, 0, 0},
};

/* Other wants: all that apply. */
static const struct rule wants[] = {
    {ALWAYS, POLICY_SCRIPTED, POLICY_READ_INPUT},
    {ALWAYS, POLICY_WRITING, POLICY_READ_PEER},
    {POLICY_SEND_LOST, POLICY_WRITING, POLICY_DRAIN_PEER},
    {POLICY_OUTPUT_LOST, 0, POLICY_DRAIN_TARGET},
    {ALWAYS, POLICY_PEER_OPEN | POLICY_FINISHED | POLICY_SEND_LOST,
	POLICY_WATCH_PEER},
    {POLICY_FORWARDER, POLICY_INPUT_OPEN | POLICY_TARGET_FINISHED,
	POLICY_WATCH_TARGET},
    {POLICY_INPUT_OPEN,
	POLICY_PEER_OPEN | POLICY_FORWARDER | POLICY_SCRIPTED | POLICY_UNSENT,
	POLICY_AWAIT_INPUT},
    {POLICY_FINISHED | POLICY_PEER_OPEN, 0, POLICY_LINGER},
};

/* The first that applies. */
static const struct rule results[] = {
    {POLICY_CANCELED, 0, POLICY_RECORD_FAILED},
    {POLICY_FORWARDER | POLICY_SEND_LOST, 0, POLICY_PEER_FAILED},
    {POLICY_FORWARDER | FAILED, 0, POLICY_TARGET_FAILED},
    {POLICY_OUTPUT_LOST, 0, POLICY_OUTPUT_FAILED},
    {POLICY_INPUT_LOST, 0, POLICY_INPUT_FAILED},
    /* A peer that finished and then vanished is not an error if nothing was to
     * be sent. */
    {POLICY_SEND_LOST, POLICY_PEER_RESET | POLICY_HAS_DATA | POLICY_SCRIPTED,
	POLICY_DELIVERED},
    {POLICY_SEND_LOST, 0, POLICY_PEER_FAILED},
    {POLICY_HAS_LEFT, 0, POLICY_INPUT_LEFT},
    {ALWAYS, 0, POLICY_DELIVERED},
};

/* Adds the derived bits. */
static unsigned
derive(unsigned state)
{
	const unsigned failures = POLICY_INPUT_LOST | POLICY_SEND_LOST |
				  POLICY_PEER_RESET | POLICY_OUTPUT_LOST;

	if ((state & failures) != 0)
		state |= FAILED;
	if ((state & (POLICY_INPUT_OPEN | POLICY_UNSENT)) == 0)
		state |= UP_DONE;
	if ((state & POLICY_OUTPUT_LOST) != 0 ||
	    (state & (POLICY_PEER_OPEN | POLICY_UNWRITTEN)) == 0)
		state |= DOWN_DONE;
	return state;
}

/* Whether a rule applies; bits are derived. */
static bool
applies(const struct rule *rule, unsigned bits)
{
	return (bits & rule->when) == rule->when && (bits & rule->unless) == 0;
}

/* The value of the first rule that applies; there is one. */
static unsigned
first_of(const struct rule *rule, unsigned bits)
{
	while (!applies(rule, bits))
		rule++;
	return rule->value;
}

static unsigned
all_of(const struct rule *rule, size_t count, unsigned bits)
{
	unsigned all = 0;

	for (; count > 0; rule++, count--)
		if (applies(rule, bits))
			all |= rule->value;
	return all;
}

unsigned
policy_actions(unsigned state)
{
	/* Otherwise a direction that was cut would look finished. */
	if ((state & POLICY_CANCELED) != 0)
		return 0;
	return all_of(
	    actions, sizeof(actions) / sizeof(actions[0]), derive(state));
}

unsigned
policy_wants(unsigned state)
{
	unsigned bits = derive(state);

	return first_of(ends, bits) |
	       all_of(wants, sizeof(wants) / sizeof(wants[0]), bits);
}

enum policy_result
policy_result(unsigned state)
{
	return (enum policy_result)first_of(results, derive(state));
}

bool
policy_aborts(unsigned state, bool is_output_error)
{
	const struct rule whole = {
	    UP_DONE | DOWN_DONE, FAILED | POLICY_CANCELED | POLICY_SCRIPTED, 0};

	if (applies(&whole, derive(state)))
		return false;
	return (state & POLICY_TERMINAL) == 0 || is_output_error;
}
