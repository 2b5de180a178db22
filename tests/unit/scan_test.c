/* The rounds of a scan: how many probes leave, when the next ones may, and the
 * end. No server listens on the address that is scanned; a few datagram sockets
 * there receive and do not answer. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/choose_targets.h"
#include "lib/tap.h"
/* The rounds are static. */
#include "scan/scan.c"

#define MS CLOCK_MS
#define PORTS 100
#define SILENT 5

static struct targets targets = TARGETS_INIT;
static struct order order;
static struct scan_options options;
static struct scan s;
static int closed, others, silent[SILENT];
static char silent_ports[SILENT * 6 + 1];

static void
on_result(void *context, const struct scan_result *r)
{
	(void)context;
	closed += r->reason == SCAN_REFUSED;
	others += r->reason != SCAN_REFUSED;
}

/* Opens the sockets that do not answer. */
static void
open_silent(void)
{
	struct sockaddr_in a;
	socklen_t len;
	int i;

	for (i = 0; i < SILENT; i++) {
		len = sizeof(a);
		memset(&a, 0, sizeof(a));
		a.sin_family = AF_INET;
		a.sin_addr.s_addr = inet_addr("127.77.0.1");
		silent[i] = socket(AF_INET, SOCK_DGRAM, 0);
		if (bind(silent[i], (struct sockaddr *)&a, len) < 0 ||
		    getsockname(silent[i], (struct sockaddr *)&a, &len) < 0)
			abort();
		sprintf(silent_ports + strlen(silent_ports), "%s%d",
		    i == 0 ? "" : ",", ntohs(a.sin_port));
	}
}

static void
choose(const char *hosts, const char *ports)
{
	choose_targets(&targets, hosts, ports);
	order_init(&order, &(struct order_options){&targets, 1, 0, 1, false});
	memset(&options, 0, sizeof(options));
	options.order = &order;
	options.type = SOCK_DGRAM;
	options.retries = -1;
	options.timeout_ms = options.last_ms = 1000;
	options.until = deadline_none();
	options.result = on_result;
	closed = others = 0;
}

static void
release(void)
{
	finish(&s);
	targets_release(&targets);
}

static void
begin(const char *hosts, const char *ports)
{
	struct err e = ERR_INIT;

	choose(hosts, ports);
	if (start(&s, &options, &e) < 0)
		abort();
}

/* As many as the window allows, and no more. */
static void
test_window(void)
{
	begin("127.77.0.1", silent_ports);
	s.window.size = 3;
	ok(!deadline_is_set(send_probes(&s)), "the window is full");
	is_int(s.in_flight, 3, "with three probes");
	is_int((long long)s.progress.sent, 3, "which are counted");
	ok(!s.is_exhausted && !is_done(&s), "more are to come");
	s.window.size = 4;
	s.shortage_ns = 5;
	send_probes(&s);
	is_int(s.in_flight, 4, "one more when it has grown");
	is_int(s.shortage_ns, 0, "which shows that nothing is short");
	release();
}

/* With --rate, one after the other. */
static void
test_rate(void)
{
	struct err e = ERR_INIT;
	int64_t now, at;

	choose("127.77.0.1", silent_ports);
	options.rate = 10;
	if (start(&s, &options, &e) < 0)
		abort();
	now = s.pace.next_ns;
	at = send_probes(&s).at_ns;
	ok(at >= now + 100 * MS && at <= clock_now() + 100 * MS,
	    "the next has its time");
	is_int(s.in_flight, 1, "one is sent");
	s.resume_ns = now + 60 * CLOCK_SECOND;
	is_int(send_probes(&s).at_ns, s.resume_ns, "a pause counts, too");
	is_int(s.in_flight, 1, "meanwhile none is sent");
	release();
}

/* Those that are to be probed again come first, half of a burst. */
static void
test_reprobes(void)
{
	uint32_t id;

	begin("127.77.0.1", silent_ports);
	ok(!deadline_is_set(next_tick(&s)), "nothing waits");
	id = probe_alloc(&s.pool);
	s.pool.probes[id].state = PROBE_WAITING;
	s.pool.probes[id].tries = 1;
	probe_wait(&s.pool, id);
	is_int(next_tick(&s).at_ns, s.pace.filled_ns + PACE_TICK_NS,
	    "what waits, does for the next tick");
	s.is_skipping = true;
	is_int(next_tick(&s).at_ns, 0, "skipped ports do not");
	s.pace.reprobes = 1;
	is_int(next_probe(&s), id, "it is the next probe");
	is_int(s.pace.reprobes, 0, "which counts");
	probe_wait(&s.pool, id);
	ok(next_probe(&s) != id, "then new ones have their turn");
	s.is_exhausted = true;
	ok(next_probe(&s) == PROBE_NONE, "unless there are none");
	s.pace.reprobes = 1;
	is_int(next_probe(&s), id, "the other half of the burst is its own");
	release();
}

/* Hosts that answer no discovery probe are skipped, where there are several. */
static void
test_skipping(void)
{
	uint32_t id;

	begin("127.77.0.1", "1-100");
	ok(!may_skip(&s), "a single host is not skipped");
	release();
	begin("127.77.0.1-2", "1-100");
	ok(may_skip(&s), "one of two may be");
	is_int(s.pool.capacity, (long long)s.window.limit + ICMP_LIMIT_CHECKS,
	    "besides its probes it has slots for checks");
	options.no_skip = true;
	ok(!may_skip(&s), "not with --no-skip");
	options.no_skip = false;
	ok(may_begin(&s), "ports may be probed");
	id = next_new(&s);
	ok(scan_probe(&s, id)->is_discovery && s.discovery_left == 1 &&
		scan_host(&s, id)->had_discovery &&
		scan_host(&s, id)->discovery_left == 1,
	    "the first one shows whether its host is up");
	ok(!is_skipped(&s, scan_host(&s, id)), "while nothing is known");
	while (order_is_discovering(&s.order))
		next_new(&s);
	ok(!may_begin(&s), "the others wait until it is known");
	options.no_skip = true;
	ok(may_begin(&s), "not with --no-skip");
	options.no_skip = false;
	s.discovery_left = 0;
	ok(may_begin(&s), "then they go on");
	s.hosts[0].discovery_left = s.hosts[1].discovery_left = 0;
	s.hosts[1].is_up = true;
	ok(is_skipped(&s, &s.hosts[0]), "without the host that is down");
	ok(!is_skipped(&s, &s.hosts[1]), "with the one that is up");
	id = next_new(&s);
	is_int(scan_probe(&s, id)->host, 1, "the next port is of that one");
	is_int(others, 1, "the ports of the other are reported at once");
	release();
}

/* Whether a probe is polled at once, after so many have been sent. */
static bool
is_polled(uint64_t sent, bool is_far)
{
	struct ready_outcome o;
	uint32_t id = next_new(&s);

	s.hosts[0].is_far = is_far;
	s.progress.sent = sent;
	o = probe_socket_send(&s, id);
	is_int((long long)s.progress.sent, (long long)sent + 1, "one more");
	if (o.errnum == EINPROGRESS)
		return false;
	ok(o.errnum == ECONNREFUSED && o.origin == READY_REMOTE, "refused");
	ok(!s.hosts[0].is_far, "a host that answers at once is near");
	return true;
}

/* With --parallel 1, one port after the other. */
static void
test_parallel(void)
{
	struct scan_progress end = {0};
	struct err e = ERR_INIT;
	uint32_t i;

	choose("127.77.0.1", "1-100");
	options.type = SOCK_STREAM;
	options.parallel = 1;
	options.until = deadline_after(20000);
	is_int(scan_run(&options, &end, &e), 0, "one probe at a time");
	is_int(closed, PORTS, "is enough for all ports");
	targets_release(&targets);

	begin("127.77.0.1", "1-100");
	for (i = s.pool.used; i + ICMP_LIMIT_CHECKS < s.pool.capacity; i++) {
		if (!may_begin(&s))
			ok(false, "%u probes leave space", i);
		probe_alloc(&s.pool);
	}
	ok(!may_begin(&s), "slots are kept for checks");
	release();
}

/* Of probes to a distant host, only one in 64 is polled at once. */
static void
test_far(void)
{
	begin("127.77.0.1", "1-100");
	ok(is_polled(5, false), "a near host is polled");
	ok(!is_polled(5, true), "a far one is not");
	ok(!is_polled(62, true) && !is_polled(64, true), "nearly never");
	ok(is_polled(63, true), "but sometimes");
	ok(is_polled(127, true), "again and again");
	release();
	begin("127.77.0.1", silent_ports);
	ok(!is_polled(5, false), "no answer is known");
	ok(s.hosts[0].is_far, "from a host that is far, then");
	release();
}

/* Bytes of a service end the wait for them. */
static void
test_banner(void)
{
	int ends[2];
	uint32_t id;

	begin("127.77.0.1", "1-100");
	options.type = SOCK_STREAM;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		abort();
	id = probe_alloc(&s.pool);
	s.pool.probes[id].state = PROBE_BANNER;
	s.pool.probes[id].fd = ends[0];
	handle_ready(&s, id);
	is_int(others, 0, "without bytes nothing is reported");
	if (write(ends[1], "hi", 2) != 2)
		abort();
	handle_ready(&s, id);
	is_int(others, 1, "with some the port is reported");
	ok(s.pool.probes[id].state == PROBE_FREE, "that was its last wait");
	handle_ready(&s, id);
	is_int(others, 1, "a free slot is not ready");
	close(ends[1]);
	release();
}

/* A whole scan: every port is reported once, and stdin stays open. */
static void
test_run(void)
{
	struct scan_progress end = {0};
	struct err e = ERR_INIT;

	int first = dup(0), again;

	close(first);
	choose("127.77.0.1", "1-100");
	options.type = SOCK_STREAM;
	is_int(scan_run(&options, &end, &e), 0, "a scan of closed ports");
	again = dup(0);
	close(again);
	is_int(again, first, "closes its sockets");
	ok(closed == PORTS && others == 0, "all are closed");
	ok(end.sent >= PORTS && end.start_ns > 0, "its probes are counted");
	ok(fcntl(0, F_GETFD) >= 0, "stdin is still open");
	targets_release(&targets);
}

/* A limit that has passed. */
static void
test_limit(void)
{
	struct scan_progress end = {0};
	struct err e = ERR_INIT;

	choose("127.77.0.1", "1-100");
	options.until = deadline_max_time(1);
	while (!deadline_passed(options.until))
		continue;
	options.rate = 1;
	is_int(scan_run(&options, &end, &e), -1, "a limit ends a scan");
	is_int(e.kind, ERR_TIMEOUT, "as a time limit");
	is_text(e.text, "stopped after 1 ms (--max-time)", "that is named");
	is_int((long long)end.sent, 1, "after one probe");
	targets_release(&targets);
}

/* How many probes may be in flight with these limits of descriptors. */
static void
has_capacity(rlim_t soft, rlim_t hard, uint32_t want)
{
	struct rlimit limit = {soft, hard};

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		skip(1, "the limit of descriptors cannot be raised");
	else
		is_int(scan_capacity(), want, "as many as descriptors allow");
}

/* Each limit allows the next one: lowered, it cannot be raised again. */
static void
test_capacity(void)
{
	has_capacity(100, MAX_PROBES + SPARE_FDS + 1, MAX_PROBES);
	has_capacity(50, 200, 200 - SPARE_FDS);
	has_capacity(30, 30, 30 - SPARE_FDS);
	has_capacity(SPARE_FDS, SPARE_FDS, 1);
	has_capacity(SPARE_FDS / 2, SPARE_FDS / 2, 1);
}

int
main(void)
{
	open_silent();
	test_window();
	test_rate();
	test_reprobes();
	test_skipping();
	test_parallel();
	test_far();
	test_banner();
	test_run();
	test_limit();
	test_capacity();
	return done_testing();
}
