/* The order in which a scan probes its targets. */
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

bool
order_is_discovering(const struct order *o)
{
	return o->has_discovery &&
	       o->discovery_at <
		   (uint64_t)PORTS_DISCOVERY * o->options.targets->hosts;
}

bool
order_is_shard(const struct order *o)
{
	return o->end - o->first != o->permutation.count;
}

uint64_t
order_count(const struct order *o)
{
	return o->end - o->first;
}

/* Whether the target with that number is in this shard. */
static bool
is_in_shard(const struct order *o, uint64_t number)
{
	uint64_t position;

	if (!order_is_shard(o))
		return true;
	position = permutation_position(&o->permutation, number);
	return position >= o->first && position < o->end;
}

static bool
is_discovery_port(const struct target_port *p)
{
	uint32_t i;

	for (i = 0; i < p->list->discovery_count; i++)
		if (p->list->discovery[i] == p->index)
			return true;
	return false;
}

/* The target at discovery_at. Returns false if it is not in this shard. */
static bool
get_discovery(const struct order *o, uint64_t *number)
{
	const struct targets *t = o->options.targets;
	uint32_t round = (uint32_t)(o->discovery_at / t->hosts);
	const struct port_list *list =
	    targets_list(t, (uint32_t)(o->discovery_at % t->hosts), number);

	if (round >= list->discovery_count)
		return false;
	*number += list->discovery[round];
	return is_in_shard(o, *number);
}

/* Advances discovery_at to the next discovery target of this shard. */
static void
seek_discovery(struct order *o)
{
	uint64_t number;

	while (order_is_discovering(o) && !get_discovery(o, &number))
		o->discovery_at++;
}

static bool
next_discovery(struct order *o, struct target_port *p)
{
	uint64_t number;

	if (!order_is_discovering(o))
		return false;
	get_discovery(o, &number);
	targets_port(o->options.targets, number, p);
	o->discovery_at++;
	seek_discovery(o);
	return true;
}

void
order_init(struct order *o, const struct order_options *options)
{
	const struct targets *t = options->targets;
	uint64_t share = t->total / options->shards;
	uint64_t rest = t->total % options->shards, shard = options->shard;
	uint32_t i;

	memset(o, 0, sizeof(*o));
	o->options = *options;
	permutation_init(&o->permutation, t->total, options->seed);
	o->first = share * shard + (rest < shard ? rest : shard);
	o->end = o->first + share + (shard < rest ? 1 : 0);
	o->at = o->first;
	for (i = 0; i < t->list_count && !options->ascending; i++)
		o->has_discovery |= t->lists[i].discovery_count > 0;
	seek_discovery(o);
}

/* The number of the nth target in the ranges. */
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
order_next(struct order *o, struct target_port *p, bool *is_discovery)
{
	uint64_t n;

	*is_discovery = next_discovery(o, p);
	if (*is_discovery)
		return true;
	while (o->at < o->end) {
		n = o->at++;
		if (!o->options.ascending)
			n = permutation_at(&o->permutation, n);
		targets_port(o->options.targets, number_in_ranges(o, n), p);
		if (!o->has_discovery || !is_discovery_port(p))
			return true;
	}
	return false;
}

void
order_restrict(
    struct order *o, bool (*keep)(void *context, uint32_t host), void *context)
{
	uint32_t hosts = o->options.targets->hosts, i;
	uint64_t count = 0, number, end = 0;
	const struct port_list *list;

	o->ranges = mem_array(hosts, sizeof(o->ranges[0]));
	for (i = 0; i < hosts; i++) {
		if (!keep(context, i))
			continue;
		list = targets_list(o->options.targets, i, &number);
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
		permutation_init(&o->permutation, count, o->options.seed);
}
