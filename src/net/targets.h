/* The hosts of a scan: names, addresses, networks, ranges. */
#ifndef NET_TARGETS_H
#define NET_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "net/addr.h"

struct err;

/* More hosts than that are refused: each one has its state in memory. */
#define TARGETS_MOST (UINT32_C(1) << 24)

/* Neighbouring addresses that differ in their last 32 bits only. */
struct target {
	struct addr base;   /* gives the other bits, without a port */
	uint32_t low, high; /* the last 32 bits, both ends included */
	uint32_t before;    /* hosts in the items in front of this one */
	char *name;         /* as it was asked for; owned, or NULL */
};

/* Items that do not overlap, in the order they were asked for. */
struct targets {
	struct target *items;
	size_t count;
	uint32_t hosts; /* in all of them */
};

#define TARGETS_INIT       \
	{                  \
		NULL, 0, 0 \
	}

struct targets_options {
	int family;            /* AF_INET, AF_INET6 or AF_UNSPEC */
	bool numeric;          /* names are refused */
	bool all_addresses;    /* of a name, instead of its first */
	struct deadline until; /* for looking up names */
};

/*
 * Adds what text says: elements separated by commas, each of them
 *
 *	example.test            a name, by way of the resolver
 *	192.0.2.7  2001:db8::7  an address; with %SCOPE too, brackets are taken
 *	192.0.2.0/24            a network; IPv6 from /104 on
 *	192.0.2.10-20           a range in the last octet
 *
 * A host that was there already is not added again. 0, or -1 with *e: a usage
 * error that names the element, or what resolve() tells.
 */
int targets_add(struct targets *t, const char *text,
    const struct targets_options *o, struct err *e);

/*
 * The same from a file: elements separated by commas, blanks and newlines,
 * '#' begins a comment. name is for errors only.
 */
int targets_read(struct targets *t, FILE *f, const char *name,
    const struct targets_options *o, struct err *e);

/* Takes the hosts of b out of a. */
void targets_remove(struct targets *a, const struct targets *b);

/* Host i, 0 to hosts - 1, with port. */
void targets_host(
    const struct targets *t, uint32_t i, uint16_t port, struct addr *a);

/* The name under which host i was asked for, or NULL when by number. */
const char *targets_name(const struct targets *t, uint32_t i);

void targets_release(struct targets *t);

#endif
