/* The state of a running scan, shared only by the files of scan/. */
#ifndef SCAN_INTERNAL_H
#define SCAN_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/deadline.h"
#include "scan/order.h"
#include "scan/pace.h"
#include "scan/probe.h"
#include "scan/ready.h"
#include "scan/rtt.h"
#include "scan/scan_options.h"
#include "scan/window.h"

/* What is known about a host. */
struct scan_host {
	struct rtt rtt;
	uint8_t discovery_left; /* undecided discovery probes */
	uint8_t lost;           /* highest number of an answered try */
	bool had_discovery;
	bool is_up;         /* it has answered a probe */
	bool is_far;        /* answers take time: polling at once is useless */
	int errnum;         /* of the last port that could not be probed */
	int64_t failing_ns; /* start of an outage; 0: none */
	int64_t retry_ns;   /* when to try to send again */
	int64_t refused_ns; /* when the last refused datagram was sent */
	int64_t round_ns;   /* when silent ports are probed again */
	uint8_t round_size; /* how many of them */
	bool has_refused;   /* a datagram */
	bool is_reported;   /* that it limits its refusals */
};

struct scan {
	const struct scan_options *o;
	const struct targets *targets;
	struct order order;
	struct probe_pool pool;
	struct window window;
	struct pace pace;
	struct ready_set *set;
	struct scan_host *hosts;
	struct rtt rtt;          /* of all hosts */
	uint64_t discovery_left; /* undecided discovery probes */
	uint32_t in_flight;      /* probes */
	bool is_discovered;      /* it is known which hosts are up */
	bool is_skipping;        /* more ports of the order are to be skipped */
	bool has_sent;           /* a probe has been sent, to any host */
	bool is_exhausted;       /* all of the order has been started */
	int64_t shortage_ns;     /* start of a resource shortage; 0: none */
	int64_t resume_ns;    /* no probe is sent earlier, after a shortage */
	struct backoff pause; /* after shortages, in milliseconds */
	struct scan_progress progress;
	struct deadline next_progress; /* next call of progress() */
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
	return &s->hosts[s->pool.probes[id].host];
}

#endif
