/*
 * The policy of a relay, by exhaustion: every reachable state meets every step
 * that can happen in it, next to a model of the world, which knows what was
 * really read, sent, acknowledged and written, whatever the policy believes.
 * Two steps may happen before the policy sees the facts. No state is without a
 * way out; status 0 means that nothing was dropped; there is one FIN, and only
 * after all of the data; every end has one result; and what is incomplete is
 * aborted.
 */
#include "relay/policy.h"

#include <stddef.h>
#include <stdint.h>

#include "lib/tap.h"

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
	FIN = 1 << 14,        /* sent, tried or held back */
	TARGET_FIN = 1 << 15,
	CANCELED = 1 << 16, /* by a record */
	SCRIPT = 1 << 17,   /* a step of the script remains */
	PATTERN = 1 << 18,  /* that is a pattern */
	CONFIRMED = 1 << 19 /* what was sent has arrived, or is lost */
};

/* What may happen, and what is so then. */
enum step {
	NOTHING,
	PASS_UP, /* input is read and sent at once */
	INPUT_DATA,
	INPUT_END,
	INPUT_ERROR,
	TARGET_NOTHING, /* after a failed write: no more to read */
	SENT,
	SEND_ERROR,
	HANG_UP, /* of a watched peer */
	SYSTEM_ACK,
	PEER_DATA,
	PEER_FIN,
	PEER_ERROR,
	PEER_NOTHING, /* after a failed send: no more to read */
	WRITTEN,
	OUTPUT_ERROR,
	TARGET_HANG_UP,
	TEXT_TEXT, /* a text is queued; the next step of the script */
	TEXT_PATTERN,
	TEXT_END,
	MATCH_TEXT, /* a pattern matches; the next step */
	MATCH_PATTERN,
	MATCH_END,
	CANCEL,
	/* While it confirms; relay.c decides after each. */
	ACKED,
	LATE_ACK, /* --on-peer-eof quit waits no longer */
	ACK_ERROR,
	TARGET_ERROR,
	STEPS
};

static const struct {
	unsigned set, clear;
} effects[STEPS] = {
    [PASS_UP] = {SPOKE | UNACKED, 0},
    [INPUT_DATA] = {SPOKE | UP, 0},
    [INPUT_END] = {IN_ENDED, 0},
    [INPUT_ERROR] = {IN_FAILED, 0},
    [TARGET_NOTHING] = {IN_STOPPED, 0},
    [SENT] = {UNACKED, UP},
    [SEND_ERROR] = {LOST, 0},
    [HANG_UP] = {LOST, 0},
    [SYSTEM_ACK] = {0, UNACKED},
    [PEER_DATA] = {DOWN, 0},
    [PEER_FIN] = {PEER_ENDED, 0},
    [PEER_ERROR] = {RESET, 0},
    [PEER_NOTHING] = {PEER_QUIET, 0},
    [WRITTEN] = {0, DOWN},
    [OUTPUT_ERROR] = {OUT_FAILED, 0},
    [TARGET_HANG_UP] = {OUT_FAILED, 0},
    [TEXT_TEXT] = {SPOKE | UP, 0},
    [TEXT_PATTERN] = {SPOKE | UP | PATTERN, 0},
    [TEXT_END] = {SPOKE | UP, SCRIPT},
    [MATCH_TEXT] = {0, PATTERN},
    [MATCH_END] = {0, PATTERN | SCRIPT},
    [CANCEL] = {CANCELED, 0},
    [ACKED] = {CONFIRMED, 0},
    [LATE_ACK] = {CONFIRMED, 0},
    [ACK_ERROR] = {CONFIRMED | LOST, 0},
    [TARGET_ERROR] = {CONFIRMED | OUT_FAILED, 0},
};

/* Steps of a peer, an input, an output and a system that do what they should;
 * each can happen only a limited number of times. */
static const int good_steps[] = {INPUT_END, SENT, PEER_FIN, WRITTEN, ACKED,
    SYSTEM_ACK, PEER_NOTHING, TARGET_NOTHING, TEXT_END, MATCH_END};

/* bits are the policy's options, and what its actions have decided. */
struct node {
	unsigned bits, world;
};

#define CAPACITY (1u << 21)

static struct node table[CAPACITY];
static bool is_used[CAPACITY];
static unsigned char mark[CAPACITY]; /* of find_ways_out() */
static unsigned queue[CAPACITY];
static size_t count;
static long transitions, ends_count;
static struct node at; /* for messages */
static int at_steps[2];
static int complaints;

static bool
has(unsigned set, unsigned bits)
{
	return (set & bits) == bits;
}

static bool
has_one(unsigned set, unsigned bits)
{
	return (set & bits) != 0;
}

/* The state, with the facts that relay.c would see. */
static unsigned
state_of(const struct node *n)
{
	unsigned w = n->world, s = n->bits;

	s |= has(w, SCRIPT) ? POLICY_SCRIPTED : 0;
	s |= has(w, PATTERN) ? POLICY_EXPECTING : 0;
	s |= has(s, POLICY_HAS_INPUT) &&
		     !has_one(w, IN_ENDED | IN_FAILED | IN_STOPPED)
		 ? POLICY_INPUT_OPEN
		 : 0;
	s |= has(w, IN_FAILED) ? POLICY_INPUT_LOST : 0;
	s |= has(w, LOST) ? POLICY_SEND_LOST : has(w, UP) ? POLICY_UNSENT : 0;
	s |= has_one(w, PEER_ENDED | PEER_QUIET | RESET) ? 0 : POLICY_PEER_OPEN;
	s |= has(w, RESET) ? POLICY_PEER_RESET : 0;
	s |= has(w, OUT_FAILED) ? POLICY_OUTPUT_LOST
	     : has(w, DOWN)     ? POLICY_UNWRITTEN
				: 0;
	s |= has(w, FIN) ? POLICY_FIN : 0;
	s |= has(w, TARGET_FIN) ? POLICY_TARGET_FIN : 0;
	return s | (has(w, CANCELED) ? POLICY_CANCELED : 0);
}

static bool
is_forwarder(const struct node *n)
{
	return has(n->bits, POLICY_FORWARDER);
}

/* Holds a condition at a node; the first few failures are shown. */
static void
hold(bool good, const struct node *n, const char *what)
{
	if (good)
		return;
	if (complaints++ < 8)
		printf("# %s: bits %#x world %#x wants %#x, after bits %#x "
		       "world %#x steps %d %d\n",
		    what, n->bits, n->world, policy_wants(state_of(n)), at.bits,
		    at.world, at_steps[0], at_steps[1]);
}

/* --- What can happen ---------------------------------------------------- */

/* The same of the steps of a script. */
static bool
can_advance(const struct node *n, int step, bool reads_peer)
{
	unsigned w = n->world;

	switch (step) {
	case TEXT_TEXT:
	case TEXT_PATTERN:
	case TEXT_END:
		return has(w, SCRIPT) && !has(w, PATTERN);
	case MATCH_TEXT:
	case MATCH_PATTERN:
	case MATCH_END:
		/* The end of the last line may match, too. */
		return has(w, SCRIPT | PATTERN) &&
		       (reads_peer || has(w, PEER_ENDED));
	default:
		return false;
	}
}

/* now: the policy wants that; the world may be a step ahead. */
static bool
can_happen(const struct node *n, unsigned now, int step)
{
	unsigned w = n->world;
	bool reads_input = has(n->bits, POLICY_HAS_INPUT) &&
			   !has_one(w, IN_ENDED | IN_FAILED | IN_STOPPED |
					   LOST | CANCELED) &&
			   has_one(now, POLICY_READ_INPUT),
	     reads_peer = !has_one(w, PEER_ENDED | RESET | PEER_QUIET |
					  OUT_FAILED | CANCELED) &&
			  has_one(now, POLICY_READ_PEER),
	     confirms = has_one(now, POLICY_CONFIRM) && !has(w, CONFIRMED);

	switch (step) {
	case PASS_UP:
	case INPUT_DATA:
		return reads_input && !has(w, UP);
	case INPUT_END:
	case INPUT_ERROR:
		return reads_input;
	case TARGET_NOTHING:
		return reads_input && has_one(now, POLICY_DRAIN_TARGET);
	case SENT:
		return has(w, UP) && !has(w, LOST);
	case SEND_ERROR: /* FIN fails only after data. */
		return (has(w, UP) || has(w, FIN | SPOKE)) && !has(w, LOST);
	case HANG_UP:
		return !has(w, UP) && !has(w, LOST) &&
		       has_one(now, POLICY_WATCH_PEER);
	case SYSTEM_ACK:
		return has(w, UNACKED) && !has(w, LOST);
	case PEER_DATA:
		return reads_peer && has(w, HAS_OUTPUT) && !has(w, DOWN);
	case PEER_FIN:
	case PEER_ERROR:
		return reads_peer;
	case PEER_NOTHING:
		return reads_peer && has_one(now, POLICY_DRAIN_PEER);
	case WRITTEN:
		return has(w, DOWN) && !has(w, OUT_FAILED);
	case OUTPUT_ERROR: /* A write fails, or FIN. */
		return !has(w, OUT_FAILED) && has(w, HAS_OUTPUT) &&
		       has_one(w, DOWN | TARGET_FIN);
	case TARGET_HANG_UP:
		return !has_one(w, DOWN | OUT_FAILED) &&
		       has_one(now, POLICY_WATCH_TARGET);
	case CANCEL:
		return true;
	case ACKED:
		return confirms && !has(w, UNACKED);
	case LATE_ACK:
		return confirms && has(n->bits, POLICY_PEER_QUIT) &&
		       has_one(w, PEER_ENDED | RESET | PEER_QUIET);
	case ACK_ERROR:
		return confirms;
	case TARGET_ERROR:
		return confirms && is_forwarder(n);
	default:
		return can_advance(n, step, reads_peer);
	}
}

/* --- What must hold ---------------------------------------------------- */

/* Everything was sent, whatever the system still has. */
static bool
all_is_sent(const struct node *n)
{
	return !has_one(n->world, UP | UP_DROPPED | LOST | SCRIPT | CANCELED) &&
	       (!has(n->bits, POLICY_HAS_INPUT) || has(n->world, IN_ENDED));
}

/* The actions are right at this moment. */
static void
check_actions(const struct node *n, unsigned actions)
{
	const unsigned failures = IN_FAILED | LOST | OUT_FAILED | RESET,
		       over = PEER_ENDED | PEER_QUIET | RESET;
	unsigned w = n->world, s = state_of(n);
	bool sends_fin = has(s, POLICY_HAS_INPUT) && all_is_sent(n) &&
			 !has_one(w, failures) &&
			 (has_one(w, over) ||
			     !has_one(s, POLICY_EOF_KEEP | POLICY_EOF_QUIT));

	hold(has(actions, POLICY_SEND_FIN) == (sends_fin && !has(w, FIN)), n,
	    "FIN once, after everything, when it is time");
	hold(has(actions, POLICY_FORWARD_FIN) ==
		 (is_forwarder(n) && !has(w, TARGET_FIN) && has_one(w, over) &&
		     !has_one(w, DOWN | failures | CANCELED)),
	    n, "FIN forwarded once, after everything is written");
	hold(has(actions, POLICY_FAIL_OUTPUT) ==
		 (is_forwarder(n) && has(w, IN_FAILED) &&
		     !has_one(w, OUT_FAILED | CANCELED)),
	    n, "a target's reset fails what waits to be written");
	hold(has(actions, POLICY_FAIL_SEND) ==
		 (has(w, RESET) && !has_one(w, LOST | CANCELED)),
	    n, "a reset fails what waits to be sent");
	hold(has(actions, POLICY_ABANDONED) ==
		 (has(s, POLICY_INPUT_OPEN) && has(w, LOST) &&
		     !has(w, CANCELED)),
	    n, "input is not read when it cannot be sent");
}

static void
do_actions(struct node *n, unsigned actions)
{
	static const struct {
		unsigned action, world;
	} rows[] = {{POLICY_SEND_FIN, FIN}, {POLICY_FORWARD_FIN, TARGET_FIN},
	    {POLICY_ABANDONED, IN_STOPPED}, {POLICY_FAIL_SEND, LOST},
	    {POLICY_FAIL_OUTPUT, OUT_FAILED}};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (has(actions, rows[i].action))
			n->world |= rows[i].world;
	n->bits |= actions & POLICY_ABANDONED;
}

static void
apply(struct node *n, int step)
{
	n->world = (n->world | effects[step].set) & ~effects[step].clear;
	if (step >= ACKED)
		n->bits |= POLICY_WRITING;
}

/* Carries out what the facts require, as relay.c does. */
static struct node
settle(struct node n)
{
	unsigned actions;
	int passes = 0;

	do {
		actions = policy_actions(state_of(&n));
		check_actions(&n, actions);
		do_actions(&n, actions);
		if (has(n.world, LOST) && has_one(n.world, UP | UNACKED))
			n.world |= UP_DROPPED;
		hold(++passes < 8, &n, "it does not settle");
	} while (actions != 0 && passes < 8);
	return n;
}

/* The result, from the world alone. */
static enum policy_result
expected_result(const struct node *n, bool has_left, bool has_more)
{
	unsigned w = n->world;

	if (has(w, CANCELED))
		return POLICY_RECORD_FAILED;
	if (is_forwarder(n))
		return has(w, LOST) ? POLICY_PEER_FAILED
		       : has_one(w, IN_FAILED | OUT_FAILED)
			   ? POLICY_TARGET_FAILED
			   : POLICY_DELIVERED;
	if (has(w, OUT_FAILED))
		return POLICY_OUTPUT_FAILED;
	if (has(w, IN_FAILED))
		return POLICY_INPUT_FAILED;
	if (has(w, LOST))
		return !has_one(w, SPOKE | RESET | SCRIPT) && !has_left &&
			       !has_more
			   ? POLICY_DELIVERED
			   : POLICY_PEER_FAILED;
	return has_left ? POLICY_INPUT_LEFT : POLICY_DELIVERED;
}

/* Status 0 is a promise. */
static void
check_promise(const struct node *n, bool is_available, bool is_open)
{
	unsigned s = n->bits, w = n->world;

	hold(!has(w, DOWN), n, "0, and received bytes are not written");
	hold(!has_one(w, UP | UNACKED | UP_DROPPED), n,
	    "0, and bytes are not acknowledged");
	hold(!is_available || has(s, POLICY_TERMINAL), n,
	    "0, and the input has more");
	hold(!is_open || has_one(s, POLICY_PEER_QUIT | POLICY_TERMINAL), n,
	    "0, and the input is open");
	hold(!has(w, SCRIPT), n, "0 within the script");
	hold(!has_one(w, CANCELED | IN_FAILED | OUT_FAILED | RESET), n,
	    "0 after a failure");
	hold(has(w, PEER_ENDED) || has_one(s, POLICY_EOF_QUIT | POLICY_DONE), n,
	    "0 before the peer has finished");
	hold(!is_forwarder(n) || has(w, FIN | TARGET_FIN), n,
	    "0, and a FIN was not passed on");
	hold(!has(w, IN_ENDED) ||
		 has_one(s, POLICY_EOF_KEEP | POLICY_EOF_QUIT) ||
		 has_one(w, FIN | LOST),
	    n, "0 without FIN");
	hold(!has(s, POLICY_EOF_QUIT) || has(w, PEER_ENDED) || !has(w, FIN), n,
	    "FIN with --on-eof quit");
}

/* An end that is not status 0: an abort unless all was delivered. */
static void
check_abort(const struct node *n)
{
	bool is_terminal = has(n->bits, POLICY_TERMINAL),
	     is_whole = all_is_sent(n) && has(n->world, PEER_ENDED) &&
			!has_one(n->world, DOWN | IN_FAILED | OUT_FAILED);

	hold(policy_aborts(state_of(n), true) == !is_whole, n, "abort");
	hold(policy_aborts(state_of(n), false) == (!is_whole && !is_terminal),
	    n, "abort, but not at a terminal");
}

/* An end, with what may be observed then. */
static void
check_end(const struct node *n)
{
	bool is_read = !has(n->bits, POLICY_HAS_INPUT) ||
		       has_one(n->world, IN_ENDED | IN_FAILED),
	     is_abandoned = has(n->bits, POLICY_ABANDONED), has_left, has_more;
	enum policy_result result;
	unsigned observed;
	int left;

	/* 0: the input has ended. 1: it is open. 2: it has bytes. */
	for (left = 0; left <= (is_read ? 0 : 2); left++) {
		has_left = has_one(n->world, UP | UNACKED | UP_DROPPED) ||
			   (left == 2 && (is_abandoned ||
					     !has(n->bits, POLICY_TERMINAL)));
		has_more = is_abandoned && left > 0;
		observed = state_of(n) | (has_left ? POLICY_HAS_LEFT : 0);
		if (has_left || has_more || has(n->world, SPOKE))
			observed |= POLICY_HAS_DATA;
		result = policy_result(observed);
		ends_count++;
		hold(result == expected_result(n, has_left, has_more), n,
		    "the result");
		if (result != POLICY_DELIVERED)
			check_abort(n);
		else
			check_promise(n, !is_forwarder(n) && left == 2,
			    !is_forwarder(n) && left > 0);
	}
}

/* The world in a few words. */
struct summary {
	bool scripted, lost, failed, peer_over, input_open, sent, finished,
	    written, confirmed;
};

static struct summary
summarize(const struct node *n)
{
	unsigned w = n->world;
	struct summary u = {.scripted = has(w, SCRIPT), .lost = has(w, LOST)};

	u.failed = has_one(w, LOST | IN_FAILED | OUT_FAILED);
	u.peer_over = has_one(w, PEER_ENDED | RESET | PEER_QUIET);
	u.input_open = has(n->bits, POLICY_HAS_INPUT) &&
		       !has_one(w, IN_ENDED | IN_FAILED | IN_STOPPED);
	u.sent = !u.input_open && (!has(w, UP) || u.lost);
	u.finished = has(n->bits, POLICY_HAS_INPUT) && u.sent;
	u.written = !has(w, DOWN) || has(w, OUT_FAILED);
	u.confirmed = has(w, CONFIRMED);
	return u;
}

/* When it is time to end: Half-close in sockt(1). */
static unsigned
expected_end(const struct node *n, const struct summary *u)
{
	unsigned s = n->bits, end = u->failed ? POLICY_END : POLICY_CONFIRM;
	bool received = u->peer_over || has(n->world, OUT_FAILED);

	if (has(n->world, CANCELED))
		return POLICY_END;
	if (u->confirmed)
		return u->written ? POLICY_END : 0;
	if (!is_forwarder(n) && has(n->world, OUT_FAILED))
		return POLICY_END;
	if (!is_forwarder(n) && has(n->world, IN_FAILED))
		return u->written ? POLICY_END : 0;
	if (u->scripted && u->lost)
		return received && u->written ? POLICY_END : 0;
	if (u->scripted)
		return received && u->written && has(n->world, PATTERN)
			   ? POLICY_FAIL_PATTERN
			   : 0;
	if (has(s, POLICY_EOF_QUIT) && u->finished && !u->failed)
		return end;
	if (has(s, POLICY_DONE) && !has(n->world, UP) && !u->failed)
		return end;
	if (!received || !u->written)
		return 0;
	return u->sent || has(s, POLICY_PEER_QUIT) ? end : 0;
}

/* A settled state is right, and wants what it must, from the world alone. */
static void
check_state(const struct node *n)
{
	const struct summary u = summarize(n);
	unsigned w = n->world, all = policy_wants(state_of(n));
	bool watches_target = is_forwarder(n) && !u.input_open &&
			      !has(w, OUT_FAILED) &&
			      !(u.peer_over && u.written);
	const struct {
		unsigned want;
		bool is_expected;
	} rows[] = {
	    {POLICY_READ_INPUT, !u.scripted},
	    {POLICY_READ_PEER, !u.confirmed},
	    {POLICY_DRAIN_PEER, u.lost && !u.confirmed},
	    {POLICY_DRAIN_TARGET, has(w, OUT_FAILED)},
	    {POLICY_WATCH_PEER, u.peer_over && !u.finished && !u.lost},
	    {POLICY_WATCH_TARGET, watches_target},
	    {POLICY_AWAIT_INPUT, u.peer_over && u.input_open && !u.scripted &&
				     !is_forwarder(n) && !has(w, UP)},
	    {POLICY_LINGER, u.finished && !u.peer_over},
	};
	size_t i;

	hold((all & (POLICY_CONFIRM | POLICY_END | POLICY_FAIL_PATTERN)) ==
		 expected_end(n, &u),
	    n, "the end");
	if (has(w, CANCELED))
		return;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (has_one(all, rows[i].want) != rows[i].is_expected)
			hold(false, n, "what it wants");
	if (is_forwarder(n) && has(w, PEER_ENDED) && u.written && !u.failed)
		hold(has(w, TARGET_FIN), n, "its FIN is passed on");
}

/* --- The walk ---------------------------------------------------------- */

/* The index of a node in the table; it is added if it is new. */
static unsigned
find(struct node n)
{
	uint64_t key =
	    ((uint64_t)n.world << 32 | n.bits) * UINT64_C(0x9e3779b97f4a7c15);
	unsigned i = (unsigned)(key >> 43) & (CAPACITY - 1);

	while (is_used[i]) {
		if (table[i].bits == n.bits && table[i].world == n.world)
			return i;
		i = (i + 1) & (CAPACITY - 1);
	}
	is_used[i] = true;
	table[i] = n;
	queue[count++] = i;
	return i;
}

/* A step, and perhaps a second one before the policy sees the facts. */
static void
visit(struct node n)
{
	unsigned now = policy_wants(state_of(&n));
	struct node one, two;
	int step, second;

	check_state(&n);
	if (has_one(now, POLICY_END)) {
		check_end(&n);
		return;
	}
	at = n;
	for (step = NOTHING + 1; step < STEPS; step++) {
		if (!can_happen(&n, now, step))
			continue;
		one = n;
		apply(&one, step);
		for (second = NOTHING; second < ACKED; second++) {
			two = one;
			if (second != NOTHING &&
			    (step >= ACKED || !can_happen(&one, now, second)))
				continue;
			apply(&two, second);
			at_steps[0] = step;
			at_steps[1] = second;
			transitions++;
			find(settle(two));
		}
	}
}

/*
 * Whether every way of good steps from here comes to an end: the peer finishes,
 * the input ends, the output takes everything.
 */
static bool
find_ways_out(unsigned i)
{
	struct node n = table[i], next;
	unsigned now = policy_wants(state_of(&n)), to;
	bool is_moving = false, good = true;
	size_t k;

	if (mark[i] != 0)
		return mark[i] == 2;
	mark[i] = 1;
	if (has_one(now, POLICY_END | POLICY_FAIL_PATTERN)) {
		mark[i] = 2;
		return true;
	}
	for (k = 0; k < sizeof(good_steps) / sizeof(good_steps[0]); k++) {
		if (!can_happen(&n, now, good_steps[k]))
			continue;
		next = n;
		apply(&next, good_steps[k]);
		to = find(settle(next));
		if (to == i)
			continue;
		is_moving = true;
		good = find_ways_out(to) && good;
	}
	at = n;
	hold(is_moving, &n, "no way out");
	mark[i] = is_moving && good ? 2 : 1;
	hold(mark[i] == 2 || !is_moving, &n, "a way that does not end");
	return mark[i] == 2;
}

/* scripted: with a script, which begins with a text, or with a pattern. */
static void
start(unsigned options, bool has_output, bool scripted)
{
	struct node n = {options, has_output ? HAS_OUTPUT : 0};

	if (scripted) {
		n.world |= SCRIPT;
		find(settle(n));
		n.world |= PATTERN;
	}
	find(settle(n));
}

/* Every combination of options that a command can make. */
static void
start_all(void)
{
	static const unsigned eof[] = {0, POLICY_EOF_KEEP, POLICY_EOF_QUIT},
			      peer[] = {0, POLICY_PEER_QUIT},
			      input[] = {POLICY_HAS_INPUT,
				  POLICY_HAS_INPUT | POLICY_TERMINAL};
	unsigned i;

	for (i = 0; i < 3 * 2 * 2 * 2 * 2; i++)
		start(eof[i % 3] | peer[i / 3 % 2] | input[i / 12 % 2],
		    i / 24 == 0, i / 6 % 2 != 0);
	for (i = 0; i < 2 * 2 * 2; i++) {
		start(peer[i % 2], i / 4 == 0, i / 2 % 2 != 0);
		start(peer[i % 2] | POLICY_DONE, i / 4 == 0, true);
	}
	start(POLICY_HAS_INPUT | POLICY_FORWARDER, true, false);
}

int
main(void)
{
	size_t i, all;

	start_all();
	for (i = 0; i < count; i++)
		visit(table[queue[i]]);
	ok(complaints == 0, "every step of every state is right");
	all = count;
	complaints = 0;
	for (i = 0; i < all; i++)
		find_ways_out(queue[i]);
	ok(complaints == 0, "every state has a way out");
	is_int((long long)count, (long long)all, "every state was visited");
	printf("# %zu states with their worlds, %ld transitions, %ld ends\n",
	    count, transitions, ends_count);
	return done_testing();
}
