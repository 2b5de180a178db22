/* The state of a running scan, which only the scan's own files share. */
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

/* What is known of a host. */
struct scan_host {
	struct rtt rtt;
	uint8_t discovery_left; /* discovery probes that are not decided */
	uint8_t lost;           /* highest number of a try that was answered */
	bool had_discovery;
	bool is_up;  /* it has answered something */
	bool is_far; /* answers take a while: no use in polling at once */
	int errnum;  /* of a port that could not be probed */
	int64_t failing_ns; /* since when nothing can be sent; 0: it can */
	int64_t retry_ns;   /* when to try that again */
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
	struct icmp_limits *icmp_limits; /* NULL: not needed */
	struct rtt rtt;                  /* of all hosts */
	uint64_t discovery_left; /* discovery probes that are not decided */
	uint32_t in_flight;      /* probes */
	bool is_discovered;      /* which hosts are up is known */
	bool is_skipping;        /* more of the order is to be skipped */
	bool has_sent;           /* something could be sent, to any host */
	bool is_exhausted;       /* the order is at its end */
	int64_t shortage_ns;     /* since when resources lack; 0: they do not */
	int64_t resume_ns;       /* no probes before that: a shortage */
	struct backoff pause;    /* such pauses, in milliseconds */
	struct scan_progress progress;
	struct deadline progress_due; /* the next progress() */
};

/* The probe of an index. */
static inline struct probe *
scan_probe(const struct scan *s, uint32_t id)
{
	return &s->pool.probes[id];
}

/* What is known of the host of probe id. */
static inline struct scan_host *
scan_host(const struct scan *s, uint32_t id)
{
	return &s->hosts[s->pool.probes[id].host];
}

#endif
