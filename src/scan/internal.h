/* What the files of scan/ share: the running scan, its hosts and its probes. */
#ifndef SCAN_INTERNAL_H
#define SCAN_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "scan/ready.h"
#include "scan/targets.h"

struct addr;
struct scan_options;
struct scan_progress;
struct scan_result;

/*
 * pace.c: how fast a scan probes: how many probes may be in flight, how fast
 * they may be sent, and how long to wait for an answer.
 */
/* The initial window, as many packets as short queues hold, and the minimum. */
#define PACE_START 500
#define PACE_MIN 4

/*
 * A window of probes is not sent at once, which would overrun a queue on the
 * path. Each tick allows a burst whose size depends on the window; half of it
 * may be re-probes.
 */
#define PACE_TICK_NS CLOCK_MS

/*
 * The window starts small, doubles each round trip while nothing is lost, and
 * is halved when a re-probe is answered after the first probe was not, or when
 * this machine runs out of a resource.
 */
struct pace {
	uint32_t window;     /* probes that may be in flight */
	uint32_t limit;      /* maximum window */
	uint32_t threshold;  /* below it, each answer grows the window by 1 */
	uint32_t credit;     /* above it: credit of answers since it grew */
	int64_t held_ns;     /* the window is not halved again earlier */
	int64_t interval_ns; /* between probes, from --rate; 0: no limit */
	int64_t next_ns;     /* next probe that --rate allows */
	int64_t filled_ns;   /* when burst was last filled */
	int64_t burst;       /* probes that may be sent now */
	int64_t reprobes;    /* re-probes among them */
};

/* per_second is the limit of --rate; 0: none. */
void pace_init(
    struct pace *p, uint32_t limit, int64_t per_second, int64_t now_ns);

/* Grows the window after an answer, or silence as before: no sign of loss. */
void pace_grow(struct pace *p);

/* Halves the window after a lost probe, at most once in hold_ns. */
void pace_halve(struct pace *p, int64_t now_ns, int64_t hold_ns);

/* Shrinks the window to size, after a resource shortage. */
void pace_shrink(struct pace *p, uint32_t size);

/* Adds what the time since the last call allows. */
void pace_fill(struct pace *p, int64_t now_ns);

/* Counts a probe against --rate. */
void pace_spend(struct pace *p, int64_t now_ns);

/* When the next probe may be sent. */
struct deadline pace_next(const struct pace *p);

/* The timeout before the first sample, and the minimum. */
#define PACE_TIMEOUT_US 1000000
#define PACE_MIN_TIMEOUT_US 100000

/*
 * The round-trip times of a host, in microseconds to save space. The caller
 * applies Karn's rule: a time that may belong to a retransmission is not a
 * sample.
 */
struct pace_rtt {
	uint32_t srtt_us;   /* smoothed; 0: no sample yet */
	uint32_t rttvar_us; /* its variation */
};

/* Adds a sample of ns nanoseconds; more than an hour counts as an hour. */
void pace_sample(struct pace_rtt *r, int64_t ns);

/*
 * The timeout of RFC 6298 in microseconds: PACE_TIMEOUT_US without a sample,
 * otherwise srtt + 4 rttvar and at least PACE_MIN_TIMEOUT_US; in both cases at
 * most limit_us.
 */
int64_t pace_timeout_us(const struct pace_rtt *r, int64_t limit_us);

/*
 * probe.c: a fixed pool of slots, each known by its index, and the lists they
 * are in: free slots, probes waiting for another try, and probes with a timer.
 * The timers are in a timer wheel: each step has the same cost for any number
 * of probes. A datagram carries a harmless request in the protocol that usually
 * runs on its port, since many services answer nothing else.
 */
#define PROBE_NONE UINT32_MAX

enum probe_state {
	PROBE_FREE,
	PROBE_FLIGHT,  /* sent, and its timer has not expired */
	PROBE_WAITING, /* waits for another try, now or later */
	PROBE_LATE,    /* the last try, extended to the time of -w */
	PROBE_OLDER,   /* timed out; a newer try is in progress */
	PROBE_BANNER   /* open, waits for the first bytes of the service */
};

/* One try. Its socket is polled until the state of the port is decided. */
struct probe {
	uint32_t slot; /* of its host */
	uint16_t port;
	bool is_discovery;
	int64_t sent_ns;    /* when this try was sent */
	int64_t answer_ns;  /* open: round-trip time of the answer */
	int64_t expires_ns; /* when its timer expires; 0: no timer */
	uint32_t older;     /* the try before this one, or PROBE_NONE */
	uint32_t newer;     /* the try after it, or PROBE_NONE */
	int unsure_errnum;  /* of a try that may have failed locally, or 0 */
	int fd;             /* or -1; a free slot keeps one for its next use */
	uint8_t state;      /* enum probe_state */
	uint8_t family;     /* of fd */
	uint8_t tries;      /* of this port, including this one */
	uint8_t failures;   /* local failures of this port */
	bool is_unreported; /* connect(2) was called; see probe_report() */
};

struct probe_link {
	uint32_t prev, next;
};

/* The number of buckets in the wheel, and the time that one covers. */
#define PROBE_BUCKETS 1024
#define PROBE_TICK_NS (2 * CLOCK_MS)

struct probe_pool {
	struct probe *probes;     /* array of capacity */
	struct probe_link *links; /* capacity of them, then the list heads */
	uint32_t capacity;
	uint32_t touched; /* slots below it have been used */
	uint32_t used;    /* slots that are not free */
	uint32_t timed;   /* probes in the wheel */
	int64_t tick;     /* the wheel's position */
};

/* A host whose ports are being probed. */
struct scan_host {
	uint64_t index;     /* in the targets */
	uint64_t position;  /* in the walk; UINT64_MAX: the host has ended */
	uint32_t begun;     /* ports that have been probed, or skipped */
	uint32_t undecided; /* ports of them without a result */
	struct pace_rtt rtt;
	uint8_t discovery_left; /* undecided discovery probes */
	uint8_t lost;           /* highest number of an answered try */
	uint8_t round_size;     /* silent ports in the round */
	bool is_queued;         /* its next port may be probed */
	bool is_up;             /* it has answered a probe */
	bool is_far;        /* answers take time: polling at once is useless */
	bool has_refused;   /* a datagram */
	bool is_reported;   /* that it limits its refusals */
	int errnum;         /* of the last port that could not be probed */
	uint32_t next_free; /* of a slot that is not used */
	int64_t failing_ns; /* start of an outage; 0: none */
	int64_t retry_ns;   /* when to try to send again */
	int64_t refused_ns; /* when the last refused datagram was sent */
	int64_t round_ns;   /* when silent ports are probed again */
};

struct scan {
	const struct scan_options *o;
	struct targets_walk walk; /* hosts that are not begun yet */
	struct scan_host *hosts;  /* slots */
	uint32_t touched;         /* slots below it have been used */
	uint32_t free_slot;       /* the first free one of them */
	uint32_t active;          /* hosts that have begun and not ended */
	uint32_t *queue;          /* ring of slots whose next port is next */
	uint32_t queue_size, queue_first, queued;
	struct probe_pool pool;
	struct pace pace;
	struct ready_set *set;
	struct pace_rtt rtt; /* of all hosts */
	uint32_t in_flight;  /* probes */
	bool is_exhausted;   /* no host is left to begin */
	int64_t sent_ns;     /* when a probe was sent last, to any host; or 0 */
	int64_t shortage_ns; /* start of a resource shortage; 0: none */
	int64_t resume_ns;   /* no probe is sent earlier, after a shortage */
	struct backoff pause;           /* after shortages, in milliseconds */
	struct scan_progress *progress; /* the caller's */
	struct deadline next_progress;  /* next call of progress() */
};

/* The probe with index id. */
static inline struct probe *
scan_probe(const struct scan *s, uint32_t id)
{
	return &s->pool.probes[id];
}

/* The host of probe id. */
static inline struct scan_host *
scan_host(const struct scan *s, uint32_t id)
{
	return &s->hosts[s->pool.probes[id].slot];
}

/* scan.c: the host in slot has answered: its other ports may be probed. */
void scan_host_is_up(struct scan *s, uint32_t slot);

/* Reports the result of a port of the host in slot. */
void scan_report(struct scan *s, uint32_t slot, struct scan_result *r);

/* Allocates the arrays, which the caller frees. */
void probe_pool_init(struct probe_pool *p, uint32_t capacity);

/* Allocates a slot, the last freed one if any; PROBE_NONE if all are used. */
uint32_t probe_alloc(struct probe_pool *p);

/* Unlinks the probe and frees its slot, which keeps its fd. */
void probe_free(struct probe_pool *p, uint32_t id);

/* Appends the probe to those waiting for another try. */
void probe_wait(struct probe_pool *p, uint32_t id);

/* The first waiting probe, or PROBE_NONE. */
uint32_t probe_waiting(const struct probe_pool *p);

/* Sets the probe's timer and removes it from any other list. */
void probe_set_timer(struct probe_pool *p, uint32_t id, int64_t expires_ns);

/* Removes the probe from its list. */
void probe_unlink(struct probe_pool *p, uint32_t id);

/* Unlinks and returns a probe whose timer has expired, or PROBE_NONE. */
uint32_t probe_expired(struct probe_pool *p, int64_t now_ns);

/* When to call probe_expired() next. */
struct deadline probe_deadline(const struct probe_pool *p);

/* The address that probe id is sent to. */
void probe_address(const struct scan *s, uint32_t id, struct addr *a);

/* Sends probe id and polls it at once if the host is near. */
struct ready_outcome probe_send(struct scan *s, uint32_t id);

/* The outcome of probe id so far. */
struct ready_outcome probe_poll(const struct scan *s, uint32_t id);

/*
 * For -vv: reports the outcome of connect(2), if it was called and has not been
 * reported. errnum is 0 (connected), EINPROGRESS (the attempt ended without an
 * outcome), or the errno.
 */
void probe_report(const struct scan *s, uint32_t id, int errnum);

/* Calls ready_connect_again() for the socket of probe id. */
bool probe_again(const struct scan *s, uint32_t id, bool in_progress);

/* Whether probe id has a broadcast or multicast address: no host has it, so
 * every try fails. */
bool probe_is_broadcast(const struct scan *s, uint32_t id);

/* Closes the socket of probe id with a reset. */
void probe_drop(struct scan *s, uint32_t id);

/*
 * retry.c: the outcomes of tries: a port gets its state, or another try. A
 * silent port is probed again before it is reported as filtered, and more often
 * if answers are lost. A probe that this machine cannot send is tried again
 * after a pause: a shortage of what every probe needs (descriptors, buffers,
 * ports) delays the whole scan, a failing network delays only the probes to its
 * hosts.
 *
 * Many hosts limit their ICMP errors (RFC 1812 4.3.2.8), with a token for each:
 * while there is none, a closed UDP port is silent. So silence after a datagram
 * counts only if, for as long as any host needs for a token, no refusal was
 * received. Otherwise the port is probed again, in rounds of all silent ports
 * of the host whose pauses double after each refusal. A host that answers but
 * has refused nothing may have spent its tokens on others.
 */
/* Sends the try id, unless its host must wait. */
void retry_send(struct scan *s, uint32_t id);

/*
 * Returns the next try that waits, which the caller must send now. The earlier
 * try remains open for a late answer if there are slots for both.
 */
uint32_t retry_next(struct scan *s);

/* Handles the outcome of try id: reports its port, or schedules another try. */
void retry_outcome(struct scan *s, uint32_t id, struct ready_outcome o);

/* Handles the expired timer of try id: extends it, schedules another try, or
 * reports the port. */
void retry_expired(struct scan *s, uint32_t id);

/* Reads the banner of an open port, if there is one yet. */
void retry_banner(struct scan *s, uint32_t id);

#endif
