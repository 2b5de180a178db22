/*
 * The probes of a scan: a fixed pool of slots, known by their number, and the
 * lists they are in: free ones, those that wait to be tried again, and those
 * in flight, by the time at which they are given up (a timer wheel, so that
 * every step costs the same however many there are).
 */
#ifndef SCAN_PROBE_H
#define SCAN_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define PROBE_NONE UINT32_MAX

enum probe_state {
	PROBE_FREE,
	PROBE_FLIGHT,  /* asked, its time has not passed */
	PROBE_WAITING, /* unanswered in time, to be tried again, or later */
	PROBE_LATE,    /* the last try, which is waited for as -w says */
	PROBE_OLDER,   /* unanswered in time, a newer try is under way */
	PROBE_BANNER,  /* open, what the service says first is awaited */
	PROBE_CHECK    /* asks a closed port again, see scan/icmp_limit.h */
};

/* One try. Its socket stays watched until the port is decided. */
struct probe {
	uint32_t host;   /* whom it asks, see scan/targets.h */
	uint16_t port;   /* and for what */
	bool is_lead;    /* one of its host's first */
	int64_t sent_ns; /* when this try began */
	int64_t took_ns; /* open: until it was answered */
	int64_t due_ns;  /* in flight: when it is given up */
	uint32_t older;  /* the try before this one, or PROBE_NONE */
	uint32_t newer;  /* the try behind it, or PROBE_NONE */
	int unsure;      /* errno of a try that may have failed here */
	int fd;          /* -1: none; a free slot keeps one to use again */
	uint8_t state;   /* enum probe_state */
	uint8_t family;  /* of fd */
	uint8_t tries;   /* begun for this port, with this one */
	uint8_t fails;   /* that this machine could not carry out */
};

struct probe_link {
	uint32_t prev, next;
};

/* Buckets of the wheel, and how much time one covers. */
#define PROBE_BUCKETS 1024
#define PROBE_TICK_NS (2 * CLOCK_MS)

struct probe_pool {
	struct probe *probes;     /* most of them */
	struct probe_link *links; /* and behind those the heads of lists */
	uint32_t most;
	uint32_t fresh; /* slots from here on were never used */
	uint32_t used;  /* slots that are not free */
	uint32_t timed; /* probes in the wheel */
	int64_t tick;   /* the wheel has been turned this far */
};

void probe_pool_init(struct probe_pool *p, uint32_t most);

/* Frees the storage; the sockets are the caller's. */
void probe_pool_release(struct probe_pool *p);

/* A free slot, the one used last if there is one; or PROBE_NONE. */
uint32_t probe_take(struct probe_pool *p);

/* Takes it out of every list and gives it back; fd stays. */
void probe_give(struct probe_pool *p, uint32_t id);

/* Puts it at the end of those that wait; the first of them, or PROBE_NONE. */
void probe_wait(struct probe_pool *p, uint32_t id);
uint32_t probe_waiting(const struct probe_pool *p);

/* Sets when it is given up. */
void probe_time(struct probe_pool *p, uint32_t id, int64_t due_ns);

/* Takes it out of its list. */
void probe_unlink(struct probe_pool *p, uint32_t id);

/* One whose time had come at now_ns, taken out of the wheel; or PROBE_NONE. */
uint32_t probe_expired(struct probe_pool *p, int64_t now_ns);

/* When probe_expired() is worth asking next. */
struct deadline probe_deadline(const struct probe_pool *p);

#endif
