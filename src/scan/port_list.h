/* The ports of a scan's hosts: ascending, and which of them are asked first. */
#ifndef SCAN_PORT_LIST_H
#define SCAN_PORT_LIST_H

#include <stdint.h>

struct ports;

/* Ports of each host that are asked first. */
#define PORT_LIST_FIRST 8

struct port_list {
	uint16_t *ports; /* owned, ascending */
	uint32_t count;
	uint32_t first[PORT_LIST_FIRST]; /* indices of those asked first */
	uint32_t first_count;            /* 0: the list is short */
};

/* Fills l from a set. port_list_release() frees what it owns. */
void port_list_init(struct port_list *l, const struct ports *set);
void port_list_release(struct port_list *l);

#endif
