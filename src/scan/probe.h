/*
 * The probes of a scan: the socket of each one, what is sent, and the outcome.
 */
#ifndef SCAN_PROBE_H
#define SCAN_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/os.h"

struct addr;
struct ready_set;
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
