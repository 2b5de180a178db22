/*
 * The hosts of a scan, as an index: names, addresses, networks and ranges are
 * kept as ranges, whose hosts are numbered and walked by number.
 */
#ifndef SCAN_TARGETS_H
#define SCAN_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "net/addr.h"
#include "net/resolve.h"

struct err;

/* Consecutive addresses that differ only in their last 32 bits. */
struct target_range {
	uint32_t low, high; /* The last 32 bits of the first and last one. */
	uint32_t prefix;    /* The other bits have this index. */
	uint32_t position; /* Its element has this place in the user's order. */
	uint64_t before;   /* The items before it have this many hosts. */
};

/*
 * While elements are added, items and names are in the user's order; after
 * targets_merge() no two items overlap, and their hosts are numbered from 0.
 */
struct targets {
	struct target_range *items;
	size_t count, capacity;
	struct target_prefix *prefixes; /* The other bits of the addresses. */
	size_t prefix_count, prefix_capacity;
	struct target_name *names; /* The names as the user wrote them. */
	size_t name_count, name_capacity;
	uint32_t position; /* The next element gets this position. */
	bool excludes;     /* The caller sets it: elements are excluded. */
	uint64_t hosts;    /* All items have this many hosts. */
};

/*
 * Adds the hosts of an element of a list:
 *
 *	example.test            a name
 *	192.0.2.7  2001:db8::7  an address; %SCOPE and brackets are allowed
 *	192.0.2.0/24            a network; IPv6 from /96 on
 *	192.0.2.10-20           a range in the last octet
 *
 * Excluded hosts are added last. Names are not looked up yet. Returns 0, or -1
 * with a usage error that names the element.
 */
int targets_add(struct targets *t, const char *text,
    const struct name_options *o, struct err *e);

struct targets_lookup {
	struct name_options names;
	bool all_addresses;    /* A name stands for all of its addresses. */
	struct deadline until; /* All lookups end at this time. */
	int64_t name_ms;       /* Each lookup may take this long; -1: longer. */
	/* A name that does not exist is looked up again until this time. */
	struct deadline retry;
};

/* Looks up all names. Returns 0, or -1 with the error of resolve(). */
int targets_look_up(
    struct targets *t, const struct targets_lookup *o, struct err *e);

/*
 * Makes the list final, without the excluded hosts; call it once. Each host
 * remains once, at its first position.
 */
void targets_merge(struct targets *t);

/* Sets *a to the address of host i, 0 to hosts - 1, with port. */
void targets_host(
    const struct targets *t, uint64_t i, uint16_t port, struct addr *a);

/* Returns text_shown() of the name of host i, or NULL if the user gave its
 * address. */
const char *targets_name(const struct targets *t, uint64_t i);

/* Frees what the targets own. */
void targets_release(struct targets *t);

/* The hosts that are walked, and their order. */
struct targets_part {
	uint64_t seed;        /* It determines the order. */
	uint32_t first, last; /* These shards are walked, numbered from 0. */
	uint32_t shards;      /* There are this many shards. */
};

/*
 * A pseudo-random order of 0 to count - 1 in constant memory: a small Feistel
 * network over a grid that is just large enough, which skips numbers outside
 * the range by cycle walking (Black and Rogaway, "Ciphers with Arbitrary Finite
 * Domains"). It is not for secrecy: it spreads probes over hosts. The same seed
 * gives the same order on every machine, and a shard is a part of it.
 */
struct targets_walk {
	uint64_t count;       /* The size of the domain, up to 2^56. */
	uint64_t left, right; /* The sides of the grid. */
	uint64_t keys[4];     /* The keys of the rounds, from the seed. */
	uint64_t at, end;     /* The walk is at this position, and ends here. */
};

/* Starts a walk at the first host of a part. */
void targets_walk_start(struct targets_walk *w, const struct targets *t,
    const struct targets_part *part);

/* Returns the shard, of so many shards, that has a position of the walk. */
uint32_t targets_shard_of(
    const struct targets *t, uint32_t shards, uint64_t position);

/* Sets *host to the index of the next host. Returns false at the end. */
bool targets_walk_next(struct targets_walk *w, uint64_t *host);

#endif
