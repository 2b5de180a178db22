/*
 * The probes of a scan: a fixed pool of slots, each known by its index, and the
 * lists they are in: free slots, probes waiting for another try, and probes
 * with a timer. The timers are in a timer wheel: each step has the same cost
 * for any number of probes.
 */
#ifndef SCAN_PROBE_H
#define SCAN_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/deadline.h"

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
	uint32_t host; /* index of the target's host */
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
	uint16_t connects;  /* calls of connect(2) that no step has reported */
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

void probe_pool_init(struct probe_pool *p, uint32_t capacity);

/* Frees the storage. The caller closes the sockets. */
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

#endif
