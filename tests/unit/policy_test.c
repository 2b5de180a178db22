/*
 * The policy of a relay, by exhaustion: every reachable state meets every event
 * that can happen in it, next to a model of the world, which knows what was
 * really read, sent, acknowledged and written. No state is without a way out;
 * status 0 means that nothing was dropped; there is one FIN, and only after all
 * of the data; every end has one result; and what is incomplete is aborted.
 */
#include <stdint.h>

#include "lib/policy_world.h"
#include "lib/tap.h"
#include "relay/policy.h"

/* Steps of a peer, an input, an output and a system that do what they should;
 * each can happen only a limited number of times. */
static const int good_steps[] = {POLICY_INPUT_END, POLICY_SENT, POLICY_PEER_FIN,
    POLICY_WRITTEN, POLICY_ACKED, SYSTEM_ACK, PEER_NOTHING, TARGET_NOTHING,
    TEXT_END, MATCH_END};

#define CAPACITY (1u << 21)

static struct node table[CAPACITY];
static bool is_used[CAPACITY];
static unsigned char mark[CAPACITY]; /* of find_ways_out() */
static unsigned queue[CAPACITY];
static size_t count;
static long transitions, ends_count;
static struct node at; /* for messages */
static int at_step;
static int complaints;

/* Holds a condition at a node; the first few failures are shown. */
static void
hold(bool good, const struct node *n, const char *what)
{
	if (good)
		return;
	if (complaints++ < 8)
		printf("# %s: state %#x world %#x wants %#x, after state %#x "
		       "world %#x step %d\n",
		    what, n->state, n->world, policy_wants(n->state), at.state,
		    at.world, at_step);
}

/* --- What must hold ---------------------------------------------------- */

/* Everything was sent, whatever the system still has. */
static bool
all_is_sent(const struct node *n)
{
	return (n->world & (UP | UP_DROPPED | LOST)) == 0 &&
	       (n->world & SCRIPT) == 0 &&
	       ((n->state & POLICY_HAS_INPUT) == 0 ||
		   (n->world & IN_ENDED) != 0);
}

/* The action is right at this moment; the world is that before it. */
static void
check_fins(const struct node *n, unsigned actions)
{
	const unsigned failures = IN_FAILED | LOST | OUT_FAILED;

	if ((actions & POLICY_SEND_FIN) != 0) {
		hold((n->world & FIN) == 0, n, "a second FIN");
		hold(all_is_sent(n), n, "FIN before everything is sent");
		hold(!is_forwarder(n) || (n->world & failures) == 0, n,
		    "FIN for a side that was lost");
		hold((n->state & POLICY_EOF_KEEP) == 0 ||
			 (n->world & PEER_ENDED) != 0,
		    n, "FIN with --on-eof keep");
	}
	if ((actions & POLICY_FORWARD_FIN) != 0) {
		hold((n->world & TARGET_FIN) == 0, n, "a second FIN forwarded");
		hold((n->world & PEER_ENDED) != 0 &&
			 (n->world & (DOWN | failures)) == 0,
		    n, "FIN forwarded before everything is written");
	}
	if ((actions & POLICY_FINISH) != 0)
		hold((n->world & FINISHED) == 0, n, "finished twice");
}

/* The actions are those that the moment needs. */
static void
check_actions(const struct node *n, unsigned actions, unsigned before, int step)
{
	const unsigned failures = IN_FAILED | LOST | OUT_FAILED,
		       over = PEER_ENDED | PEER_QUIET | RESET;
	bool sends_fin =
	    all_is_sent(n) && (n->world & failures) == 0 &&
	    ((n->world & over) != 0 ||
		(n->state & (POLICY_EOF_KEEP | POLICY_EOF_QUIT)) == 0);

	if ((actions & POLICY_FINISH) != 0)
		hold(has(actions, POLICY_SEND_FIN) == sends_fin, n,
		    "FIN when it is time");
	if ((actions & POLICY_PROBE_PEER) != 0)
		hold(has(n->state, POLICY_HAS_INPUT) &&
			 (n->world & FINISHED) == 0,
		    n, "a probe of a peer that expects nothing");
	if ((actions & POLICY_PROBE_TARGET) != 0)
		hold(is_forwarder(n) && (n->world & OUT_FAILED) == 0 &&
			 ((n->world & over) == 0 || has(n->world, DOWN)),
		    n, "a probe of a target that expects nothing");
	hold(has(actions, POLICY_FAIL_OUTPUT) ==
		 (is_forwarder(n) && step == POLICY_INPUT_ERROR &&
		     (n->world & OUT_FAILED) == 0),
	    n, "a target's reset fails what waits to be written");
	hold(has(actions, POLICY_FAIL_SEND) ==
		 (!has(before, POLICY_SEND_LOST) && step == POLICY_PEER_ERROR),
	    n, "a reset fails what waits to be sent");
	hold(has(actions, POLICY_STOP_INPUT) ==
		 (has(before, POLICY_INPUT_OPEN) && has(n->world, LOST) &&
		     step != POLICY_ACK_ERROR),
	    n, "input is not read when it cannot be sent");
}

static void
do_actions(struct node *n, unsigned actions)
{
	static const struct {
		unsigned action, world;
	} rows[] = {{POLICY_SEND_FIN, FIN}, {POLICY_FORWARD_FIN, TARGET_FIN},
	    {POLICY_FINISH, FINISHED}, {POLICY_PROBE_PEER, PROBED},
	    {POLICY_PROBE_TARGET, TARGET_PROBED},
	    {POLICY_STOP_INPUT, IN_STOPPED}, {POLICY_FAIL_OUTPUT, OUT_FAILED}};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((actions & rows[i].action) != 0)
			n->world |= rows[i].world;
}

/* A step: the world changes, the policy is told. */
static struct node
advance(struct node n, int step)
{
	struct policy_step next;
	int events[2], i;
	unsigned before;

	n.world = world_after(n.world, step);
	events_of(step, events);
	for (i = 0; i < 2 && events[i] != 0; i++) {
		/* relay_policy.c reports only changes. */
		if (events[i] == POLICY_INPUT_DATA &&
		    (n.state & (POLICY_UNSENT | POLICY_SEND_LOST)) != 0)
			continue;
		before = n.state;
		next = policy_next(n.state, (enum policy_event)events[i]);
		n.state = next.state;
		check_fins(&n, next.actions);
		check_actions(&n, next.actions, before, step);
		do_actions(&n, next.actions);
	}
	return n;
}

/* The result, from the world alone. */
static enum policy_result
expected_result(const struct node *n, bool has_left, bool has_more)
{
	unsigned w = n->world;

	if ((w & STOPPED) != 0)
		return POLICY_EVENT_FAILED;
	if (is_forwarder(n))
		return (w & LOST) != 0                  ? POLICY_PEER_FAILED
		       : (w & (IN_FAILED | OUT_FAILED)) ? POLICY_TARGET_FAILED
							: POLICY_DELIVERED;
	if ((w & OUT_FAILED) != 0)
		return POLICY_OUTPUT_FAILED;
	if ((w & IN_FAILED) != 0)
		return POLICY_INPUT_FAILED;
	if ((w & LOST) != 0)
		return (w & (SPOKE | RESET)) == 0 && !has_left && !has_more &&
			       (n->world & SCRIPT) == 0
			   ? POLICY_DELIVERED
			   : POLICY_PEER_FAILED;
	if (has_left)
		return POLICY_INPUT_LEFT;
	return POLICY_DELIVERED;
}

/* Status 0 is a promise. */
static void
check_promise(const struct node *n, bool is_available, bool is_open)
{
	unsigned s = n->state, w = n->world;

	hold((w & DOWN) == 0, n, "0, and received bytes are not written");
	hold((w & (UP | UNACKED | UP_DROPPED)) == 0, n,
	    "0, and bytes are not acknowledged");
	hold(!is_available || has(s, POLICY_TERMINAL), n,
	    "0, and the input has more");
	hold(!is_open || (s & (POLICY_PEER_QUIT | POLICY_TERMINAL)) != 0, n,
	    "0, and the input is open");
	hold((w & SCRIPT) == 0, n, "0 within the script");
	hold((w & (STOPPED | IN_FAILED | OUT_FAILED | RESET)) == 0, n,
	    "0 after a failure");
	hold(
	    (w & PEER_ENDED) != 0 || (s & (POLICY_EOF_QUIT | POLICY_DONE)) != 0,
	    n, "0 before the peer has finished");
	hold(!is_forwarder(n) || has(w, FIN | TARGET_FIN), n,
	    "0, and a FIN was not passed on");
	hold((w & IN_ENDED) == 0 ||
		 (s & (POLICY_EOF_KEEP | POLICY_EOF_QUIT)) != 0 ||
		 has(w, FIN) || has(w, LOST),
	    n, "0 without FIN");
	hold(!has(s, POLICY_EOF_QUIT) || has(w, PEER_ENDED) || !has(w, FIN), n,
	    "FIN with --on-eof quit");
}

/* An end that is not status 0: an abort unless all was delivered. */
static void
check_abort(const struct node *n)
{
	bool is_terminal = has(n->state, POLICY_TERMINAL),
	     is_whole = all_is_sent(n) && has(n->world, PEER_ENDED) &&
			(n->world & (DOWN | IN_FAILED | OUT_FAILED)) == 0;

	hold(policy_aborts(n->state, true) == !is_whole, n, "abort");
	hold(policy_aborts(n->state, false) == (!is_whole && !is_terminal), n,
	    "abort, but not at a terminal");
}

/* An end, with what may be observed then. */
static void
check_end(const struct node *n)
{
	bool is_read = (n->state & POLICY_HAS_INPUT) == 0 ||
		       (n->world & (IN_ENDED | IN_FAILED)) != 0;
	bool is_abandoned = has(n->state, POLICY_ABANDONED), has_left, has_more;
	enum policy_result result;
	unsigned observed;
	int left;

	/* 0: the input has ended. 1: it is open. 2: it has bytes. */
	for (left = 0; left <= (is_read ? 0 : 2); left++) {
		has_left = (n->world & (UP | UNACKED | UP_DROPPED)) != 0 ||
			   (left == 2 && (is_abandoned ||
					     !has(n->state, POLICY_TERMINAL)));
		has_more = is_abandoned && left > 0;
		observed = n->state;
		if (has_left)
			observed |= POLICY_HAS_LEFT;
		if (has_more)
			observed |= POLICY_HAS_MORE;
		if ((n->world & SPOKE) != 0)
			observed |= POLICY_HAS_SENT;
		result = policy_result(observed);
		ends_count++;
		hold(result == expected_result(n, has_left, has_more), n,
		    "the result");
		if (result == POLICY_DELIVERED && !is_forwarder(n))
			check_promise(n, left == 2, left > 0);
		else if (result == POLICY_DELIVERED)
			check_promise(n, false, false);
		else
			check_abort(n);
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

	u.failed = (w & (LOST | IN_FAILED | OUT_FAILED)) != 0;
	u.peer_over = (w & (PEER_ENDED | RESET | PEER_QUIET)) != 0;
	u.input_open = has(n->state, POLICY_HAS_INPUT) &&
		       (w & (IN_ENDED | IN_FAILED | IN_STOPPED)) == 0;
	u.sent = !u.input_open && ((w & UP) == 0 || u.lost);
	u.finished = has(n->state, POLICY_HAS_INPUT) && u.sent;
	u.written = (w & DOWN) == 0 || has(w, OUT_FAILED);
	u.confirmed = has(w, CONFIRMED);
	return u;
}

/* When it is time to end: Half-close in sockt(1). */
static unsigned
expected_end(const struct node *n, const struct summary *u)
{
	unsigned s = n->state, end = u->failed ? POLICY_END : POLICY_CONFIRM;
	bool received = u->peer_over || has(n->world, OUT_FAILED);

	if (u->confirmed)
		return 0;
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
	if (has(s, POLICY_DONE) && (n->world & UP) == 0 && !u->failed)
		return end;
	if (!received || !u->written)
		return 0;
	return u->sent || has(s, POLICY_PEER_QUIT) ? end : 0;
}

/* What the state says is so. */
static void
check_facts(const struct node *n, const struct summary *u)
{
	unsigned s = n->state, w = n->world;

	hold(has(s, POLICY_SCRIPTED) == u->scripted, n, "a script");
	hold(has(s, POLICY_EXPECTING) == has(w, PATTERN), n, "a pattern");
	hold(has(s, POLICY_INPUT_OPEN) == u->input_open, n, "open input");
	hold(has(s, POLICY_UNSENT) == (has(w, UP) && !u->lost), n, "unsent");
	hold(has(s, POLICY_UNWRITTEN) == !u->written, n, "unwritten");
	hold(is_forwarder(n) || !has(s, POLICY_TARGET_FINISHED), n, "a target");
	hold(has(s, POLICY_PEER_OPEN) == !u->peer_over, n, "an open peer");
	hold(has(w, FINISHED) == u->finished, n, "finished is recorded");
	if (has(w, PEER_ENDED) && u->input_open && !u->lost)
		hold(has(w, PROBED), n, "a half-closed peer is probed");
	if (is_forwarder(n) && has(w, PEER_ENDED) && u->written && !u->failed)
		hold(has(w, TARGET_FIN), n, "its FIN is passed on");
}

/* What every state must want, from the world alone. */
static void
check_wants(const struct node *n)
{
	const struct summary u = summarize(n);
	bool watches_target = is_forwarder(n) && !u.input_open &&
			      !has(n->world, OUT_FAILED) &&
			      !(u.peer_over && u.written);
	const struct {
		unsigned want;
		bool is_expected;
	} rows[] = {
	    {POLICY_READ_INPUT, !u.scripted},
	    {POLICY_READ_PEER, !u.confirmed},
	    {POLICY_DRAIN_PEER, u.lost && !u.confirmed},
	    {POLICY_DRAIN_TARGET, has(n->world, OUT_FAILED)},
	    {POLICY_WATCH_PEER, u.peer_over && !u.finished && !u.lost},
	    {POLICY_WATCH_TARGET, watches_target},
	    {POLICY_AWAIT_INPUT, u.peer_over && u.input_open && !u.scripted &&
				     !is_forwarder(n) && !has(n->world, UP)},
	    {POLICY_LINGER, u.finished && !u.peer_over},
	};
	unsigned all = policy_wants(n->state);
	size_t i;

	if ((n->state & POLICY_ENDED) != 0)
		return;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (has(all, rows[i].want) != rows[i].is_expected)
			hold(false, n, "what it wants");
	hold((all & (POLICY_CONFIRM | POLICY_END | POLICY_FAIL_PATTERN)) ==
		 expected_end(n, &u),
	    n, "the end");
	if (watches_target && has(n->world, IN_ENDED))
		hold(has(n->world, TARGET_PROBED), n, "the target is probed");
	check_facts(n, &u);
}

/* The state of a policy agrees with the world, and has settled. */
static void
check_state(const struct node *n)
{
	struct policy_step again = policy_next(n->state, POLICY_ANY);
	const struct summary u = summarize(n);
	int event;

	hold(again.state == n->state && again.actions == 0, n, "not settled");
	hold(has(n->state, POLICY_STOPPED) == has(n->world, STOPPED) &&
		 (!has(n->world, STOPPED) || has(n->state, POLICY_ENDED)),
	    n, "stopped");
	if ((n->state & POLICY_ENDED) == 0)
		return;
	hold(wants(n, POLICY_END), n, "ended, but does not want to end");
	hold(has(n->world, STOPPED) || (u.confirmed && u.written), n,
	    "ended too early");
	for (event = 0; event < POLICY_EVENTS; event++) {
		again = policy_next(n->state, (enum policy_event)event);
		hold(again.state == n->state && again.actions == 0, n,
		    "an end that is not one");
	}
}

/* --- The walk ---------------------------------------------------------- */

/* The index of a node in the table; it is added if it is new. */
static unsigned
find(struct node n)
{
	uint64_t key =
	    ((uint64_t)n.world << 32 | n.state) * UINT64_C(0x9e3779b97f4a7c15);
	unsigned i = (unsigned)(key >> 43) & (CAPACITY - 1);

	while (is_used[i]) {
		if (table[i].state == n.state && table[i].world == n.world)
			return i;
		i = (i + 1) & (CAPACITY - 1);
	}
	is_used[i] = true;
	table[i] = n;
	queue[count++] = i;
	return i;
}

static void
visit(struct node n)
{
	struct node next;
	int step;

	check_state(&n);
	check_wants(&n);
	if (wants(&n, POLICY_END))
		check_end(&n);
	if ((n.state & POLICY_ENDED) != 0)
		return;
	for (step = POLICY_ANY + 1; step < STEPS; step++) {
		if (!can_happen(&n, step))
			continue;
		at = n;
		at_step = step;
		next = advance(n, step);
		transitions++;
		find(next);
	}
}

/*
 * Whether every way of good steps from here comes to an end: the peer finishes,
 * the input ends, the output takes everything.
 */
static bool
find_ways_out(unsigned i)
{
	struct node n = table[i];
	bool is_moving = false, good = true;
	size_t k;
	unsigned to;

	if (mark[i] != 0)
		return mark[i] == 2;
	mark[i] = 1;
	if (wants(&n, POLICY_END) || wants(&n, POLICY_FAIL_PATTERN)) {
		mark[i] = 2;
		return true;
	}
	for (k = 0; k < sizeof(good_steps) / sizeof(good_steps[0]); k++) {
		if (!can_happen(&n, good_steps[k]))
			continue;
		to = find(advance(n, good_steps[k]));
		if (to == i)
			continue;
		is_moving = true;
		good = find_ways_out(to) && good;
	}
	at = n;
	at_step = -1;
	hold(is_moving, &n, "no way out");
	mark[i] = is_moving && good ? 2 : 1;
	hold(mark[i] == 2 || !is_moving, &n, "a way that does not end");
	return mark[i] == 2;
}

static void
start(unsigned options, bool has_output)
{
	struct node n = {policy_start(options), has_output ? HAS_OUTPUT : 0};

	if ((options & POLICY_SCRIPTED) != 0)
		n.world |= SCRIPT;
	find(n);
	if ((options & POLICY_SCRIPTED) == 0)
		return;
	n.state = policy_next(n.state, POLICY_AT_PATTERN).state;
	n.world |= PATTERN;
	find(n);
}

/* Every combination of options that a command can make. */
static void
start_all(void)
{
	static const unsigned eof[] = {0, POLICY_EOF_KEEP, POLICY_EOF_QUIT},
			      peer[] = {0, POLICY_PEER_QUIT},
			      script[] = {0, POLICY_SCRIPTED},
			      input[] = {POLICY_HAS_INPUT,
				  POLICY_HAS_INPUT | POLICY_TERMINAL};
	unsigned i;

	for (i = 0; i < 3 * 2 * 2 * 2 * 2; i++)
		start(eof[i % 3] | peer[i / 3 % 2] | script[i / 6 % 2] |
			  input[i / 12 % 2],
		    i / 24 == 0);
	for (i = 0; i < 2 * 2 * 2; i++) {
		start(peer[i % 2] | script[i / 2 % 2], i / 4 == 0);
		start(peer[i % 2] | POLICY_DONE | POLICY_SCRIPTED, i / 4 == 0);
	}
	start(POLICY_HAS_INPUT | POLICY_FORWARDER, true);
}

static long
count_states(void)
{
	static unsigned char seen[1 << 24];
	long n = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		unsigned state = table[queue[i]].state;

		n += seen[state] == 0;
		seen[state] = 1;
	}
	return n;
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
	printf("# %ld states; %zu with their worlds, %ld transitions, %ld "
	       "ends\n",
	    count_states(), count, transitions, ends_count);
	return done_testing();
}
