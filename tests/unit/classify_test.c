/*
 * The states of a port, by exhaustion: a probe in every state, with every
 * number of tries, meets every outcome. A port is reported once, with the
 * reason that the outcome shows, or it is tried again; nothing is left in
 * flight, and nothing is tried for ever.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "lib/tap.h"
/* The silence of a probe is handled by a static function. */
#include "scan/classify.c"

#define CAPACITY 64
#define MAX_ERRNO 134

/* What a case starts with. */
struct start {
	int type, retries, banner_ms, tries, failures, unsure, lost;
	enum probe_state state;
	bool is_up, is_discovery, has_older;
};

static struct scan_options options;
static struct scan s;
static struct scan_host host;
static int ends[2], reports, complaints;
static struct scan_result last;
static long cases;
static uint32_t id, older;

static void
note_result(void *context, const struct scan_result *r)
{
	(void)context;
	reports++;
	last = *r;
}

static void
hold(bool good, const struct start *c, const struct ready_outcome *o,
    const char *what)
{
	if (good || complaints++ >= 8)
		return;
	printf("# %s: type %d state %d tries %d unsure %d older %d, outcome "
	       "%d of %d: %d reports, state %d\n",
	    what, c->type, (int)c->state, c->tries, c->unsure, c->has_older,
	    o->errnum, (int)o->origin, reports, (int)s.pool.probes[id].state);
}

/* A probe as a scan would have sent it. */
static uint32_t
add_probe(const struct start *c)
{
	uint32_t added = probe_alloc(&s.pool);
	struct probe *p = &s.pool.probes[added];

	p->host = 0;
	p->port = 7;
	p->is_discovery = c->is_discovery;
	p->sent_ns = clock_now();
	p->tries = (uint8_t)c->tries;
	p->failures = (uint8_t)c->failures;
	p->unsure_errnum = c->unsure;
	p->state = (uint8_t)c->state;
	p->connects = 0;
	p->fd = dup(ends[0]);
	p->family = AF_UNIX;
	return added;
}

static void
set_up(const struct start *c)
{
	const struct start first = {.tries = 1, .state = PROBE_OLDER};

	options.type = c->type;
	options.retries = c->retries;
	options.banner_ms = c->banner_ms;
	memset(&host, 0, sizeof(host));
	host.is_up = c->is_up;
	host.lost = (uint8_t)c->lost;
	host.discovery_left = c->is_discovery;
	s.discovery_left = c->is_discovery;
	s.in_flight = 0;
	s.resume_ns = s.shortage_ns = 0;
	memset(&s.rtt, 0, sizeof(s.rtt));
	window_init(&s.window, CAPACITY);
	older = PROBE_NONE;
	if (c->has_older)
		older = add_probe(&first);
	id = add_probe(c);
	if (c->has_older) {
		s.pool.probes[id].older = older;
		s.pool.probes[older].newer = id;
	}
	if (c->state == PROBE_FLIGHT)
		s.in_flight++;
	reports = 0;
	cases++;
}

static void
tear_down(void)
{
	uint32_t i;

	for (i = 0; i < s.pool.touched; i++) {
		if (s.pool.probes[i].fd >= 0)
			probe_socket_drop(&s, i);
		if (s.pool.probes[i].state != PROBE_FREE)
			probe_free(&s.pool, i);
	}
}

/* The reason that an outcome of the other side shows. */
static enum scan_reason
expected_reason(int type, int errnum)
{
	static const struct {
		int errnum;
		enum scan_reason stream, dgram;
	} rows[] = {{0, SCAN_CONNECTED, SCAN_ANSWERED},
	    {ECONNREFUSED, SCAN_REFUSED, SCAN_REFUSED},
	    {ECONNRESET, SCAN_REFUSED, SCAN_REFUSED},
	    {ETIMEDOUT, SCAN_SILENT, SCAN_NO_REPLY},
	    {EHOSTUNREACH, SCAN_HOST_UNREACH, SCAN_HOST_UNREACH},
#ifdef EHOSTDOWN
	    {EHOSTDOWN, SCAN_HOST_UNREACH, SCAN_HOST_UNREACH},
#endif
	    {ENETUNREACH, SCAN_NET_UNREACH, SCAN_NET_UNREACH},
	    {EACCES, SCAN_PROHIBITED, SCAN_PROHIBITED},
	    {ENOPROTOOPT, SCAN_PROTO_UNREACH, SCAN_PROTO_UNREACH}};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].errnum == errnum)
			return type == SOCK_STREAM ? rows[i].stream
						   : rows[i].dgram;
	return SCAN_LOCAL;
}

/* A reported port is free with all of its tries; another one goes on. */
static void
check_accounts(const struct start *c, const struct ready_outcome *o)
{
	const struct probe *p = &s.pool.probes[id];
	bool goes_on = p->state == PROBE_WAITING || p->state == PROBE_LATE ||
		       p->state == PROBE_BANNER;

	hold(reports <= 1, c, o, "reported twice");
	hold((reports == 1) == (p->state == PROBE_FREE), c, o,
	    "a slot is free when its port is reported");
	hold(reports == 1 || goes_on, c, o, "a state without a way out");
	hold(reports == 1 || p->state == PROBE_LATE || p->expires_ns != 0 ||
		 probe_waiting(&s.pool) == id,
	    c, o, "in no list");
	hold(s.in_flight == 0, c, o, "still in flight");
	hold(host.discovery_left == (c->is_discovery && reports == 0) &&
		 s.discovery_left == host.discovery_left,
	    c, o, "discovery");
	if (reports == 0)
		return;
	hold(s.pool.used == 0, c, o, "a try is not freed");
	hold(last.port == 7 && last.count == 1, c, o, "another port");
	if (classify_state(last.reason) == SCAN_OPEN)
		hold(p->fd < 0, c, o, "an open port keeps its connection");
}

/* The tries that a silent port gets. */
static int
expected_tries(const struct start *c)
{
	if (c->retries >= 0)
		return c->retries + 1;
	if (c->lost > 1)
		return c->lost + 3 < 8 ? c->lost + 3 : 8;
	return c->type == SOCK_DGRAM || c->is_up ? 3 : 2;
}

/* A late answer to an older try decides the port, too. */
static void
check_older(const struct start *c, struct ready_outcome o)
{
	set_up(c);
	classify_outcome(&s, older, o);
	hold(reports == 1 && s.pool.used == 0 && s.in_flight == 0 &&
		 last.reason == expected_reason(c->type, o.errnum),
	    c, &o, "an answer to an older try");
	tear_down();
}

/* One outcome for one probe. */
static void
check_outcome(const struct start *c, struct ready_outcome o)
{
	enum scan_reason want = expected_reason(c->type, o.errnum);
	bool is_stream = c->type == SOCK_STREAM,
	     is_local = o.origin == READY_LOCAL || want == SCAN_LOCAL,
	     waits =
		 !is_local && o.errnum == 0 && is_stream && c->banner_ms > 0;

	set_up(c);
	classify_outcome(&s, id, o);
	check_accounts(c, &o);
	if (o.origin == READY_UNSURE) {
		hold((reports == 1) == (c->tries >= expected_tries(c)), c, &o,
		    "an unsure outcome is tried again");
		if (reports == 1)
			hold(last.reason == want && last.errnum == o.errnum, c,
			    &o, "the reason of an unsure outcome");
	} else if (is_local) {
		hold((reports == 1) == (c->failures >= 12), c, &o,
		    "a local failure is tried again, a limited number of "
		    "times");
		hold(reports == 0 || last.reason == SCAN_LOCAL, c, &o,
		    "a local failure shows nothing about a port");
		hold(reports == 1 || s.pool.probes[id].tries == c->tries - 1, c,
		    &o, "it is not a try");
		hold(s.pool.probes[id].fd < 0, c, &o, "its socket is closed");
	} else {
		hold((reports == 1) == !waits, c, &o,
		    "an outcome decides the port");
		hold(reports == 0 || last.reason == want, c, &o, "its reason");
	}
	if (waits) {
		hold(s.pool.probes[id].state == PROBE_BANNER, c, &o, "banner");
		classify_expired(&s, id);
		hold(reports == 1 && last.reason == SCAN_CONNECTED &&
			 last.banner == NULL,
		    c, &o, "the end of the wait for a banner");
	}
	tear_down();
	if (c->has_older && !is_local && !waits && o.origin == READY_REMOTE)
		check_older(c, o);
}

/* Silence, until the port is reported. */
static void
check_silence(const struct start *c)
{
	struct ready_outcome o = {.errnum = ETIMEDOUT};
	int errnum = c->unsure != 0 ? c->unsure : ETIMEDOUT, rounds = 0;
	struct probe *p;

	set_up(c);
	p = &s.pool.probes[id];
	while (reports == 0 && rounds++ < 20) {
		handle_silence(&s, id);
		check_accounts(c, &o);
		if (reports == 0 && p->state == PROBE_WAITING) {
			hold(p->tries < expected_tries(c), c, &o,
			    "too many tries");
			probe_unlink(&s.pool, id);
			p->state = PROBE_FLIGHT;
			p->sent_ns = clock_now();
			p->tries++;
			s.in_flight++;
		} else if (reports == 0) {
			hold(p->state == PROBE_LATE &&
				 p->tries >= expected_tries(c) &&
				 c->unsure == 0,
			    c, &o, "the last try is extended once");
			probe_unlink(&s.pool, id);
		}
	}
	hold(reports == 1, c, &o, "silence for ever");
	hold(last.reason == expected_reason(c->type, errnum) &&
		 last.errnum == errnum,
	    c, &o, "the reason of silence");
	tear_down();
}

static void
check_start(const struct start *c)
{
	static const enum ready_origin origins[] = {
	    READY_REMOTE, READY_LOCAL, READY_UNSURE};
	int errnum, i;

	for (i = 0; i < 3; i++)
		for (errnum = 0; errnum < MAX_ERRNO; errnum++)
			if (errnum != 0 || origins[i] == READY_REMOTE)
				check_outcome(c,
				    (struct ready_outcome){errnum, origins[i]});
	check_silence(c);
}

/* Every combination. */
static void
check_all(void)
{
	static const enum probe_state states[] = {PROBE_FLIGHT, PROBE_LATE};
	struct start c;
	int i;

	for (i = 0; i < 2 * 2 * 2 * 2 * 2 * 3 * 3; i++) {
		c.type = i % 2 == 0 ? SOCK_STREAM : SOCK_DGRAM;
		c.state = states[i / 2 % 2];
		c.has_older = i / 4 % 2;
		c.is_discovery = c.is_up = i / 8 % 2;
		c.banner_ms = i / 16 % 2;
		c.tries = i / 32 % 3 + (c.has_older ? 2 : 1);
		c.retries = i / 96 - 1;
		c.failures = c.tries == 2 ? 12 : 0;
		c.unsure = c.tries == 3 ? EHOSTUNREACH : 0;
		c.lost = c.tries == 1 ? 2 : 0;
		check_start(&c);
	}
}

/* An answer to a try that was sent so long ago. */
static void
answer(int tries, int64_t ago_ns)
{
	const struct start c = {.type = SOCK_STREAM,
	    .retries = -1,
	    .tries = tries,
	    .state = PROBE_FLIGHT};

	set_up(&c);
	s.window.size = 20;
	s.pool.probes[id].sent_ns -= ago_ns;
	classify_outcome(
	    &s, id, (struct ready_outcome){ECONNREFUSED, READY_REMOTE});
	tear_down();
}

/* What an answer shows about the host and the path. */
static void
check_estimates(void)
{
	answer(1, 0);
	ok(host.is_up, "a host that answers is up");
	is_int(s.window.size, 21, "an answer to a first try grows the window");
	is_int(host.lost, 0, "nothing was lost");
	ok(rtt_is_known(&host.rtt) && rtt_is_known(&s.rtt), "a round trip");
	answer(1, KARN_NS + CLOCK_MS);
	ok(!rtt_is_known(&host.rtt) && !rtt_is_known(&s.rtt),
	    "none where the kernel may have tried again");
	is_int(s.window.size, 21, "an answer nevertheless");
	answer(2, 0);
	is_int(s.window.size, 10, "one to a second try halves it");
	is_int(host.lost, 2, "since one try was lost");
	answer(1, 100 * CLOCK_MS);
	ok(last.ns >= 100 * CLOCK_MS && last.ns < 60 * CLOCK_SECOND,
	    "the time of the answer is reported");
}

static void
check_states(void)
{
	static const enum scan_state states[SCAN_REASONS] = {
	    [SCAN_CONNECTED] = SCAN_OPEN,
	    [SCAN_ANSWERED] = SCAN_OPEN,
	    [SCAN_REFUSED] = SCAN_CLOSED,
	    [SCAN_SILENT] = SCAN_FILTERED,
	    [SCAN_NO_REPLY] = SCAN_OPEN_FILTERED,
	    [SCAN_HOST_UNREACH] = SCAN_FILTERED,
	    [SCAN_NET_UNREACH] = SCAN_FILTERED,
	    [SCAN_PROHIBITED] = SCAN_FILTERED,
	    [SCAN_PROTO_UNREACH] = SCAN_FILTERED,
	    [SCAN_LOCAL] = SCAN_UNKNOWN,
	    [SCAN_SKIPPED] = SCAN_UNKNOWN};
	int i, wrong = 0;

	for (i = 0; i < SCAN_REASONS; i++)
		wrong += classify_state((enum scan_reason)i) != states[i];
	is_int(wrong, 0, "every reason belongs to its state");
}

int
main(void)
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		return 1;
	options.result = note_result;
	options.timeout_ms = 1000;
	options.last_ms = 1000;
	s.o = &options;
	s.hosts = &host;
	s.set = ready_set_new(CAPACITY);
	probe_pool_init(&s.pool, CAPACITY);
	check_states();
	check_all();
	check_estimates();
	ok(complaints == 0, "every outcome in every state");
	printf("# %ld cases\n", cases);
	tear_down();
	probe_pool_release(&s.pool);
	ready_set_free(s.set);
	return done_testing();
}
