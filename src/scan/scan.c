/* A connect scan: its main loop, its probes' sockets, its reasons. */
#include "scan/scan.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/addr.h"
#include "scan/icmp_limit.h"
#include "scan/udp_payload.h"
#include "scan/ports.h"
#include "scan/ready.h"
#include "scan/retry.h"
#include "scan/internal.h"
#include "net/sock.h"
#include "scan/targets.h"
#include "scan/classify.h"
#include "net/wait.h"

/* Descriptors left to everything else: the standard ones, names, files. */
#define SPARE_FDS 24
/* Slots that are never needed, whatever the limit of descriptors. */
#define MOST_PROBES 60000
/* Answers of this machine itself that are taken in one go. */
#define RUN 1024
/* How often a host whose answers take a while is asked at once after all. */
#define FAR_CHECK 64
/* Answers that one call can tell of. */
#define ANSWERS 256
#define PROGRESS_MS 100

static const struct {
	const char *name;
	enum scan_state state;
} reasons[SCAN_REASONS] = {
    [SCAN_CONNECTED] = {"connected", SCAN_OPEN},
    [SCAN_ANSWERED] = {"answered", SCAN_OPEN},
    [SCAN_REFUSED] = {"refused", SCAN_CLOSED},
    [SCAN_SILENT] = {"no answer", SCAN_FILTERED},
    [SCAN_NO_REPLY] = {"no answer", SCAN_OPEN_FILTERED},
    [SCAN_HOST_UNREACH] = {"host unreachable", SCAN_FILTERED},
    [SCAN_NET_UNREACH] = {"network unreachable", SCAN_FILTERED},
    [SCAN_PROHIBITED] = {"prohibited", SCAN_FILTERED},
    [SCAN_PROTO_UNREACH] = {"protocol unreachable", SCAN_FILTERED},
    [SCAN_LOCAL] = {"failed on this side", SCAN_UNKNOWN},
    [SCAN_SKIPPED] = {"host skipped", SCAN_UNKNOWN},
};

enum scan_state
scan_state_of(enum scan_reason reason)
{
	return reasons[reason].state;
}

const char *
scan_reason_name(enum scan_reason reason)
{
	return reasons[reason].name;
}

const char *
scan_state_name(enum scan_state state)
{
	static const char *const names[] = {
	    "open", "closed", "filtered", "open|filtered", "unknown"};

	return names[state];
}

uint32_t
scan_capacity(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 64;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur > MOST_PROBES + SPARE_FDS)
		return MOST_PROBES;
	if (limit.rlim_cur <= SPARE_FDS)
		return 1;
	return (uint32_t)limit.rlim_cur - SPARE_FDS;
}

void
scan_address(const struct scan *s, uint32_t id, struct addr *a)
{
	const struct probe *p = scan_probe(s, id);

	targets_host(s->o->targets, p->host, p->port, a);
}

void
scan_drop_socket(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);

	ready_set_forget(s->set, id);
	sock_abort(&p->fd);
}

bool
scan_is_plentiful(const struct scan *s)
{
	return s->pool.used <= s->pool.most / 4;
}

/* scan_ask() for a datagram. */
static struct scan_outcome
ask_dgram(int fd, const struct addr *a)
{
	char byte;
	int errnum = 0;

	if (recv(fd, &byte, 1, MSG_DONTWAIT) < 0)
		errnum =
		    errno == EAGAIN || errno == EINTR ? EINPROGRESS : errno;
	return ready_outcome(fd, a, errnum, true);
}

/*
 * TCP goes on after an ICMP error that comes while connect(2) is at work; for
 * a scan it is the answer.
 */
struct scan_outcome
scan_ask(const struct scan *s, int fd, const struct addr *a)
{
	struct scan_outcome o;
	int errnum;

	if (s->o->type == SOCK_DGRAM)
		return ask_dgram(fd, a);
	errnum = ready_connect_result(fd, a);
	o = ready_outcome(fd, a, errnum, true);
	if (errnum == EINPROGRESS && o.errnum != EINPROGRESS)
		(void)ready_connect_again(fd, true);
	return o;
}

/* A socket to try id's port with. 0, or an errno. */
static int
open_socket(struct scan *s, uint32_t id, const struct addr *a)
{
	struct probe *p = scan_probe(s, id);

	if (p->fd >= 0 && p->family != addr_family(a))
		scan_drop_socket(s, id);
	if (p->fd < 0) {
		p->fd = sock_open(addr_family(a), s->o->type);
		if (p->fd >= 0)
			ready_icmp_prepare(p->fd, addr_family(a));
		if (p->fd >= 0 && s->o->type == SOCK_STREAM &&
		    s->o->targets->hosts == 1 && addr_is_loopback(a))
			ready_connect_pin(p->fd, a);
	}
	p->family = (uint8_t)addr_family(a);
	return p->fd < 0 ? errno : 0;
}

/* A datagram that may be answered. 0, or an errno. */
static int
send_payload(int fd, const struct addr *a)
{
	size_t size;
	const void *bytes = udp_payload_for(addr_port(a), &size);

	if (send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return EINPROGRESS;
	return errno == EINTR ? EINPROGRESS : errno;
}

/* Asks. */
static struct scan_outcome
send_probe(struct scan *s, uint32_t id, const struct addr *a)
{
	struct probe *p = scan_probe(s, id);
	struct scan_host *h = scan_host(s, id);
	struct scan_outcome o = {open_socket(s, id, a), SCAN_HERE};

	if (o.errnum != 0)
		return o;
	if (connect(p->fd, &a->u.sa, a->len) < 0)
		o.errnum = errno == EINTR ? EINPROGRESS : errno;
	if (o.errnum == 0 && s->o->type == SOCK_DGRAM)
		o.errnum = send_payload(p->fd, a);
	if (o.errnum != EINPROGRESS)
		return ready_outcome(p->fd, a, o.errnum, false);
	/* On this machine and close by the answer is there already. */
	if (h->far && s->progress.sent % FAR_CHECK != 0)
		return o;
	if (s->o->type == SOCK_STREAM)
		o = ready_outcome(
		    p->fd, a, ready_connect_result(p->fd, a), true);
	else
		o = scan_ask(s, p->fd, a);
	h->far = o.errnum == EINPROGRESS;
	return o;
}

/* Sends the try that id stands for, unless its host has to wait. */
static void
begin(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	struct scan_outcome o;
	struct addr a;

	if (retry_holds(s, id))
		return;
	scan_address(s, id, &a);
	p->tries++;
	p->sent_ns = clock_now();
	p->state = PROBE_FLIGHT;
	s->flying++;
	s->progress.sent++;
	pace_take(&s->pace, p->sent_ns);
	o = send_probe(s, id, &a);
	if (o.origin != SCAN_HERE)
		retry_end(s, id);
	if (o.errnum == EINPROGRESS) {
		s->burst.left--;
		if (ready_set_watch(s->set, id, p->fd,
			s->o->type == SOCK_STREAM ? POLLOUT : POLLIN) == 0) {
			classify_await(s, id);
			return;
		}
		o.errnum = errno;
		o.origin = SCAN_HERE;
	}
	classify_probe(s, id, o, &a);
}

/* Asks a port that is closed once more. */
static void
begin_check(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	struct addr a;

	scan_address(s, id, &a);
	p->sent_ns = clock_now();
	s->progress.sent++;
	pace_take(&s->pace, p->sent_ns);
	s->burst.left--;
	icmp_limit_check_left(s, id, send_probe(s, id, &a));
}

/*
 * The next try of a silent port. Where there is room the earlier one goes on
 * listening, for late answers.
 */
static uint32_t
next_again(struct scan *s)
{
	uint32_t id = probe_waiting(&s->pool), fresh = PROBE_NONE;
	struct probe *p = scan_probe(s, id);

	probe_unlink(&s->pool, id);
	if (p->fd >= 0 && icmp_limit_check_applies(s, id))
		scan_drop_socket(s, id);
	if (p->fd < 0)
		return id;
	if (scan_is_plentiful(s))
		fresh = probe_take(&s->pool);
	if (fresh == PROBE_NONE) {
		ready_set_ignore(s->set, id);
		if (!ready_connect_again(p->fd, true))
			scan_drop_socket(s, id);
		return id;
	}
	p->state = PROBE_OLDER;
	p->newer = fresh;
	scan_probe(s, fresh)->older = id;
	scan_probe(s, fresh)->host = p->host;
	scan_probe(s, fresh)->port = p->port;
	scan_probe(s, fresh)->is_lead = p->is_lead;
	scan_probe(s, fresh)->tries = p->tries;
	scan_probe(s, fresh)->fails = p->fails;
	scan_probe(s, fresh)->unsure = p->unsure;
	return fresh;
}

/* True when hosts that answer none of their first probes are given up. */
static bool
may_skip(const struct scan *s)
{
	return !s->o->no_skip && s->o->targets->hosts > 1;
}

static bool
is_skipped(const struct scan *s, const struct scan_host *h)
{
	return may_skip(s) && h->any_leads && h->leads == 0 && !h->alive;
}

/* For order_keep(): a host that is skipped is told as a whole. */
static bool
keep_host(void *context, uint32_t host)
{
	struct scan *s = context;
	const struct port_list *list;
	uint64_t number;

	if (!is_skipped(s, &s->hosts[host]))
		return true;
	list = targets_list(s->o->targets, host, &number);
	classify_skip(s, host, list->count - list->first_count);
	return false;
}

/*
 * The next port of the order that is to be asked. False at the end, or for
 * now: after so many that are skipped the loop has to look around.
 */
static bool
next_port(struct scan *s, struct target_port *t, bool *is_lead)
{
	int i;

	if (may_skip(s) && !s->leads_over && !order_leads(&s->order)) {
		s->leads_over = true;
		if (s->order.with_leads && !order_is_shard(&s->order))
			order_keep(&s->order, keep_host, s);
	}
	for (i = 0; i < RUN; i++) {
		s->all_begun = !order_next(&s->order, t, is_lead);
		if (s->all_begun)
			return false;
		if (*is_lead || !is_skipped(s, &s->hosts[t->host]))
			return true;
		classify_skip(s, t->host, 1);
	}
	s->is_skipping = true;
	return false;
}

/* A port that was not asked yet, or PROBE_NONE when none may be just now. */
static uint32_t
next_new(struct scan *s)
{
	struct target_port t;
	struct probe *p;
	uint32_t id;
	bool is_lead;

	/* Which hosts are there has to be known first. */
	if (s->leads > 0 && !order_leads(&s->order) && may_skip(s))
		return PROBE_NONE;
	/* There are slots for checks, always. */
	if (s->limits != NULL &&
	    s->pool.used + ICMP_LIMIT_CHECKS >= s->pool.most)
		return PROBE_NONE;
	id = probe_take(&s->pool);
	if (id == PROBE_NONE)
		return PROBE_NONE;
	if (!next_port(s, &t, &is_lead)) {
		probe_give(&s->pool, id);
		return PROBE_NONE;
	}
	p = scan_probe(s, id);
	p->host = t.host;
	p->port = t.port;
	p->is_lead = is_lead;
	p->tries = p->fails = 0;
	p->unsure = 0;
	if (is_lead) {
		scan_host(s, id)->any_leads = true;
		scan_host(s, id)->leads++;
		s->leads++;
	}
	return id;
}

/* The next probe to send: a silent port's, more gently, else a new one's. */
static uint32_t
next_probe(struct scan *s)
{
	if (probe_waiting(&s->pool) != PROBE_NONE && s->again.left > 0) {
		s->again.left--;
		return next_again(s);
	}
	return s->all_begun ? PROBE_NONE : next_new(s);
}

/* When the next probe may leave: now, or later. */
static struct deadline
next_leave(const struct scan *s)
{
	struct deadline d = {s->pace.interval_ns == 0 ? 0 : s->pace.next_ns};

	if (s->burst.left <= 0 && d.at_ns < s->burst.at_ns + BURST_TICK_NS)
		d.at_ns = s->burst.at_ns + BURST_TICK_NS;
	if (d.at_ns < s->resume_ns)
		d.at_ns = s->resume_ns;
	return d;
}

/* Nothing new may be asked just now, but perhaps something again, later. */
static struct deadline
next_tick(const struct scan *s)
{
	struct deadline d = {s->again.at_ns + BURST_TICK_NS}, now = {0};

	if (s->is_skipping)
		return now;
	return probe_waiting(&s->pool) == PROBE_NONE ? deadline_none() : d;
}

/*
 * Sends what may leave now. When it is to be called again although nothing
 * has come back.
 */
static struct deadline
feed(struct scan *s)
{
	struct deadline leave = {0};
	int64_t now = 0;
	uint32_t id;
	int i;

	s->is_skipping = false;

	for (i = 0; i < RUN; i++) {
		if (s->flying >= s->window.size && !icmp_limit_check_is_next(s))
			return deadline_none();
		leave = next_leave(s);
		if (leave.at_ns > now || i == 0) {
			now = clock_now();
			burst_fill(&s->burst, &s->window, 1, now);
			burst_fill(&s->again, &s->window, 2, now);
			leave = next_leave(s);
		}
		if (leave.at_ns > now)
			return leave;
		id = next_probe(s);
		if (id == PROBE_NONE)
			return next_tick(s);
		if (scan_probe(s, id)->state == PROBE_CHECK)
			begin_check(s, id);
		else
			begin(s, id);
	}
	return leave;
}

/* Something happened to the socket of id, or seems to have. */
static void
ask(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	struct scan_outcome o;
	struct addr a;

	if (p->state == PROBE_FREE || p->fd < 0)
		return;
	if (p->state == PROBE_BANNER) {
		classify_banner(s, id);
		return;
	}
	if (p->state == PROBE_CHECK) {
		icmp_limit_check_hear(s, id);
		return;
	}
	scan_address(s, id, &a);
	o = scan_ask(s, p->fd, &a);
	if (o.errnum == EINPROGRESS)
		return;
	probe_unlink(&s->pool, id);
	classify_probe(s, id, o, &a);
}

static int
tell_progress(struct scan *s, struct err *e)
{
	if (!deadline_passed(s->tell))
		return 0;
	s->tell = deadline_after(PROGRESS_MS);
	return s->o->progress(s->o->context, &s->progress, e);
}

static bool
is_done(const struct scan *s)
{
	return s->all_begun && s->pool.used == 0;
}

/* Waits, and takes every answer that is there. 0, or -1 with errno. */
static int
listen_for(struct scan *s, struct deadline wake)
{
	struct deadline now = {0};
	uint32_t ids[ANSWERS];
	int i, n;

	do {
		n = ready_set_wait(s->set, ids, ANSWERS, wake);
		for (i = 0; i < n; i++)
			ask(s, ids[i]);
		wake = now;
	} while (n == ANSWERS && wait_stopped() == 0 &&
		 !deadline_passed(s->o->until));
	return n < 0 ? -1 : 0;
}

/* One round: send, wait, take answers, give up what is late. */
static int
turn(struct scan *s, struct err *e)
{
	struct deadline wake = feed(s);
	uint32_t id;
	int64_t now;

	if (is_done(s))
		return 0;
	wake = deadline_first(wake, probe_deadline(&s->pool));
	wake = deadline_first(wake, deadline_first(s->o->until, s->tell));
	if (listen_for(s, wake) < 0 && errno != EINTR)
		return err_sys(e, ERR_FAILED, errno, "waiting for answers");
	if (wait_stopped() != 0)
		return err_sys(e, ERR_FAILED, EINTR, "scan");
	now = clock_now();
	while ((id = probe_expired(&s->pool, now)) != PROBE_NONE)
		classify_expire(s, id);
	if (tell_progress(s, e) < 0)
		return -1;
	if (deadline_passed(s->o->until))
		return err_set(
		    e, ERR_TIMEOUT, "the time limit of the run has passed");
	return 0;
}

static int
start(struct scan *s, const struct scan_options *o, struct err *e)
{
	uint32_t most = scan_capacity();

	memset(s, 0, sizeof(*s));
	s->o = o;
	if (o->parallel > 0 && o->parallel < most)
		most = (uint32_t)o->parallel;
	s->set = ready_set_new(most + ICMP_LIMIT_CHECKS);
	if (s->set == NULL)
		return err_sys(e, ERR_FAILED, errno, "a set of sockets");
	order_init(&s->order, o->targets, o->seed, o->shard, o->shards);
	if (o->ascending)
		order_ascend(&s->order);
	s->progress.start_ns = clock_now();
	pace_init(&s->pace, o->rate, s->progress.start_ns);
	icmp_limit_check_start(s, most);
	probe_pool_init(
	    &s->pool, s->limits != NULL ? most + ICMP_LIMIT_CHECKS : most);
	window_init(&s->window, most);
	s->hosts = mem_array(o->targets->hosts, sizeof(s->hosts[0]));
	s->progress.asked = order_count(&s->order);
	s->tell =
	    o->progress != NULL ? deadline_after(PROGRESS_MS) : deadline_none();
	return 0;
}

static void
finish(struct scan *s)
{
	uint32_t id;

	for (id = 0; id < s->pool.fresh; id++)
		sock_abort(&scan_probe(s, id)->fd);
	probe_pool_release(&s->pool);
	ready_set_free(s->set);
	free(s->hosts);
	order_release(&s->order);
	icmp_limit_check_release(s);
}

int
scan_run(const struct scan_options *o, struct scan_progress *end, struct err *e)
{
	struct scan s;
	int result = 0;

	if (start(&s, o, e) < 0)
		return -1;
	while (result == 0 && !is_done(&s))
		result = turn(&s, e);
	*end = s.progress;
	finish(&s);
	return result;
}
