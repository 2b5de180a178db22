/*
 * The probes of a scan: a fixed pool of slots, each known by its index, and
 * the lists that they are in: free ones, those that wait to be tried again,
 * and those with a timer (a timer wheel: each step costs the same, however
 * many probes there are).
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
	PROBE_FLIGHT,  /* sent, its time has not passed */
	PROBE_WAITING, /* to be tried again, now or later */
	PROBE_LATE,    /* the last try, which lasts as long as -w says */
	PROBE_OLDER,   /* unanswered in time; a newer try is in progress */
	PROBE_BANNER,  /* open; waits for the first bytes of the service */
	PROBE_CHECK    /* probes a closed port again, see scan/icmp_limit.h */
};

/* One try. Its socket stays watched until the port is decided. */
struct probe {
	uint32_t host; /* index of the target's host */
	uint16_t port;
	bool is_discovery;
	int64_t sent_ns;   /* when this try began */
	int64_t answer_ns; /* open: round trip of the answer */
	int64_t due_ns;    /* when its timer expires; 0: none */
	uint32_t older;    /* the try before this one, or PROBE_NONE */
	uint32_t newer;    /* the try after it, or PROBE_NONE */
	int unsure_errnum; /* of a try that may have failed locally; or 0 */
	int fd;           /* -1: none; a free slot keeps one for its next use */
	uint8_t state;    /* enum probe_state */
	uint8_t family;   /* of fd */
	uint8_t tries;    /* of this port, this one included */
	uint8_t failures; /* local ones, of this port */
	uint16_t connects; /* calls of connect(2) that no step has reported */
};

struct probe_link {
	uint32_t prev, next;
};

/* Buckets of the wheel, and the time that one covers. */
#define PROBE_BUCKETS 1024
#define PROBE_TICK_NS (2 * CLOCK_MS)

struct probe_pool {
	struct probe *probes;     /* capacity of them */
	struct probe_link *links; /* then come the heads of the lists */
	uint32_t capacity;
	uint32_t touched; /* slots below were used at least once */
	uint32_t used;    /* slots that are not free */
	uint32_t timed;   /* probes in the wheel */
	int64_t tick;     /* how far the wheel has turned */
};

void probe_pool_init(struct probe_pool *p, uint32_t capacity);

/* Frees the storage; the sockets are the caller's. */
void probe_pool_release(struct probe_pool *p);

/* A free slot, the one used last if there is one; or PROBE_NONE. */
uint32_t probe_alloc(struct probe_pool *p);

/* Removes it from every list and frees the slot, which keeps its fd. */
void probe_free(struct probe_pool *p, uint32_t id);

/* Appends it to those that wait for their next try. */
void probe_wait(struct probe_pool *p, uint32_t id);

/* The first of those that wait, or PROBE_NONE. */
uint32_t probe_waiting(const struct probe_pool *p);

/* Sets its timer, which replaces any list that it is in. */
void probe_set_timer(struct probe_pool *p, uint32_t id, int64_t due_ns);

/* Removes it from its list. */
void probe_unlink(struct probe_pool *p, uint32_t id);

/* A probe whose timer has expired by now_ns, unlinked; or PROBE_NONE. */
uint32_t probe_expired(struct probe_pool *p, int64_t now_ns);

/* When to call probe_expired() next. */
struct deadline probe_deadline(const struct probe_pool *p);

#endif
