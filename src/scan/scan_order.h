/*
 * In which order targets (the ports of the hosts, see scan/targets.h) are
 * asked. First come a few ports of each host that are likely to answer, to
 * learn whether it is there and how far away; then everything else in one
 * random order over all hosts.
 */
#ifndef SCAN_SCAN_ORDER_H
#define SCAN_SCAN_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "scan/permutation.h"

struct target_port;
struct targets;

/* Targets that follow one another and are still to be asked. */
struct order_range {
	uint64_t first;  /* the first of them */
	uint64_t before; /* targets in the ranges in front of this one */
};

struct scan_order {
	const struct targets *targets;
	struct permutation permute;
	uint64_t seed;
	uint64_t first, end;        /* places of this shard */
	uint64_t at;                /* place of the next one */
	uint64_t lead_at;           /* of hosts * PORT_LIST_FIRST */
	bool ascending;             /* as they are numbered, no leads */
	bool with_leads;            /* some list of ports has them */
	struct order_range *ranges; /* owned; NULL: all targets */
	uint32_t range_count;
};

/*
 * shard is 0 to shards - 1; the shards of one seed cover every target once.
 * scan_order_release() frees what it owns.
 */
void scan_order_init(struct scan_order *o, const struct targets *targets,
    uint64_t seed, uint32_t shard, uint32_t shards);
void scan_order_release(struct scan_order *o);

/* As they are numbered, instead of at random. */
void scan_order_ascend(struct scan_order *o);

/*
 * The next target; *is_lead tells that it is one of the first of its host.
 * False at the end.
 */
bool scan_order_next(
    struct scan_order *o, struct target_port *p, bool *is_lead);

/* True while leads are left. */
bool scan_order_leads(const struct scan_order *o);

/* Whether the order is one part of several. */
bool scan_order_is_shard(const struct scan_order *o);

/*
 * When the leads are over, leaves the other targets of those hosts out that
 * keep() is false for. Not for a shard, whose places are fixed.
 */
void scan_order_keep(struct scan_order *o,
    bool (*keep)(void *context, uint32_t host), void *context);

/* How many targets the shard has. */
uint64_t scan_order_count(const struct scan_order *o);

#endif
