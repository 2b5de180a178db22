/* A host's ports as a sorted list, and which of them are probed first. */
#include "scan/port_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "scan/ports.h"

/* Ports that many hosts either have open or refuse. */
static const uint16_t likely[] = {443, 80, 22, 445, 53, 3389, 25, 8080};

static void
add_first(struct port_list *l, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < l->first_count; i++)
		if (l->first[i] == index)
			return;
	l->first[l->first_count++] = index;
}

/* Index of a port in the list, or its count when it is not there. */
static uint32_t
index_of(const struct port_list *l, uint16_t port)
{
	uint32_t low = 0, high = l->count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (l->ports[middle] < port)
			low = middle + 1;
		else
			high = middle;
	}
	return low < l->count && l->ports[low] == port ? low : l->count;
}

/* The likely ones among those asked for, then some spread over the rest. */
static void
choose_first(struct port_list *l)
{
	uint32_t i, index;

	for (i = 0; i < sizeof(likely) / sizeof(likely[0]); i++) {
		index = index_of(l, likely[i]);
		if (index < l->count)
			add_first(l, index);
	}
	for (i = 0; l->first_count < PORT_LIST_FIRST; i++)
		add_first(
		    l, (uint32_t)((uint64_t)l->count * i / PORT_LIST_FIRST));
}

void
port_list_init(struct port_list *l, const struct ports *set)
{
	memset(l, 0, sizeof(*l));
	l->count = (uint32_t)ports_count(set);
	l->ports = mem_array(l->count, sizeof(l->ports[0]));
	ports_list(set, l->ports);
	/* With few ports there is nothing to save. */
	if (l->count > PORT_LIST_FIRST * 2)
		choose_first(l);
}

void
port_list_release(struct port_list *l)
{
	free(l->ports);
	l->ports = NULL;
	l->count = 0;
}
