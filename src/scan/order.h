/*
 * The order in which a scan probes its targets (the ports of its hosts, see
 * scan/targets.h). A few ports of each host that are likely to answer come
 * first: they show whether the host is up, and how far away. Everything else
 * follows in one random order over all hosts.
 */
#ifndef SCAN_ORDER_H
#define SCAN_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "scan/permutation.h"

struct target_port;
struct targets;

struct order_options {
	const struct targets *targets;
	uint64_t seed;          /* of the random order */
	uint32_t shard, shards; /* 0 to shards - 1; 0 of 1: everything */
	bool ascending;         /* by number, without discovery */
};

/* Consecutive targets that are still to be probed. */
struct order_range {
	uint64_t first;  /* number of the first of them */
	uint64_t before; /* targets in the ranges before this one */
};

struct order {
	struct order_options options;
	struct permutation permutation;
	uint64_t first, end;        /* places of this shard */
	uint64_t at;                /* the next place */
	uint64_t discovery_at;      /* of hosts * PORTS_DISCOVERY */
	bool has_discovery;         /* some host has discovery ports */
	struct order_range *ranges; /* owned; NULL: all targets */
	uint32_t range_count;
};

/*
 * The shards of one seed cover every target once. Owns nothing, and may be
 * copied, until order_restrict().
 */
void order_init(struct order *o, const struct order_options *options);
void order_release(struct order *o);

/*
 * The next target; *is_discovery is set for the first ports of a host. False
 * at the end.
 */
bool order_next(struct order *o, struct target_port *p, bool *is_discovery);

/* True while discovery targets remain. */
bool order_is_discovering(const struct order *o);

/* Whether this is one shard of several. */
bool order_is_shard(const struct order *o);

/*
 * Drops the remaining targets of the hosts for which keep() is false, once
 * discovery is over. Not for a shard, whose places are fixed.
 */
void order_restrict(
    struct order *o, bool (*keep)(void *context, uint32_t host), void *context);

/* The number of targets in this shard. */
uint64_t order_count(const struct order *o);

#endif
