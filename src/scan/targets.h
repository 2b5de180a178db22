/* The hosts of a scan: names, addresses, networks, ranges. */
#ifndef SCAN_TARGETS_H
#define SCAN_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "net/addr.h"
#include "net/resolve.h"

struct err;

/* The maximum number of hosts in one scan, each of which needs memory. */
#define TARGETS_MAX (UINT32_C(1) << 24)

/* Consecutive addresses that differ only in their last 32 bits. */
struct target {
	struct addr base;   /* the other bits; no port */
	uint32_t low, high; /* the last 32 bits, inclusive */
	char *name;         /* as the user wrote it; owned, or NULL */
	uint32_t before;    /* hosts in the items before this one */
};

/*
 * Items in the order in which they were added; after targets_merge() no two
 * overlap, and their hosts are numbered from 0.
 */
struct targets {
	struct target *items;
	size_t count, capacity;
	uint32_t hosts; /* in all items */
};

#define TARGETS_INIT          \
	{                     \
		NULL, 0, 0, 0 \
	}

struct targets_options {
	struct name_options names;
	bool all_addresses;    /* of a name, not only its first */
	struct deadline until; /* for name lookups */
	int64_t name_ms;       /* limit of each lookup; -1: none */
	struct deadline retry; /* unknown names are tried until then; 0: once */
};

/*
 * Adds the hosts of text: elements separated by commas, each of them
 *
 *	example.test            a name, by the resolver
 *	192.0.2.7  2001:db8::7  an address; %SCOPE and brackets are allowed
 *	192.0.2.0/24            a network; IPv6 from /104 on
 *	192.0.2.10-20           a range in the last octet
 *
 * Returns 0, or -1 with *e: a usage error that names the element, or the error
 * of resolve().
 */
int targets_add(struct targets *t, const char *text,
    const struct targets_options *o, struct err *e);

/*
 * Makes the list final, without the excluded hosts; call it once. Each host
 * remains once, at its first position. Returns 0, or -1 with a usage error if
 * there are too many hosts.
 */
int targets_merge(
    struct targets *t, const struct targets *excluded, struct err *e);

/* Sets *a to the address of host i, 0 to hosts - 1, with port. */
void targets_host(
    const struct targets *t, uint32_t i, uint16_t port, struct addr *a);

/* The name of host i as the user wrote it, or NULL for an address. */
const char *targets_name(const struct targets *t, uint32_t i);

void targets_release(struct targets *t);

#endif
