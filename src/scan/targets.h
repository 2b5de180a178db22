/* The hosts of a scan and their ports: names, addresses, networks, ranges. */
#ifndef SCAN_TARGETS_H
#define SCAN_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "net/addr.h"
#include "net/resolve.h"

struct err;
struct port_list;
struct ports;

/* More hosts than that are refused: each one has its state in memory. */
#define TARGETS_MOST (UINT32_C(1) << 24)

/* Neighbouring addresses that differ in their last 32 bits only. */
struct target {
	struct addr base;   /* gives the other bits, without a port */
	uint32_t low, high; /* the last 32 bits, both ends included */
	uint16_t first_port, last_port; /* its own; 0: it has none */
	char *name; /* as it was asked for; owned, or NULL */
	/* From here on since targets_merge(). */
	uint32_t before; /* hosts in the items in front of this one */
	uint32_t list;   /* which list of ports is asked */
	uint64_t start;  /* number of its first target */
};

/*
 * Items in the order they were asked for; since targets_merge() none overlaps
 * another. A target is one port of one host; they are numbered from 0.
 */
struct targets {
	struct target *items;
	size_t count, capacity;
	struct port_list *lists; /* the first is of hosts without own ports */
	uint32_t list_count, list_capacity;
	uint32_t hosts; /* in all items */
	uint64_t total; /* targets of all hosts */
};

#define TARGETS_INIT                         \
	{                                    \
		NULL, 0, 0, NULL, 0, 0, 0, 0 \
	}

struct targets_options {
	struct name_options names;
	bool all_addresses;    /* of a name, instead of its first */
	const char *protocol;  /* of HOST:PORT; NULL: that is refused */
	struct deadline until; /* for looking up names */
	int64_t name_ms;       /* for each of them; -1: as until says */
	struct deadline retry; /* a name may appear until then; 0: at once */
};

/*
 * Adds what text says: elements separated by commas, each of them
 *
 *	example.test            a name, by way of the resolver
 *	192.0.2.7  2001:db8::7  an address; with %SCOPE too, brackets are taken
 *	192.0.2.0/24            a network; IPv6 from /104 on
 *	192.0.2.10-20           a range in the last octet
 *
 * and behind each of them perhaps ":PORT", ":LOW-HIGH" or ":SERVICE": its own
 * ports (an IPv6 address needs brackets then). 0, or -1 with *e: a usage error
 * that names the element, or what resolve() tells.
 */
int targets_add(struct targets *t, const char *text,
    const struct targets_options *o, struct err *e);

/*
 * The same from a file: elements separated by commas, blanks and newlines,
 * '#' begins a comment. name is for errors only.
 */
int targets_read(struct targets *t, FILE *f, const char *name,
    const struct targets_options *o, struct err *e);

/* How many of what was added have ports of their own, and how many not. */
size_t targets_own(const struct targets *t, size_t *others);

/*
 * Makes the list final, to be called once: each host is there once, at its
 * first place, and asked for all the ports named with it, those without any
 * for the ports of all; hosts of out and ports of excluded are left out. 0, or
 * -1 with a usage error when there are too many hosts.
 */
int targets_merge(struct targets *t, const struct targets *out,
    const struct ports *all, const struct ports *excluded, struct err *e);

/* One port of one host. */
struct target_port {
	uint64_t number; /* among all targets */
	uint32_t host;   /* 0 to hosts - 1 */
	uint32_t index;  /* of the port in list */
	uint16_t port;
	const struct port_list *list;
};

/* What target number is. */
void targets_port(
    const struct targets *t, uint64_t number, struct target_port *p);

/* The ports of host i, and the number of its first target. */
const struct port_list *targets_list(
    const struct targets *t, uint32_t i, uint64_t *first);

/* Host i, 0 to hosts - 1, with port. */
void targets_host(
    const struct targets *t, uint32_t i, uint16_t port, struct addr *a);

/* The name under which host i was asked for, or NULL when by number. */
const char *targets_name(const struct targets *t, uint32_t i);

void targets_release(struct targets *t);

#endif
