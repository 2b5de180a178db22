/*
 * The probes of a scan: the pool with its lists and a timer wheel, the socket
 * of each, and their pace: the congestion window, the rate and the timeouts.
 */
#include "scan/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/step.h"
#include "net/addr.h"
#include "net/icmp.h"
#include "net/os.h"
#include "net/sock.h"
#include "scan/targets.h"

#define MIN_BURST 16
#define MAX_BURST 128
/* At most this much of a late wake-up is made up for. */
#define SLACK_NS (20 * CLOCK_MS)

/* The lists: free slots, waiting probes, then the buckets of the wheel. */
enum { LIST_FREE, LIST_WAITING, LIST_WHEEL };

#define LISTS (LIST_WHEEL + PROBE_BUCKETS)

static uint32_t
head(const struct probe_pool *p, int list)
{
	return p->capacity + (uint32_t)list;
}

static uint32_t
first(const struct probe_pool *p, int list)
{
	uint32_t id = p->links[head(p, list)].next;

	return id == head(p, list) ? PROBE_NONE : id;
}

/* Inserts id before another link. */
static void
insert(struct probe_pool *p, uint32_t id, uint32_t before)
{
	struct probe_link *l = p->links;

	l[id].next = before;
	l[id].prev = l[before].prev;
	l[l[before].prev].next = id;
	l[before].prev = id;
}

static int
bucket_of(int64_t tick)
{
	return LIST_WHEEL + (int)(tick % PROBE_BUCKETS);
}

int
probe_pool_init(struct probe_pool *p, uint32_t capacity,
    const struct targets *targets, int type)
{
	uint32_t i, h;

	memset(p, 0, sizeof(*p));
	p->set = ready_set_new(capacity, false);
	if (p->set == NULL)
		return -1;
	p->capacity = capacity;
	p->targets = targets;
	p->type = type;
	p->tick = clock_now() / PROBE_TICK_NS;
	p->probes = mem_array(capacity, sizeof(p->probes[0]));
	p->links = mem_array((size_t)capacity + LISTS, sizeof(p->links[0]));
	for (i = 0; i < LISTS; i++) {
		h = head(p, (int)i);
		p->links[h].prev = p->links[h].next = h;
	}
	return 0;
}

void
probe_pool_release(struct probe_pool *p)
{
	uint32_t id;

	for (id = 0; id < p->touched; id++)
		probe_drop(p, id);
	ready_set_free(p->set);
	free(p->probes);
	free(p->links);
}

uint32_t
probe_alloc(struct probe_pool *p)
{
	uint32_t id = first(p, LIST_FREE);

	if (id != PROBE_NONE) {
		probe_unlink(p, id);
	} else if (p->touched < p->capacity) {
		id = p->touched++;
		p->links[id].prev = p->links[id].next = id;
		p->probes[id].fd = -1;
	} else {
		return PROBE_NONE;
	}
	p->probes[id].older = p->probes[id].newer = PROBE_NONE;
	p->probes[id].expires_ns = 0;
	p->used++;
	return id;
}

void
probe_free(struct probe_pool *p, uint32_t id)
{
	probe_unlink(p, id);
	p->probes[id].state = PROBE_FREE;
	insert(p, id, p->links[head(p, LIST_FREE)].next);
	p->used--;
}

void
probe_unlink(struct probe_pool *p, uint32_t id)
{
	struct probe_link *l = p->links;

	l[l[id].prev].next = l[id].next;
	l[l[id].next].prev = l[id].prev;
	l[id].prev = l[id].next = id;
	if (p->probes[id].expires_ns != 0) {
		p->probes[id].expires_ns = 0;
		p->timed--;
	}
}

void
probe_wait(struct probe_pool *p, uint32_t id)
{
	probe_unlink(p, id);
	insert(p, id, head(p, LIST_WAITING));
}

uint32_t
probe_waiting(const struct probe_pool *p)
{
	return first(p, LIST_WAITING);
}

void
probe_set_timer(struct probe_pool *p, uint32_t id, int64_t expires_ns)
{
	int64_t tick = expires_ns / PROBE_TICK_NS + 1;

	probe_unlink(p, id);
	/* A later time than the wheel covers takes more than one turn. */
	tick = num_clamp(tick, p->tick + 1, p->tick + PROBE_BUCKETS - 1);
	insert(p, id, head(p, bucket_of(tick)));
	p->probes[id].expires_ns = expires_ns;
	p->timed++;
}

uint32_t
probe_expired(struct probe_pool *p, int64_t now_ns)
{
	int64_t now = now_ns / PROBE_TICK_NS;
	uint32_t id;

	if (p->timed == 0 && p->tick < now)
		p->tick = now;
	for (;; p->tick++) {
		while ((id = first(p, bucket_of(p->tick))) != PROBE_NONE) {
			if (p->probes[id].expires_ns <= now_ns) {
				probe_unlink(p, id);
				return id;
			}
			/* It takes another turn of the wheel. */
			probe_set_timer(p, id, p->probes[id].expires_ns);
		}
		if (p->tick >= now)
			return PROBE_NONE;
	}
}

struct deadline
probe_deadline(const struct probe_pool *p)
{
	struct deadline d = deadline_none();
	int i;

	for (i = 0; p->timed > 0 && i < PROBE_BUCKETS; i++) {
		if (first(p, bucket_of(p->tick + i)) == PROBE_NONE)
			continue;
		d.at_ns = (p->tick + i) * PROBE_TICK_NS;
		break;
	}
	return d;
}

void
probe_address(const struct probe_pool *pool, uint32_t id, struct addr *a)
{
	const struct probe *p = &pool->probes[id];

	targets_host(pool->targets, p->host, p->port, a);
}

void
probe_report(const struct probe_pool *pool, uint32_t id, int errnum)
{
	struct probe *p = &pool->probes[id];
	bool is_ended = errnum == EINPROGRESS;
	bool is_stream = pool->type == SOCK_STREAM;
	struct addr a;

	if (!p->is_unreported)
		return;
	p->is_unreported = false;
	if (!step_is_on())
		return;
	probe_address(pool, id, &a);
	errno = is_stream ? icmp_cause(&pool->icmp, errnum) : errnum;
	step("connect", p->sent_ns, errnum != 0 && !is_ended ? -1 : 0,
	    is_ended    ? "ended: another attempt has decided the port, or "
			  "follows"
	    : is_stream ? "SYN sent, SYN+ACK received, ACK sent: the port is "
			  "open"
			: "nothing is sent: the system notes where to send to",
	    "%s to %s", step_name_of(p->fd), addr_text(&a));
}

bool
probe_again(const struct probe_pool *pool, uint32_t id, bool in_progress)
{
	probe_report(pool, id, EINPROGRESS);
	return ready_connect_again(pool->probes[id].fd, in_progress);
}

void
probe_drop(struct probe_pool *pool, uint32_t id)
{
	if (pool->probes[id].fd < 0)
		return;
	probe_report(pool, id, EINPROGRESS);
	ready_set_forget(pool->set, id);
	sock_abort(&pool->probes[id].fd);
}

/*
 * The outcome of a probe to a whose last call ended with errnum (EINPROGRESS:
 * not yet). An ICMP message takes precedence, with EACCES for "prohibited".
 * is_late: the call succeeded, and the attempt failed later.
 *
 * An ICMP error always adds an entry to the queue, a reset never does. A
 * loopback address is refused by the host itself, so its queue is not read,
 * which saves a system call for each closed port.
 */
static struct probe_outcome
outcome_of(struct probe_pool *pool, int fd, const struct addr *a, int errnum,
    bool is_late)
{
	struct probe_outcome o = {errnum, PROBE_REMOTE};
	struct os_error *icmp = &pool->icmp;

	icmp->errnum = 0;
	if (errnum == 0 || (errnum == ECONNREFUSED && addr_is_loopback(a)))
		return o;
	if (icmp_read(fd, a, icmp)) {
		o.errnum = icmp->errnum;
		if (icmp->family == 0)
			o.origin = PROBE_LOCAL;
		else if (icmp_sender(icmp, a) == ICMP_HERE)
			o.origin = icmp->errnum == EHOSTUNREACH ? PROBE_UNSURE
								: PROBE_LOCAL;
		return o;
	}
	/* Without a queue an ICMP error may leave the call in progress. */
	if (!pool->has_errors && errnum == EINPROGRESS &&
	    (errnum = sock_error(fd)) != 0)
		o.errnum = errnum;
	/* A probe that fails at once was not sent. Without a queue, a later
	 * failure may be ICMP's, or that of this machine. */
	if (o.errnum != EINPROGRESS &&
	    err_find(o.errnum, ERR_AT_TCP)->origin <= ERR_BY_ICMP)
		o.origin =
		    is_late && !pool->has_errors ? PROBE_UNSURE : PROBE_LOCAL;
	return o;
}

/* An ICMP error does not end connect(2), but for a scan it is the outcome. */
struct probe_outcome
probe_poll(struct probe_pool *pool, uint32_t id)
{
	struct probe *p = &pool->probes[id];
	int fd = p->fd, errnum = 0;
	struct probe_outcome o;
	struct addr a;
	char byte;

	probe_address(pool, id, &a);
	if (pool->type == SOCK_STREAM)
		errnum = ready_connect_result(fd, &a);
	else if (sock_recv(fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) < 0)
		errnum =
		    errno == EAGAIN || errno == EINTR ? EINPROGRESS : errno;
	o = outcome_of(pool, fd, &a, errnum, true);
	if (pool->type == SOCK_STREAM && errnum == EINPROGRESS &&
	    o.errnum != EINPROGRESS) {
		probe_report(pool, id, o.errnum);
		(void)ready_connect_again(fd, true);
	}
	return o;
}

/* Opens the socket of probe id, unless it has one. Returns 0 or an errno. */
static int
open_socket(struct probe_pool *pool, uint32_t id, const struct addr *a)
{
	struct probe *p = &pool->probes[id];
	int family = addr_family(a);

	if (p->fd >= 0 && p->family != family)
		probe_drop(pool, id);
	if (p->fd >= 0)
		return 0;
	p->fd = sock_open(family, pool->type);
	if (p->fd < 0)
		return errno;
	if (pool->interface != NULL &&
	    sock_bind_interface(p->fd, pool->interface) < 0) {
		sock_close(&p->fd);
		return errno;
	}
	p->family = (uint8_t)family;
	step_name(p->fd, "the probe socket", 0);
	pool->has_errors = os_receive_errors(p->fd, family, true);
	return 0;
}

bool
probe_is_broadcast(const struct probe_pool *pool, uint32_t id)
{
	struct addr a, local;

	probe_address(pool, id, &a);
	return addr_is_multicast(&a) ||
	       (addr_family(&a) == AF_INET && !sock_route(&a, 0, &local) &&
		   sock_route(&a, SO_BROADCAST, &local));
}

/* RFC 1035: the name servers of the root. */
static const char dns[] = "so\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1";
/* RFC 5905: a client request, version 4; the rest of the 48 bytes is zero. */
static const char ntp[48] = {0x23};
/* RFC 1157: get sysDescr.0 of community "public". */
static const char snmp[] = "\x30\x26\2\1\0\4\6public\xa0\x19\2\1\1\2\1\0\2\1\0"
			   "\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\1\0\5\0";
/* RFC 8489: a binding request. */
static const char stun[] = "\0\1\0\0\x21\x12\xa4\x42sockt-a-scan";
/* RFC 5531: portmapper (100000), version 2, procedure 0, which does nothing. */
static const char rpc[] = "sckt\0\0\0\0\0\0\0\2\0\1\x86\xa0\0\0\0\2\0\0\0\0"
			  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
/* RFC 1002 4.2.17: node status of "*". */
static const char netbios[] = "so\0\0\0\1\0\0\0\0\0\0\x20"
			      "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0\0\x21\0\1";
/* RFC 7252: an empty confirmable message, a ping. */
static const char coap[] = "\x40\0\0\1";
/* memcached: "version" after a UDP frame header. */
static const char memcached[] = "\0\1\0\0\0\1\0\0version\r\n";
/* UPnP: a search for all devices. */
static const char ssdp[] = "M-SEARCH * HTTP/1.1\r\nHOST: "
			   "239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n"
			   "MX: 1\r\nST: ssdp:all\r\n\r\n";

/* The last one is for any other port. */
static const struct {
	uint16_t port;
	uint16_t size;
	const char *bytes;
} payloads[] = {
    {53, sizeof(dns) - 1, dns},
    {111, sizeof(rpc), rpc},
    {123, sizeof(ntp), ntp},
    {137, sizeof(netbios) - 1, netbios},
    {161, sizeof(snmp) - 1, snmp},
    {1900, sizeof(ssdp) - 1, ssdp},
    {3478, sizeof(stun) - 1, stun},
    {5353, sizeof(dns) - 1, dns},
    {5683, sizeof(coap) - 1, coap},
    {11211, sizeof(memcached) - 1, memcached},
    {0, 0, ""},
};

struct probe_outcome
probe_send(struct probe_pool *pool, uint32_t id)
{
	struct probe *p = &pool->probes[id];
	struct probe_outcome o = {.origin = PROBE_LOCAL};
	size_t i, count = sizeof(payloads) / sizeof(payloads[0]);
	struct addr a;

	p->sent_ns = clock_now();
	probe_address(pool, id, &a);
	o.errnum = open_socket(pool, id, &a);
	if (o.errnum != 0)
		return o;
	o.errnum = connect(p->fd, &a.u.sa, a.len) < 0 ? errno : 0;
	p->is_unreported = true;
	/* The step of a stream is reported with its outcome. */
	if (pool->type == SOCK_DGRAM)
		probe_report(pool, id, o.errnum);
	if (o.errnum == 0 && pool->type == SOCK_DGRAM) {
		for (i = 0; i + 1 < count && payloads[i].port != p->port;)
			i++;
		o.errnum = sock_send(p->fd, payloads[i].bytes, payloads[i].size,
			       MSG_DONTWAIT | MSG_NOSIGNAL) < 0
			       ? errno
			       : EINPROGRESS;
	}
	if (o.errnum == EINTR)
		o.errnum = EINPROGRESS;
	return o.errnum == EINPROGRESS
		   ? o
		   : outcome_of(pool, p->fd, &a, o.errnum, false);
}

void
probe_pace_init(
    struct probe_pace *p, uint32_t limit, int64_t per_second, int64_t now_ns)
{
	memset(p, 0, sizeof(*p));
	p->limit = p->threshold = limit;
	p->window = limit < PACE_START ? limit : PACE_START;
	p->next_ns = now_ns;
	if (per_second > 0)
		p->interval_ns = CLOCK_SECOND / per_second;
}

void
probe_pace_grow(struct probe_pace *p)
{
	if (p->window >= p->limit)
		return;
	if (p->window < p->threshold) {
		p->window++;
		return;
	}
	/* Grow by ten per round trip: a scan is too short for TCP's one. */
	p->credit += 10;
	if (p->credit >= p->window) {
		p->credit -= p->window;
		p->window++;
	}
}

void
probe_pace_shrink(struct probe_pace *p, uint32_t size)
{
	p->window = (uint32_t)num_clamp(size, PACE_MIN, p->limit);
	p->threshold = p->window;
	p->credit = 0;
}

void
probe_pace_halve(struct probe_pace *p, int64_t now_ns, int64_t hold_ns)
{
	if (now_ns < p->held_ns)
		return;
	p->held_ns = now_ns + hold_ns;
	probe_pace_shrink(p, p->window / 2);
}

/* Adds what the ticks allow. After a late wake-up, at most two ticks count. */
static void
add_burst(int64_t *burst, int64_t per_tick, int64_t ticks)
{
	*burst += per_tick * (ticks < 2 ? ticks : 2);
	if (*burst > 2 * per_tick)
		*burst = 2 * per_tick;
}

struct deadline
probe_pace_next(struct probe_pace *p, int64_t now_ns)
{
	int64_t per_tick = num_clamp(p->window / 8, MIN_BURST, MAX_BURST);
	int64_t ticks = (now_ns - p->filled_ns) / PACE_TICK_NS;
	struct deadline d = {.at_ns = p->next_ns};

	if (ticks > 0) {
		add_burst(&p->burst, per_tick, ticks);
		add_burst(&p->reprobes, per_tick / 2, ticks);
		p->filled_ns =
		    ticks > 2 ? now_ns : p->filled_ns + ticks * PACE_TICK_NS;
	}
	if (p->burst <= 0 && d.at_ns < p->filled_ns + PACE_TICK_NS)
		d.at_ns = p->filled_ns + PACE_TICK_NS;
	return d;
}

void
probe_pace_spend(struct probe_pace *p, int64_t now_ns)
{
	if (p->interval_ns == 0)
		return;
	if (p->next_ns < now_ns - SLACK_NS)
		p->next_ns = now_ns - SLACK_NS;
	p->next_ns += p->interval_ns;
}

/* RFC 6298 2.2 and 2.3: alpha is 1/8, beta 1/4. */
void
probe_rtt_sample(struct probe_rtt *r, int64_t ns)
{
	if (ns < 1)
		ns = 1;
	if (r->srtt_ns == 0) {
		r->srtt_ns = ns;
		r->rttvar_ns = ns / 2;
		return;
	}
	r->rttvar_ns = (3 * r->rttvar_ns + llabs(ns - r->srtt_ns)) / 4;
	r->srtt_ns = (7 * r->srtt_ns + ns) / 8;
}

int64_t
probe_rtt_timeout(const struct probe_rtt *r, int64_t limit_ns)
{
	int64_t ns =
	    r->srtt_ns != 0 ? r->srtt_ns + 4 * r->rttvar_ns : PACE_TIMEOUT_NS;

	return num_clamp(ns, PACE_MIN_TIMEOUT_NS, limit_ns);
}
