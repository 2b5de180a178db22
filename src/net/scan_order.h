/*
 * In which order the ports of the hosts are asked. A pair is a host and a
 * port: number = host * ports + index of the port. First come a few ports of
 * each host that are likely to answer, to learn whether it is there and how
 * far away; then everything else in one random order over all hosts.
 */
#ifndef NET_SCAN_ORDER_H
#define NET_SCAN_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "net/permute.h"

/* Ports of each host that are asked first. */
#define SCAN_LEADS 8

struct scan_order {
	struct permute permute;
	uint64_t first, end; /* places of this shard */
	uint64_t at;         /* place of the next one */
	uint32_t hosts, ports;
	uint32_t leads[SCAN_LEADS]; /* indices of ports */
	uint32_t lead_count;
	uint64_t lead_at; /* of hosts * lead_count */
	bool ascending;   /* pairs as they are numbered, no leads */
};

/*
 * shard is 0 to shards - 1; the shards of one seed cover every pair once.
 * list has the ports' numbers.
 */
void scan_order_init(struct scan_order *o, uint32_t hosts, const uint16_t *list,
    uint32_t ports, uint64_t seed, uint32_t shard, uint32_t shards);

/* As they are numbered, instead of at random. */
void scan_order_ascend(struct scan_order *o);

/*
 * The next pair; *is_lead tells that it is one of the first of its host.
 * False at the end.
 */
bool scan_order_next(struct scan_order *o, uint64_t *pair, bool *is_lead);

/* True while leads are left. */
bool scan_order_leads(const struct scan_order *o);

/* How many pairs the shard has. */
uint64_t scan_order_count(const struct scan_order *o);

#endif
