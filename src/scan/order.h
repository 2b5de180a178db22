/*
 * In which order targets (the ports of the hosts, see scan/targets.h) are
 * asked. First come a few ports of each host that are likely to answer, to
 * learn whether it is there and how far away; then everything else in one
 * random order over all hosts.
 */
#ifndef SCAN_ORDER_H
#define SCAN_ORDER_H

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

struct order {
	const struct targets *targets;
	struct permutation permute;
	uint64_t seed;
	uint64_t first, end;        /* places of this shard */
	uint64_t at;                /* place of the next one */
	uint64_t lead_at;           /* of hosts * PORTS_LIST_FIRST */
	bool ascending;             /* as they are numbered, no leads */
	bool with_leads;            /* some list of ports has them */
	struct order_range *ranges; /* owned; NULL: all targets */
	uint32_t range_count;
};

/*
 * shard is 0 to shards - 1; the shards of one seed cover every target once.
 * order_release() frees what it owns.
 */
void order_init(struct order *o, const struct targets *targets, uint64_t seed,
    uint32_t shard, uint32_t shards);
void order_release(struct order *o);

/* As they are numbered, instead of at random. */
void order_ascend(struct order *o);

/*
 * The next target; *is_lead tells that it is one of the first of its host.
 * False at the end.
 */
bool order_next(struct order *o, struct target_port *p, bool *is_lead);

/* True while leads are left. */
bool order_leads(const struct order *o);

/* Whether the order is one part of several. */
bool order_is_shard(const struct order *o);

/*
 * When the leads are over, leaves the other targets of those hosts out that
 * keep() is false for. Not for a shard, whose places are fixed.
 */
void order_keep(
    struct order *o, bool (*keep)(void *context, uint32_t host), void *context);

/* How many targets the shard has. */
uint64_t order_count(const struct order *o);

#endif
