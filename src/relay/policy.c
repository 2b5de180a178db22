/* The policy of a relay, as tables of rules. */
#include "relay/policy.h"

#include <stddef.h>

/* Bits that follow from others; never in a state. */
enum {
	UP_DONE = 1 << 27,   /* no input waits to be read or sent */
	DOWN_DONE = 1 << 28, /* nothing can be received or written any more */
	FAILED = 1 << 29,    /* one of the four ends has failed */
	ALWAYS = 0
};

/* A rule applies if all bits of when and none of unless are set. */
struct rule {
	enum policy_event event; /* POLICY_ANY: all */
	unsigned when, unless;
	unsigned set, clear; /* bits of the state */
	unsigned actions;
};

/* Those that apply, in this order. */
static const struct rule rules[] = {
    /* Facts. */
    {POLICY_AT_TEXT, ALWAYS, 0, 0, POLICY_EXPECTING, 0},
    {POLICY_AT_PATTERN, ALWAYS, 0, POLICY_EXPECTING, 0, 0},
    {POLICY_AT_SCRIPT_END, ALWAYS, 0, 0, POLICY_SCRIPTED | POLICY_EXPECTING, 0},
    {POLICY_INPUT_DATA, ALWAYS, 0, POLICY_UNSENT, 0, 0},
    {POLICY_INPUT_END, ALWAYS, 0, 0, POLICY_INPUT_OPEN, 0},
    {POLICY_INPUT_ERROR, ALWAYS, 0, POLICY_INPUT_LOST, POLICY_INPUT_OPEN, 0},
    {POLICY_SENT, ALWAYS, 0, 0, POLICY_UNSENT, 0},
    {POLICY_SEND_ERROR, ALWAYS, 0, POLICY_SEND_LOST, POLICY_UNSENT, 0},
    {POLICY_PEER_DATA, ALWAYS, 0, POLICY_UNWRITTEN, 0, 0},
    {POLICY_PEER_FIN, ALWAYS, 0, 0, POLICY_PEER_OPEN, 0},
    {POLICY_PEER_ERROR, ALWAYS, 0, POLICY_PEER_RESET, POLICY_PEER_OPEN, 0},
    {POLICY_WRITTEN, ALWAYS, 0, 0, POLICY_UNWRITTEN, 0},
    {POLICY_OUTPUT_ERROR, ALWAYS, 0, POLICY_OUTPUT_LOST, POLICY_UNWRITTEN, 0},

    /* A half-closed side is probed. */
    {POLICY_PEER_FIN, POLICY_HAS_INPUT, POLICY_FINISHED, 0, 0,
	POLICY_PROBE_PEER},
    {POLICY_INPUT_END, POLICY_FORWARDER, POLICY_TARGET_FINISHED, 0, 0,
	POLICY_PROBE_TARGET},

    /* A socket that was reset accepts no more data either. */
    {POLICY_ANY, POLICY_PEER_RESET, POLICY_SEND_LOST, POLICY_SEND_LOST,
	POLICY_UNSENT, POLICY_FAIL_SEND},
    {POLICY_ANY, POLICY_FORWARDER | POLICY_INPUT_LOST, POLICY_OUTPUT_LOST,
	POLICY_OUTPUT_LOST, POLICY_UNWRITTEN, POLICY_FAIL_OUTPUT},

    /* Input that cannot be sent is not read. */
    {POLICY_ANY, POLICY_SEND_LOST | POLICY_INPUT_OPEN, 0, POLICY_ABANDONED,
	POLICY_INPUT_OPEN, POLICY_STOP_INPUT},

    /* When all input is sent, FIN follows: by --on-eof fin, or because the peer
     * has finished. It would be a lie if not all input was sent; a forwarder
     * that has lost either side may not have received all of it. */
    {POLICY_ANY, POLICY_HAS_INPUT | UP_DONE,
	POLICY_FINISHED | FAILED | POLICY_ABANDONED | POLICY_EOF_KEEP |
	    POLICY_EOF_QUIT,
	0, 0, POLICY_SEND_FIN},
    {POLICY_ANY, POLICY_HAS_INPUT | UP_DONE,
	POLICY_FINISHED | FAILED | POLICY_ABANDONED | POLICY_PEER_OPEN, 0, 0,
	POLICY_SEND_FIN},
    {POLICY_ANY, POLICY_HAS_INPUT | UP_DONE, POLICY_FINISHED, POLICY_FINISHED,
	0, POLICY_FINISH},

    /* A forwarder passes the peer's FIN on to its target. */
    {POLICY_ANY, POLICY_FORWARDER | DOWN_DONE, POLICY_TARGET_FINISHED | FAILED,
	0, 0, POLICY_FORWARD_FIN},
    {POLICY_ANY, POLICY_FORWARDER | DOWN_DONE, 0, POLICY_TARGET_FINISHED, 0, 0},

    /* After POLICY_CONFIRM only the output is still written. */
    {POLICY_ACKED, ALWAYS, 0, POLICY_WRITING, 0, 0},
    {POLICY_ACK_ERROR, ALWAYS, 0, POLICY_WRITING | POLICY_SEND_LOST, 0, 0},
    {POLICY_TARGET_ERROR, ALWAYS, 0, POLICY_WRITING | POLICY_OUTPUT_LOST, 0, 0},
    {POLICY_ANY, POLICY_WRITING, POLICY_UNWRITTEN, POLICY_ENDED, 0, 0},

    {POLICY_CANCEL, ALWAYS, 0, POLICY_STOPPED | POLICY_ENDED, 0, 0},
};

/* A row of a table that is searched for the first row that applies, or for
 * all that do. */
struct row {
	unsigned when, unless;
	unsigned value; /* a set of enum policy_want; an enum policy_result */
};

/* When the relay ends: the first that applies. */
static const struct row ends[] = {
    {POLICY_ENDED, 0, POLICY_END},
    /* Only the output is still written. */
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

/* What else a state wants: all that apply. */
static const struct row wants[] = {
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
static const struct row results[] = {
    {POLICY_STOPPED, 0, POLICY_EVENT_FAILED},
    {POLICY_FORWARDER | POLICY_SEND_LOST, 0, POLICY_PEER_FAILED},
    {POLICY_FORWARDER | FAILED, 0, POLICY_TARGET_FAILED},
    {POLICY_OUTPUT_LOST, 0, POLICY_OUTPUT_FAILED},
    {POLICY_INPUT_LOST, 0, POLICY_INPUT_FAILED},
    /* A peer that finished and then vanished is not an error if nothing was to
     * be sent. */
    {POLICY_SEND_LOST,
	POLICY_PEER_RESET | POLICY_HAS_SENT | POLICY_HAS_LEFT |
	    POLICY_HAS_MORE | POLICY_SCRIPTED,
	POLICY_DELIVERED},
    {POLICY_SEND_LOST, 0, POLICY_PEER_FAILED},
    {POLICY_HAS_LEFT, 0, POLICY_INPUT_LEFT},
    {ALWAYS, 0, POLICY_DELIVERED},
};

/* Adds the bits that follow from others. */
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

/* Whether a rule or a row applies; bits are derived. */
static bool
applies(unsigned bits, unsigned when, unsigned unless)
{
	return (bits & when) == when && (bits & unless) == 0;
}

/* The value of the first row that applies; every table has one. */
static unsigned
first_of(const struct row *row, unsigned bits)
{
	while (!applies(bits, row->when, row->unless))
		row++;
	return row->value;
}

unsigned
policy_start(unsigned options)
{
	unsigned state = options | POLICY_PEER_OPEN;

	return (options & POLICY_HAS_INPUT) != 0 ? state | POLICY_INPUT_OPEN
						 : state;
}

struct policy_step
policy_next(unsigned state, enum policy_event event)
{
	struct policy_step step = {state, 0};
	const struct rule *r, *end = rules + sizeof(rules) / sizeof(rules[0]);

	if ((state & POLICY_ENDED) != 0)
		return step;
	for (r = rules; r < end; r++) {
		if ((r->event != event && r->event != POLICY_ANY) ||
		    !applies(derive(step.state), r->when, r->unless))
			continue;
		step.state = (step.state | r->set) & ~r->clear;
		step.actions |= r->actions;
	}
	return step;
}

unsigned
policy_wants(unsigned state)
{
	unsigned bits = derive(state), all = first_of(ends, bits);
	size_t i;

	for (i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
		if (applies(bits, wants[i].when, wants[i].unless))
			all |= wants[i].value;
	return all;
}

enum policy_result
policy_result(unsigned state)
{
	return (enum policy_result)first_of(results, derive(state));
}

bool
policy_aborts(unsigned state, bool is_output_error)
{
	bool is_whole = applies(derive(state), UP_DONE | DOWN_DONE,
	    FAILED | POLICY_ABANDONED | POLICY_SCRIPTED);

	if (is_whole)
		return false;
	return (state & POLICY_TERMINAL) == 0 || is_output_error;
}
