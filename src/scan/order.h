/*
 * The order in which a scan probes its targets: each is one port of one host
 * (see scan/targets.h); they are numbered from 0. A few ports of each host that
 * are likely to answer come first: they show whether the host is up and how far
 * away it is. All other targets follow in one random order over all hosts.
 */
#ifndef SCAN_ORDER_H
#define SCAN_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "scan/permutation.h"

struct port_list;
struct targets;

struct order_options {
	const struct targets *targets;
	const struct port_list *ports; /* of every host */
	uint64_t seed;                 /* of the random order */
	uint32_t shard, shards;        /* 0 to shards - 1; 0 of 1: all */
	bool ascending;                /* by number, without discovery */
};

/* The indices of a target's host and port. */
struct order_target {
	uint32_t host;  /* 0 to hosts - 1 */
	uint32_t index; /* of the port in the list */
	uint16_t port;
};

struct order {
	struct order_options options;
	struct permutation permutation;
	uint64_t first, end;   /* positions of this shard */
	uint64_t at;           /* the next position */
	uint64_t discovery_at; /* of hosts * PORTS_DISCOVERY */
	bool has_discovery;    /* some ports of each host come first */
	uint32_t *kept;        /* hosts that remain; owned; NULL: all */
};

/*
 * The shards of one seed cover every target once. Until order_restrict() is
 * called, the order owns nothing and may be copied.
 */
void order_init(struct order *o, const struct order_options *options);
void order_release(struct order *o);

/*
 * Sets *t to the next target, and *is_discovery if it is one of the first ports
 * of a host. Returns false at the end.
 */
bool order_next(struct order *o, struct order_target *t, bool *is_discovery);

/* Whether discovery targets remain. */
bool order_is_discovering(const struct order *o);

/* Whether this is one shard of several. */
bool order_is_shard(const struct order *o);

/*
 * Drops the remaining targets of all hosts for which keep() returns false. Only
 * for use after discovery, and not for a shard, whose positions are fixed.
 */
void order_restrict(
    struct order *o, bool (*keep)(void *context, uint32_t host), void *context);

/* The number of targets in this shard. */
uint64_t order_count(const struct order *o);

#endif
