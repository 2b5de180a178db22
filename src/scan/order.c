/* The order in which targets are probed. */
#include "scan/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "scan/ports.h"
#include "scan/targets.h"

void
order_release(struct order *o)
{
	free(o->ranges);
	o->ranges = NULL;
}

void
order_ascend(struct order *o)
{
	o->ascending = true;
	o->with_leads = false;
}

bool
order_leads(const struct order *o)
{
	return o->with_leads &&
	       o->lead_at < (uint64_t)PORTS_LIST_FIRST * o->targets->hosts;
}

bool
order_is_shard(const struct order *o)
{
	return o->end - o->first != o->permute.count;
}

uint64_t
order_count(const struct order *o)
{
	return o->end - o->first;
}

static bool
is_lead_index(const struct target_port *p)
{
	uint32_t i;

	for (i = 0; i < p->list->first_count; i++)
		if (p->list->first[i] == p->index)
			return true;
	return false;
}

/* The lead at place lead_at. False when there is none for this shard. */
static bool
get_lead(const struct order *o, uint64_t *number)
{
	uint32_t turn = (uint32_t)(o->lead_at / o->targets->hosts);
	const struct port_list *list = targets_list(
	    o->targets, (uint32_t)(o->lead_at % o->targets->hosts), number);
	uint64_t place;

	if (turn >= list->first_count)
		return false;
	*number += list->first[turn];
	if (!order_is_shard(o))
		return true;
	place = permutation_place(&o->permute, *number);
	return place >= o->first && place < o->end;
}

/* Goes on to the next lead from lead_at on. */
static void
seek_lead(struct order *o)
{
	uint64_t number;

	while (order_leads(o) && !get_lead(o, &number))
		o->lead_at++;
}

static bool
next_lead(struct order *o, struct target_port *p)
{
	uint64_t number;

	if (!order_leads(o))
		return false;
	get_lead(o, &number);
	targets_port(o->targets, number, p);
	o->lead_at++;
	seek_lead(o);
	return true;
}

void
order_init(struct order *o, const struct targets *targets, uint64_t seed,
    uint32_t shard, uint32_t shards)
{
	uint64_t count = targets->total;
	uint32_t i;

	memset(o, 0, sizeof(*o));
	o->targets = targets;
	o->seed = seed;
	permutation_init(&o->permute, count, seed);
	o->first = count / shards * shard +
		   (count % shards < shard ? count % shards : shard);
	o->end = o->first + count / shards + (shard < count % shards ? 1 : 0);
	o->at = o->first;
	for (i = 0; i < targets->list_count; i++)
		o->with_leads |= targets->lists[i].first_count > 0;
	seek_lead(o);
}

/* The target with a number among those of the ranges. */
static uint64_t
number_in_ranges(const struct order *o, uint64_t n)
{
	uint32_t low = 0, high = o->range_count, middle;

	if (o->ranges == NULL)
		return n;
	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (o->ranges[middle].before <= n)
			low = middle;
		else
			high = middle;
	}
	return o->ranges[low].first + (n - o->ranges[low].before);
}

bool
order_next(struct order *o, struct target_port *p, bool *is_lead)
{
	*is_lead = next_lead(o, p);
	if (*is_lead)
		return true;
	while (o->at < o->end) {
		uint64_t place = o->at++;
		uint64_t n =
		    o->ascending ? place : permutation_at(&o->permute, place);

		targets_port(o->targets, number_in_ranges(o, n), p);
		if (!o->with_leads || !is_lead_index(p))
			return true;
	}
	return false;
}

void
order_keep(
    struct order *o, bool (*keep)(void *context, uint32_t host), void *context)
{
	uint32_t hosts = o->targets->hosts, i;
	uint64_t count = 0, number, end = 0;
	const struct port_list *list;

	o->ranges = mem_array((size_t)hosts + 1, sizeof(o->ranges[0]));
	for (i = 0; i < hosts; i++) {
		if (!keep(context, i))
			continue;
		list = targets_list(o->targets, i, &number);
		if (o->range_count == 0 || end != number) {
			o->ranges[o->range_count].first = number;
			o->ranges[o->range_count++].before = count;
		}
		end = number + list->count;
		count += list->count;
	}
	o->first = o->at = 0;
	o->end = count;
	if (count > 0)
		permutation_init(&o->permute, count, o->seed);
}
