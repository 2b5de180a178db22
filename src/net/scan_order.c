#include "net/scan_order.h"

#include <stddef.h>
#include <string.h>

/* Ports that many hosts either have open or refuse. */
static const uint16_t likely[] = {443, 80, 22, 445, 53, 3389, 25, 8080};

static void
add_lead(struct scan_order *o, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < o->lead_count; i++)
		if (o->leads[i] == index)
			return;
	o->leads[o->lead_count++] = index;
}

/* Index of a port in the ascending list, or ports when it is not there. */
static uint32_t
index_of(const uint16_t *list, uint32_t ports, uint16_t port)
{
	uint32_t low = 0, high = ports, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (list[middle] < port)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ports && list[low] == port ? low : ports;
}

/* The likely ones among those asked for, then some spread over the rest. */
static void
choose_leads(struct scan_order *o, const uint16_t *list)
{
	uint32_t i, index;

	for (i = 0; i < sizeof(likely) / sizeof(likely[0]); i++) {
		index = index_of(list, o->ports, likely[i]);
		if (index < o->ports)
			add_lead(o, index);
	}
	for (i = 0; o->lead_count < SCAN_LEADS; i++)
		add_lead(o, (uint32_t)((uint64_t)o->ports * i / SCAN_LEADS));
}

void
scan_order_init(struct scan_order *o, uint32_t hosts, const uint16_t *list,
    uint32_t ports, uint64_t seed, uint32_t shard, uint32_t shards)
{
	uint64_t count = (uint64_t)hosts * ports;

	memset(o, 0, sizeof(*o));
	o->hosts = hosts;
	o->ports = ports;
	permute_init(&o->permute, count, seed);
	o->first = count / shards * shard +
		   (count % shards < shard ? count % shards : shard);
	o->end = o->first + count / shards + (shard < count % shards ? 1 : 0);
	o->at = o->first;
	/* With few ports there is nothing to save. */
	if (ports > SCAN_LEADS * 2)
		choose_leads(o, list);
}

void
scan_order_ascend(struct scan_order *o)
{
	o->ascending = true;
	o->lead_count = 0;
}

bool
scan_order_leads(const struct scan_order *o)
{
	return o->lead_at < (uint64_t)o->lead_count * o->hosts;
}

uint64_t
scan_order_count(const struct scan_order *o)
{
	return o->end - o->first;
}

static bool
is_lead_index(const struct scan_order *o, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < o->lead_count; i++)
		if (o->leads[i] == index)
			return true;
	return false;
}

/* The next lead that belongs to this shard. */
static bool
next_lead(struct scan_order *o, uint64_t *pair)
{
	uint64_t place;

	while (scan_order_leads(o)) {
		uint64_t k = o->lead_at++;

		*pair = k % o->hosts * o->ports + o->leads[k / o->hosts];
		if (o->first == 0 && o->end == o->permute.count)
			return true;
		place = permute_place(&o->permute, *pair);
		if (place >= o->first && place < o->end)
			return true;
	}
	return false;
}

bool
scan_order_next(struct scan_order *o, uint64_t *pair, bool *is_lead)
{
	*is_lead = next_lead(o, pair);
	if (*is_lead)
		return true;
	while (o->at < o->end) {
		uint64_t place = o->at++;

		*pair = o->ascending ? place : permute_at(&o->permute, place);
		if (o->lead_count == 0 ||
		    !is_lead_index(o, (uint32_t)(*pair % o->ports)))
			return true;
	}
	return false;
}
