/*
 * A scan while it runs: shared by those who send (scan.c) and those who judge
 * what comes back (classify.c), and by nobody else.
 */
#ifndef SCAN_INTERNAL_H
#define SCAN_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "scan/probe.h"
#include "scan/icmp_limit.h"
#include "scan/rtt.h"
#include "scan/scan.h"
#include "scan/ready.h"
#include "scan/order.h"
#include "scan/window.h"

struct addr;

/* What is known of a host. */
struct scan_host {
	struct rtt rtt;
	uint8_t leads; /* first probes that are not decided yet */
	uint8_t lost;  /* highest number of a try that was answered */
	bool alive;    /* something was answered */
	int errnum;    /* a port was given up: it could not be asked */
	int64_t
	    trouble_ns;   /* since when nothing can be sent to it; 0: it can */
	int64_t retry_ns; /* when that is tried again */
	bool far;         /* answers take a while: no use in asking at once */
	bool any_leads;   /* it had first probes */
};

struct scan {
	const struct scan_options *o;
	struct order order;
	struct probe_pool pool;
	struct window window;
	struct pace pace;
	struct ready_set *set;
	struct scan_host *hosts;
	struct icmp_limit *limits; /* of each host; NULL: of no use */
	struct icmp_limit_rules rules;
	struct rtt rtt;     /* of all hosts */
	uint64_t leads;     /* first probes that are not decided */
	uint32_t flying;    /* probes in flight */
	bool leads_over;    /* which hosts are there is known */
	bool is_skipping;   /* there is more of the order to step over */
	bool has_left;      /* something could be sent, to whomever */
	bool all_begun;     /* the order has come to its end */
	struct burst burst; /* of probes that go out */
	struct burst again; /* and of re-probes among them */
	int64_t resume_ns;  /* no probes before that: want of something */
	int64_t pause_ms;   /* how long the last such pause was */
	struct scan_progress progress;
	struct deadline tell; /* when progress is told next */
};

/* The probe of a number: asked for all the time. */
static inline struct probe *
scan_probe(const struct scan *s, uint32_t id)
{
	return &s->pool.probes[id];
}

/* What is known of the host that probe id asks. */
static inline struct scan_host *
scan_host(const struct scan *s, uint32_t id)
{
	return &s->hosts[s->pool.probes[id].host];
}

/* Whom probe id asks. */
void scan_address(const struct scan *s, uint32_t id, struct addr *a);

/* Closes a probe's socket by reset. */
void scan_drop_socket(struct scan *s, uint32_t id);

/* What has come back to fd, which asks a. */
struct scan_outcome scan_ask(
    const struct scan *s, int fd, const struct addr *a);

/* Whether there are so few probes that nothing is lost by another try. */
bool scan_is_plentiful(const struct scan *s);

#endif
