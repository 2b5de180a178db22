/*
 * The world of a relay, for policy_test.c: what is really read, sent,
 * acknowledged and written, whatever the policy believes, and what can happen
 * next.
 */
#ifndef TESTS_POLICY_WORLD_H
#define TESTS_POLICY_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "relay/policy.h"

/* What is really so. */
enum world {
	HAS_OUTPUT = 1 << 0, /* what is received is not just dropped */
	UP = 1 << 1,         /* bytes for the peer are in the queue */
	DOWN = 1 << 2,       /* bytes for the output are in the queue */
	UNACKED = 1 << 3,    /* sent, not acknowledged */
	SPOKE = 1 << 4,      /* there was something to send */
	IN_ENDED = 1 << 5,   /* the end of the input was read */
	IN_FAILED = 1 << 6,
	IN_STOPPED = 1 << 7, /* it is not read any more */
	PEER_ENDED = 1 << 8, /* the peer's FIN was read */
	PEER_QUIET = 1 << 9, /* it is not read any more */
	LOST = 1 << 10,      /* the connection: sending fails */
	RESET = 1 << 11,     /* reading has said so */
	OUT_FAILED = 1 << 12,
	UP_DROPPED = 1 << 13, /* bytes for the peer never arrive */
	FIN = 1 << 14,        /* sent, or tried */
	TARGET_FIN = 1 << 15,
	FINISHED = 1 << 16, /* --linger runs */
	PROBED = 1 << 17,
	TARGET_PROBED = 1 << 18,
	STOPPED = 1 << 19,  /* by a record */
	SCRIPT = 1 << 20,   /* a step of the script remains */
	PATTERN = 1 << 21,  /* that is a pattern */
	CONFIRMED = 1 << 22 /* what was sent has arrived, or is lost */
};

/* What may happen: the events, and what the policy does not learn. */
enum step {
	PASS_UP = POLICY_EVENTS, /* input is read and sent at once */
	SYSTEM_ACK,              /* it is acknowledged at some time */
	LATE_ACK,                /* --on-peer-eof quit waits no longer */
	HANG_UP,                 /* of a watched peer */
	TARGET_HANG_UP,
	PEER_NOTHING, /* after a failed send: no more to read */
	TARGET_NOTHING,
	TEXT_TEXT, /* a text is queued; the next step of the script */
	TEXT_PATTERN,
	TEXT_END,
	MATCH_TEXT, /* a pattern matches; the next step */
	MATCH_PATTERN,
	MATCH_END,
	STEPS
};

struct node {
	unsigned state, world;
};

static bool
has(unsigned set, unsigned bits)
{
	return (set & bits) == bits;
}

static bool
wants(const struct node *n, unsigned bit)
{
	return (policy_wants(n->state) & bit) != 0;
}

static bool
can_read_input(const struct node *n)
{
	return has(n->state, POLICY_HAS_INPUT | POLICY_INPUT_OPEN) &&
	       (n->world & (IN_ENDED | IN_FAILED | IN_STOPPED)) == 0 &&
	       wants(n, POLICY_READ_INPUT) &&
	       (n->state & POLICY_SEND_LOST) == 0;
}

static bool
can_read_peer(const struct node *n)
{
	return (n->world & (PEER_ENDED | RESET | PEER_QUIET | OUT_FAILED)) ==
		   0 &&
	       wants(n, POLICY_READ_PEER);
}

static bool
can_send(const struct node *n)
{
	return (n->state & POLICY_SEND_LOST) == 0;
}

static bool
is_forwarder(const struct node *n)
{
	return (n->state & POLICY_FORWARDER) != 0;
}

/* A write fails, or FIN. */
static bool
can_fail_output(const struct node *n)
{
	return (n->world & OUT_FAILED) == 0 && (n->world & HAS_OUTPUT) != 0 &&
	       ((n->world & DOWN) != 0 || (n->world & TARGET_FIN) != 0);
}

static bool
script_is_at(const struct node *n, bool expecting)
{
	return has(n->world, SCRIPT) && has(n->world, PATTERN) == expecting;
}

static bool
can_happen_up(const struct node *n, int step)
{
	switch (step) {
	case PASS_UP:
		return can_read_input(n) && (n->world & UP) == 0;
	case POLICY_INPUT_DATA:
		return can_read_input(n) && (n->world & UP) == 0;
	case POLICY_INPUT_END:
	case POLICY_INPUT_ERROR:
		return can_read_input(n);
	case TARGET_NOTHING:
		return can_read_input(n) && wants(n, POLICY_DRAIN_TARGET);
	case POLICY_SENT:
		return (n->world & UP) != 0 && can_send(n);
	case POLICY_SEND_ERROR: /* FIN fails only after data. */
		return ((n->world & UP) != 0 || has(n->world, FIN | SPOKE)) &&
		       can_send(n);
	case HANG_UP:
		return (n->world & UP) == 0 && wants(n, POLICY_WATCH_PEER);
	case TEXT_TEXT:
	case TEXT_PATTERN:
	case TEXT_END:
		return script_is_at(n, false);
	case MATCH_TEXT:
	case MATCH_PATTERN:
	case MATCH_END:
		/* The end of the last line may match, too. */
		return script_is_at(n, true) &&
		       (can_read_peer(n) || has(n->world, PEER_ENDED));
	default:
		return false;
	}
}

static bool
can_happen(const struct node *n, int step)
{
	switch (step) {
	case SYSTEM_ACK:
		return (n->world & UNACKED) != 0 && can_send(n);
	case POLICY_ACKED:
		return wants(n, POLICY_CONFIRM) && (n->world & UNACKED) == 0;
	case LATE_ACK:
		return wants(n, POLICY_CONFIRM) &&
		       has(n->state, POLICY_PEER_QUIT) &&
		       (n->state & POLICY_PEER_OPEN) == 0;
	case POLICY_ACK_ERROR:
		return wants(n, POLICY_CONFIRM);
	case POLICY_TARGET_ERROR:
		return wants(n, POLICY_CONFIRM) && is_forwarder(n);
	case POLICY_PEER_DATA:
		return can_read_peer(n) &&
		       (n->world & (HAS_OUTPUT | DOWN)) == HAS_OUTPUT;
	case POLICY_PEER_FIN:
	case POLICY_PEER_ERROR:
		return can_read_peer(n);
	case PEER_NOTHING:
		return can_read_peer(n) && wants(n, POLICY_DRAIN_PEER);
	case POLICY_WRITTEN:
		return has(n->world, DOWN) && (n->world & OUT_FAILED) == 0;
	case POLICY_OUTPUT_ERROR:
		return can_fail_output(n);
	case TARGET_HANG_UP:
		return (n->world & DOWN) == 0 && wants(n, POLICY_WATCH_TARGET);
	case POLICY_CANCEL:
		return true;
	default:
		return can_happen_up(n, step);
	}
}

/* What happens in the world at a step. */
static unsigned
world_after(unsigned w, int step)
{
	static const struct {
		int step;
		unsigned set, clear;
	} rows[] = {
	    {PASS_UP, SPOKE | UNACKED, 0},
	    {POLICY_INPUT_DATA, SPOKE | UP, 0},
	    {TEXT_TEXT, SPOKE | UP, 0},
	    {TEXT_PATTERN, SPOKE | UP | PATTERN, 0},
	    {TEXT_END, SPOKE | UP, SCRIPT},
	    {MATCH_TEXT, 0, PATTERN},
	    {MATCH_END, 0, PATTERN | SCRIPT},
	    {POLICY_ACKED, CONFIRMED, 0},
	    {LATE_ACK, CONFIRMED, 0},
	    {POLICY_ACK_ERROR, CONFIRMED, 0},
	    {POLICY_TARGET_ERROR, CONFIRMED, 0},
	    {POLICY_INPUT_END, IN_ENDED, 0},
	    {POLICY_INPUT_ERROR, IN_FAILED, 0},
	    {TARGET_NOTHING, IN_STOPPED, 0},
	    {POLICY_SENT, UNACKED, UP},
	    {SYSTEM_ACK, 0, UNACKED},
	    {POLICY_SEND_ERROR, LOST, 0},
	    {HANG_UP, LOST, 0},
	    {POLICY_ACK_ERROR, LOST, 0},
	    {POLICY_PEER_ERROR, LOST | RESET, 0},
	    {POLICY_PEER_DATA, DOWN, 0},
	    {POLICY_PEER_FIN, PEER_ENDED, 0},
	    {PEER_NOTHING, PEER_QUIET, 0},
	    {POLICY_WRITTEN, 0, DOWN},
	    {POLICY_OUTPUT_ERROR, OUT_FAILED, 0},
	    {TARGET_HANG_UP, OUT_FAILED, 0},
	    {POLICY_TARGET_ERROR, OUT_FAILED, 0},
	    {POLICY_CANCEL, STOPPED, 0},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].step == step)
			w = (w | rows[i].set) & ~rows[i].clear;
	if ((w & LOST) != 0 && (w & (UP | UNACKED)) != 0)
		w |= UP_DROPPED;
	return w;
}

/* The events that report a step, in the order of relay_policy.c; 0 ends. */
static void
events_of(int step, int events[2])
{
	static const int rows[STEPS][2] = {
	    [LATE_ACK] = {POLICY_ACKED},
	    [HANG_UP] = {POLICY_SEND_ERROR},
	    [TARGET_HANG_UP] = {POLICY_OUTPUT_ERROR},
	    [PEER_NOTHING] = {POLICY_PEER_FIN},
	    [TARGET_NOTHING] = {POLICY_INPUT_END},
	    [TEXT_TEXT] = {POLICY_AT_TEXT, POLICY_INPUT_DATA},
	    [TEXT_PATTERN] = {POLICY_AT_PATTERN, POLICY_INPUT_DATA},
	    [TEXT_END] = {POLICY_AT_SCRIPT_END, POLICY_INPUT_DATA},
	    [MATCH_TEXT] = {POLICY_AT_TEXT},
	    [MATCH_PATTERN] = {POLICY_AT_PATTERN},
	    [MATCH_END] = {POLICY_AT_SCRIPT_END},
	};

	events[0] = step < POLICY_EVENTS ? step : rows[step][0];
	events[1] = step < POLICY_EVENTS ? 0 : rows[step][1];
}

#endif
