/*
 * The probes of a scan: their pace, the pool with its lists and a timer wheel,
 * and the socket of each.
 */
#ifndef SCAN_PROBE_H
#define SCAN_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "net/os.h"
#include "net/ready.h"

struct addr;
struct targets;

/*
 * Where an outcome comes from. Only a remote one shows the state of a port.
 * The errno alone does not show its origin: connect(2) fails with EHOSTUNREACH
 * without a local route, after an ICMP message, and when a neighbor does not
 * answer.
 */
enum probe_origin {
	PROBE_REMOTE, /* the host or a router on the path to it */
	PROBE_LOCAL,  /* this machine: nothing was sent */
	PROBE_UNSURE  /* either, or a neighbor that does not answer */
};

struct probe_outcome {
	int errnum; /* 0: connected or answered; EINPROGRESS: none yet */
	enum probe_origin origin;
};

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
struct probe_pace {
	uint32_t window;     /* probes that may be in flight */
	uint32_t limit;      /* maximum window */
	uint32_t threshold;  /* below it, each answer grows the window by 1 */
	uint32_t credit;     /* above it: credit of answers since it grew */
	int64_t held_ns;     /* the window is not halved again earlier */
	int64_t interval_ns; /* between probes, from --rate; 0: no limit */
	int64_t next_ns;     /* no probe is sent earlier: --rate, a shortage */
	int64_t filled_ns;   /* when burst was last filled */
	int64_t burst;       /* probes that may be sent now */
	int64_t reprobes;    /* re-probes among them */
};

/* per_second is the limit of --rate; 0: none. */
void probe_pace_init(
    struct probe_pace *p, uint32_t limit, int64_t per_second, int64_t now_ns);

/* Grows the window after an answer, or silence as before: no sign of loss. */
void probe_pace_grow(struct probe_pace *p);

/* Halves the window after a lost probe, at most once in hold_ns. */
void probe_pace_halve(struct probe_pace *p, int64_t now_ns, int64_t hold_ns);

/* Shrinks the window to size, after a resource shortage. */
void probe_pace_shrink(struct probe_pace *p, uint32_t size);

/* Counts a probe against --rate. */
void probe_pace_spend(struct probe_pace *p, int64_t now_ns);

/* Adds what the time since the last call allows. Returns when the next probe
 * may be sent. */
struct deadline probe_pace_next(struct probe_pace *p, int64_t now_ns);

/* The timeout before the first sample, and the minimum. */
#define PACE_TIMEOUT_NS (1000 * CLOCK_MS)
#define PACE_MIN_TIMEOUT_NS (100 * CLOCK_MS)

/*
 * The round-trip times of a host. The caller applies Karn's rule: a time that
 * may belong to a retransmission is not a sample.
 */
struct probe_rtt {
	int64_t srtt_ns;   /* smoothed; 0: no sample yet */
	int64_t rttvar_ns; /* its variation */
};

/* Adds a sample. */
void probe_rtt_sample(struct probe_rtt *r, int64_t ns);

/*
 * The timeout of RFC 6298 in nanoseconds: PACE_TIMEOUT_NS without a sample,
 * otherwise srtt + 4 rttvar and at least PACE_MIN_TIMEOUT_NS; in both cases at
 * most limit_ns.
 */
int64_t probe_rtt_timeout(const struct probe_rtt *r, int64_t limit_ns);

/*
 * The probes: a fixed pool of slots, each known by its index, and the lists
 * they are in: free slots, probes waiting for another try, and probes with a
 * timer. The timers are in a timer wheel: each step has the same cost for any
 * number of probes. A datagram carries a harmless request in the protocol that
 * usually runs on its port, since many services answer nothing else.
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
	uint64_t host; /* index in the targets */
	uint32_t slot; /* the caller's, of the host */
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
	const struct targets *targets;
	int type;              /* SOCK_STREAM or SOCK_DGRAM */
	const char *interface; /* the only one; NULL: any; set by the caller */
	bool has_errors;       /* the system queues ICMP errors */
	struct os_error icmp;  /* of the last outcome; errnum 0: none */
	struct ready_set *set; /* of the sockets that are polled */
};

/* Prepares a pool of sockets of a type for targets, which must stay valid.
 * Returns 0, or -1 with errno. */
int probe_pool_init(struct probe_pool *p, uint32_t capacity,
    const struct targets *targets, int type);

/* Closes all sockets, and frees what the pool owns. */
void probe_pool_release(struct probe_pool *p);

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
void probe_address(const struct probe_pool *p, uint32_t id, struct addr *a);

/* Sends probe id. Returns its outcome if it has failed at once. */
struct probe_outcome probe_send(struct probe_pool *p, uint32_t id);

/* The outcome of probe id so far. */
struct probe_outcome probe_poll(struct probe_pool *p, uint32_t id);

/*
 * For -vv: reports the outcome of connect(2), if it was called and has not been
 * reported. errnum is 0 (connected), EINPROGRESS (the attempt ended without an
 * outcome), or the errno.
 */
void probe_report(const struct probe_pool *p, uint32_t id, int errnum);

/* Calls ready_connect_again() for the socket of probe id. */
bool probe_again(const struct probe_pool *p, uint32_t id, bool in_progress);

/* Whether probe id has a broadcast or multicast address: no host has it, so
 * every try fails. */
bool probe_is_broadcast(const struct probe_pool *p, uint32_t id);

/* Closes the socket of probe id with a reset. */
void probe_drop(struct probe_pool *p, uint32_t id);

#endif
