/* Sets of ports as the user writes them, and the lists made from them. */
#ifndef SCAN_PORTS_H
#define SCAN_PORTS_H

#include <stdint.h>

struct err;

/* Ports 1 to 65535; a port is in the set when its bit is set. */
struct ports {
	unsigned char bits[65536 / 8];
};

/*
 * Adds the ports of an element of a list for protocol, "tcp" or "udp":
 *
 *	22  ssh  20-25  -1024  60000-  -      a port, a service, ranges, all
 *
 * A name with a hyphen (ftp-data) takes precedence over a range. Returns 0, or
 * -1 with a usage error that names the element: port 0, 65536, "80x", a
 * reversed or empty range, an unknown name, a form of other programs.
 */
int ports_add(
    struct ports *p, const char *protocol, const char *text, struct err *e);

/*
 * Returns the list of the ports that are scanned by default, as text. "tcp":
 * 1-1024 and a short list of higher ports; "udp": a short list.
 */
const char *ports_default(const char *protocol);

/* Removes the ports of b from a. */
void ports_remove(struct ports *a, const struct ports *b);

/* The number of ports of each host that are probed first. */
#define PORTS_DISCOVERY 8

/*
 * The ports to probe on each host, in random order after those that are likely
 * to answer.
 */
struct port_list {
	uint16_t *ports; /* The caller frees this array of count ports. */
	uint32_t count;
	uint32_t discovery; /* This many likely ports come first; 0: the list is
			       too short for that. */
};

/* Fills l with the ports of a set, in the order that seed determines. */
void ports_list_init(
    struct port_list *l, const struct ports *set, uint64_t seed);

/* Returns port i of a host, 0 to count - 1. Each host begins elsewhere in the
 * list. */
uint16_t ports_at(const struct port_list *l, uint64_t host, uint32_t i);

#endif
