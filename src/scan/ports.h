/* Sets of ports, as a user writes them. */
#ifndef SCAN_PORTS_H
#define SCAN_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;

/* Ports 1 to 65535; a port is in the set when its bit is set. */
struct ports {
	unsigned char bits[65536 / 8];
};

void ports_clear(struct ports *p);

/*
 * Adds what text says: elements separated by commas, each of them
 *
 *	22  ssh  20-25  -1024  60000-  -      a port, a service, ranges, all
 *	http*  [1-1024]                       services by pattern, by range
 *	T:22,80,U:53                          for TCP, for UDP
 *
 * A name with a hyphen (ftp-data) is a name before it is a range. protocol is
 * "tcp" or "udp": elements behind the other one's letter are left out. A port
 * that is named twice is there once. 0, or -1 with a usage error that names
 * the element: port 0, 65536, "80x", a reversed or empty range, an unknown
 * name.
 */
int ports_parse(
    struct ports *p, const char *text, const char *protocol, struct err *e);

/*
 * The same from a file: elements separated by commas, blanks and newlines,
 * '#' begins a comment. name is for errors only.
 */
int ports_read(struct ports *p, FILE *f, const char *name, const char *protocol,
    struct err *e);

/*
 * What is scanned when no port is asked for. "tcp": 1-1024 and a short list of
 * higher ports; "udp": a short list.
 */
void ports_default(struct ports *p, const char *protocol);

/* Takes the ports of b out of a. */
void ports_remove(struct ports *a, const struct ports *b);

bool ports_has(const struct ports *p, uint16_t port);
void ports_add(struct ports *p, uint16_t port);
size_t ports_count(const struct ports *p);

/* The ends of a set that is one range. False when it is none. */
bool ports_range(const struct ports *p, uint16_t *low, uint16_t *high);

/* All of them in ascending order into list, which has room. Returns how many.
 */
size_t ports_list(const struct ports *p, uint16_t *list);

/* "22,80,8000-8100" into buf, cut with "..." where it is full. Returns buf. */
const char *ports_format(const struct ports *p, char *buf, size_t size);

/* Ports of each host that are asked first. */
#define PORTS_LIST_FIRST 8

struct port_list {
	uint16_t *ports; /* owned, ascending */
	uint32_t count;
	uint32_t first[PORTS_LIST_FIRST]; /* indices of those asked first */
	uint32_t first_count;             /* 0: the list is short */
};

/* Fills l from a set. ports_list_release() frees what it owns. */
void ports_list_init(struct port_list *l, const struct ports *set);
void ports_list_release(struct port_list *l);

#endif
