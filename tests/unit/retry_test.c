/* When a scan tries again: timers, tries, shortages and outages. */
#include <sys/socket.h>
#include <unistd.h>

#include "lib/tap.h"
/* The rules are static. */
#include "scan/retry.c"

#define CAPACITY 16
#define MS CLOCK_MS

static struct scan_options options;
static struct scan s;
static struct scan_host host;

/* A scan with one probe, which has been sent once. */
static uint32_t
start(int type)
{
	uint32_t id;

	memset(&options, 0, sizeof(options));
	memset(&s, 0, sizeof(s));
	memset(&host, 0, sizeof(host));
	options.type = type;
	options.retries = -1;
	options.timeout_ms = 3000;
	options.last_ms = 1000;
	s.o = &options;
	s.hosts = &host;
	s.set = ready_set_new(CAPACITY);
	window_init(&s.window, CAPACITY);
	probe_pool_init(&s.pool, CAPACITY);
	id = probe_alloc(&s.pool);
	s.pool.probes[id].state = PROBE_FLIGHT;
	s.pool.probes[id].tries = 1;
	s.pool.probes[id].sent_ns = clock_now();
	return id;
}

static void
end(void)
{
	uint32_t id;

	for (id = 0; id < s.pool.touched; id++)
		if (s.pool.probes[id].fd >= 0)
			close(s.pool.probes[id].fd);
	probe_pool_release(&s.pool);
	ready_set_free(s.set);
}

static void
test_timeout(void)
{
	start(SOCK_STREAM);
	is_int(timeout_ns(&s, &host), 1000 * MS, "before any answer");
	options.timeout_ms = 600;
	is_int(timeout_ns(&s, &host), 600 * MS, "at most --timeout");
	rtt_sample(&s.rtt, 50 * MS);
	is_int(timeout_ns(&s, &host), 300 * MS,
	    "the other hosts' time counts twice");
	rtt_sample(&s.rtt, 900 * MS);
	is_int(timeout_ns(&s, &host), 600 * MS, "at most --timeout");
	rtt_sample(&host.rtt, 50 * MS);
	is_int(timeout_ns(&s, &host), 150 * MS, "the host has its own");
	is_int(
	    poll_ns(&host), 62500 * MS / 1000, "one and a quarter round trips");
	rtt_sample(&host.rtt, 900 * MS);
	is_int(poll_ns(&host), 100 * MS, "at most the least timeout");
	memset(&host.rtt, 0, sizeof(host.rtt));
	is_int(poll_ns(&host), 100 * MS, "so before any answer");
	rtt_sample(&host.rtt, 20 * MS);
	is_int(poll_ns(&host), 25 * MS, "of any length");
	memset(&host.rtt, 0, sizeof(host.rtt));
	rtt_sample(&host.rtt, 1 * MS);
	is_int(poll_ns(&host), 25 * MS, "but not all the time");
	end();
}

static void
test_timers(void)
{
	uint32_t id = start(SOCK_STREAM);
	struct probe *p = scan_probe(&s, id);
	int64_t now = clock_now();

	p->sent_ns = now;
	retry_set_timer(&s, id);
	is_int(p->expires_ns, now + 100 * MS, "a silent probe is polled");
	p->sent_ns = now - 100 * MS;
	retry_set_timer(&s, id);
	ok(p->expires_ns >= now + 100 * MS &&
		p->expires_ns <= clock_now() + 100 * MS,
	    "again and again");
	p->sent_ns = now - 990 * MS;
	retry_reset_timers(&s);
	is_int(p->expires_ns, now + 10 * MS, "at last when it times out");
	p->sent_ns = clock_now();
	ok(retry_is_early(&s, id), "before, it is early");
	p->sent_ns = now - 1000 * MS;
	ok(!retry_is_early(&s, id), "then it is not");
	p->sent_ns = now;
	p->state = PROBE_LATE;
	ok(!retry_is_early(&s, id), "the last wait has no second end");
	p->state = PROBE_WAITING;
	p->expires_ns = 0;
	retry_reset_timers(&s);
	is_int(p->expires_ns, 0, "only those in flight have timers");
	end();
}

static void
test_tries(void)
{
	uint32_t id = start(SOCK_STREAM), i;

	is_int(max_tries(&s, id), 2, "two tries of a host that is silent");
	host.is_up = true;
	is_int(max_tries(&s, id), 3, "three of one that is up");
	for (i = s.pool.used; i < CAPACITY / 4; i++)
		probe_alloc(&s.pool);
	is_int(max_tries(&s, id), 3, "while slots are free");
	probe_alloc(&s.pool);
	is_int(max_tries(&s, id), 2, "not when they are needed");
	host.lost = 1;
	is_int(max_tries(&s, id), 2, "an answered first try shows no loss");
	host.lost = 2;
	is_int(max_tries(&s, id), 5, "three more than what was answered");
	host.lost = 7;
	is_int(max_tries(&s, id), MAX_TRIES, "up to a limit");
	options.retries = 0;
	is_int(max_tries(&s, id), 1, "--retries 0");
	ok(retry_is_exhausted(&s, id), "one try is all");
	options.retries = 20;
	is_int(max_tries(&s, id), 21, "--retries 20");
	ok(!retry_is_exhausted(&s, id), "one try is not all");
	end();
	id = start(SOCK_DGRAM);
	is_int(max_tries(&s, id), 3, "three datagrams");
	end();
}

static void
test_last_wait(void)
{
	uint32_t id = start(SOCK_STREAM);
	struct probe *p = scan_probe(&s, id);

	ok(!retry_extend(&s, id), "without a socket nothing is awaited");
	p->fd = dup(0);
	p->sent_ns = clock_now() - 1001 * MS;
	ok(!retry_extend(&s, id), "nor after the longest wait");
	p->sent_ns = clock_now();
	ok(retry_extend(&s, id), "the last try is awaited longer");
	is_int(p->state, PROBE_LATE, "it is late");
	is_int(p->expires_ns, p->sent_ns + 1000 * MS, "until then");
	ok(!retry_extend(&s, id), "once");
	end();
}

/* A new try, in a slot of its own while there is one. */
static void
test_next(void)
{
	uint32_t id = start(SOCK_STREAM), next;
	struct probe *p = scan_probe(&s, id), *q;

	p->host = 0;
	p->port = 7;
	p->is_discovery = true;
	p->failures = 3;
	p->unsure_errnum = EHOSTUNREACH;
	p->state = PROBE_WAITING;
	retry_schedule(&s, id);
	is_int(probe_waiting(&s.pool), id, "it waits");
	is_int(retry_next(&s), id, "without a socket it is the same slot");
	ok(probe_waiting(&s.pool) == PROBE_NONE, "it waits no more");
	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	probe_wait(&s.pool, id);
	next = retry_next(&s);
	q = scan_probe(&s, next);
	ok(next != id && q->fd < 0, "otherwise another one");
	ok(q->port == 7 && q->host == 0 && q->is_discovery && q->tries == 1 &&
		q->failures == 3 && q->unsure_errnum == EHOSTUNREACH,
	    "of the same port");
	ok(p->state == PROBE_OLDER && p->newer == next && q->older == id &&
		p->fd >= 0,
	    "the older try goes on");
	while (probe_alloc(&s.pool) != PROBE_NONE)
		continue;
	q->state = PROBE_WAITING;
	q->fd = socket(AF_INET, SOCK_STREAM, 0);
	probe_wait(&s.pool, next);
	is_int(retry_next(&s), next, "without a slot it is the same one");
	end();
}

/* A shortage of this machine: all wait. */
static void
test_shortage(void)
{
	static const int errnums[] = {
	    EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN, EADDRINUSE, EADDRNOTAVAIL};
	uint32_t id;
	struct probe *p;
	int64_t now;
	size_t i;

	for (i = 0; i < sizeof(errnums) / sizeof(errnums[0]); i++) {
		id = start(SOCK_STREAM);
		p = scan_probe(&s, id);
		s.in_flight = 10;
		now = clock_now();
		ok(retry_failed(&s, id, errnums[i]), "%d is tried again",
		    errnums[i]);
		is_int(p->failures, 1, "a failure");
		is_int(probe_waiting(&s.pool), id, "it waits");
		ok(s.resume_ns >= now + 5 * MS && host.retry_ns == 0,
		    "so do all");
		ok(s.window.size < 10, "with a smaller window");
		p->failures = 11;
		ok(retry_failed(&s, id, errnums[i]), "a twelfth time");
		ok(!retry_failed(&s, id, errnums[i]), "but not once more");
		end();
	}
	start(SOCK_STREAM);
	s.shortage_ns = 5 * MS;
	ok(!has_shortage_expired(&s, 6004 * MS), "it lasts six seconds");
	ok(has_shortage_expired(&s, 6005 * MS), "and not longer");
	s.pool.timed = 1;
	ok(!has_shortage_expired(&s, 7000 * MS), "unless probes are to end");
	is_int(s.shortage_ns, 7000 * MS, "then it begins anew");
	s.pool.timed = 0;
	s.shortage_ns = 0;
	ok(!has_shortage_expired(&s, 8000 * MS), "a new one");
	is_int(s.shortage_ns, 8000 * MS, "begins");
	end();
}

/* A host that cannot be reached from here: its ports wait. */
static void
test_outage(void)
{
	uint32_t id = start(SOCK_STREAM);
	struct probe *p = scan_probe(&s, id);

	ok(!retry_must_wait(&s, id), "nothing has failed");
	ok(retry_failed(&s, id, ENETUNREACH), "it is tried again");
	ok(host.failing_ns > 0 && s.resume_ns == 0, "an outage of the host");
	is_int(host.retry_ns, host.failing_ns + 5 * MS, "a short pause");
	is_int(p->expires_ns, host.retry_ns, "after which it is tried");
	host.retry_ns = clock_now() + 1000 * MS;
	ok(retry_must_wait(&s, id), "others wait, too");
	ok(p->state == PROBE_WAITING && p->expires_ns == host.retry_ns,
	    "until the host is tried again");
	host.retry_ns = clock_now();
	ok(!retry_must_wait(&s, id), "and no longer");
	host.failing_ns = clock_now() - 1001 * MS;
	host.retry_ns = clock_now() + 1000 * MS;
	ok(!retry_must_wait(&s, id), "an outage that never ended is final");
	ok(!retry_failed(&s, id, ENETUNREACH), "and reported");
	s.has_sent = true;
	p->failures = 100;
	ok(retry_failed(&s, id, ENETUNREACH), "unless a probe was ever sent");
	is_int(p->failures, 101, "however often this one failed");
	host.failing_ns = clock_now() - 6001 * MS;
	ok(!retry_failed(&s, id, ENETUNREACH), "up to six seconds");
	retry_clear(&s, id);
	ok(host.failing_ns == 0 && s.shortage_ns == 0 && s.has_sent,
	    "a probe that was sent ends it");
	p->failures = 12;
	ok(!retry_failed(&s, id, ENETUNREACH), "one port fails 12 times");
	end();
}

static void
test_pauses(void)
{
	start(SOCK_STREAM);
	host.failing_ns = 1000 * MS;
	pause_host(&host, 1004 * MS);
	is_int(host.retry_ns, 1009 * MS, "the shortest pause");
	pause_host(&host, 1300 * MS);
	is_int(host.retry_ns, 1600 * MS, "as long as the outage");
	pause_host(&host, 3000 * MS);
	is_int(host.retry_ns, 3500 * MS, "the longest pause");
	is_int(host.failing_ns, 1000 * MS, "its start stays");
	host.failing_ns = 0;
	ok(!has_outage_expired(&s, &host, 9000 * MS), "no outage");
	end();
}

int
main(void)
{
	test_timeout();
	test_timers();
	test_tries();
	test_last_wait();
	test_next();
	test_shortage();
	test_outage();
	test_pauses();
	return done_testing();
}
