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
	free(o->kept);
	o->kept = NULL;
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

/* Decodes the number of a target. */
static void
set_target(const struct order *o, uint64_t number, struct order_target *t)
{
	const struct port_list *list = o->options.ports;

	t->host = (uint32_t)(number / list->count);
	t->index = (uint32_t)(number % list->count);
	t->port = list->ports[t->index];
}

static bool
is_discovery_port(const struct order *o, const struct order_target *t)
{
	const struct port_list *list = o->options.ports;
	uint32_t i;

	for (i = 0; i < list->discovery_count; i++)
		if (list->discovery[i] == t->index)
			return true;
	return false;
}

/* The target at discovery_at. Returns false if it is not in this shard. */
static bool
get_discovery(const struct order *o, uint64_t *number)
{
	uint32_t hosts = o->options.targets->hosts;
	const struct port_list *list = o->options.ports;
	uint64_t position;

	*number = o->discovery_at % hosts * list->count +
		  list->discovery[o->discovery_at / hosts];
	if (!order_is_shard(o))
		return true;
	position = permutation_position(&o->permutation, *number);
	return position >= o->first && position < o->end;
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
next_discovery(struct order *o, struct order_target *t)
{
	uint64_t number;

	if (!order_is_discovering(o))
		return false;
	get_discovery(o, &number);
	set_target(o, number, t);
	o->discovery_at++;
	seek_discovery(o);
	return true;
}

void
order_init(struct order *o, const struct order_options *options)
{
	uint64_t total =
	    (uint64_t)options->targets->hosts * options->ports->count;
	uint64_t share = total / options->shards;
	uint64_t rest = total % options->shards, shard = options->shard;

	memset(o, 0, sizeof(*o));
	o->options = *options;
	permutation_init(&o->permutation, total, options->seed);
	o->first = share * shard + (rest < shard ? rest : shard);
	o->end = o->first + share + (shard < rest ? 1 : 0);
	o->at = o->first;
	o->has_discovery =
	    !options->ascending && options->ports->discovery_count > 0;
	seek_discovery(o);
}

bool
order_next(struct order *o, struct order_target *t, bool *is_discovery)
{
	uint64_t n;

	*is_discovery = next_discovery(o, t);
	if (*is_discovery)
		return true;
	while (o->at < o->end) {
		n = o->at++;
		if (!o->options.ascending)
			n = permutation_at(&o->permutation, n);
		set_target(o, n, t);
		if (o->kept != NULL)
			t->host = o->kept[t->host];
		if (!o->has_discovery || !is_discovery_port(o, t))
			return true;
	}
	return false;
}

void
order_restrict(
    struct order *o, bool (*keep)(void *context, uint32_t host), void *context)
{
	uint32_t hosts = o->options.targets->hosts, i, count = 0;

	o->kept = mem_array(hosts, sizeof(o->kept[0]));
	for (i = 0; i < hosts; i++)
		if (keep(context, i))
			o->kept[count++] = i;
	o->first = o->at = 0;
	o->end = (uint64_t)count * o->options.ports->count;
	if (count > 0)
		permutation_init(&o->permutation, o->end, o->options.seed);
}
