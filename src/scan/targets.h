/* The hosts of a scan and their ports: names, addresses, networks, ranges. */
#ifndef SCAN_TARGETS_H
#define SCAN_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "net/addr.h"
#include "net/resolve.h"

struct err;
struct port_list;
struct ports;

/* The maximum number of hosts in one scan, each of which needs memory. */
#define TARGETS_MAX (UINT32_C(1) << 24)

/* Consecutive addresses that differ only in their last 32 bits. */
struct target {
	struct addr base;               /* the other bits; no port */
	uint32_t low, high;             /* the last 32 bits, inclusive */
	uint16_t first_port, last_port; /* of HOST:PORT; 0: none */
	char *name; /* as the user wrote it; owned, or NULL */
	/* Set by targets_merge(). */
	uint32_t before; /* hosts in the items before this one */
	uint32_t list;   /* index of its list of ports */
	uint64_t start;  /* number of its first target */
};

/*
 * Items in the order in which they were added; after targets_merge() no two
 * overlap. A target is one port of one host; targets are numbered from 0.
 */
struct targets {
	struct target *items;
	size_t count, capacity;
	struct port_list *lists; /* the first is for hosts without ports */
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
	bool all_addresses;    /* of a name, not only its first */
	const char *protocol;  /* of HOST:PORT; NULL: ports are an error */
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
 * each optionally followed by its own ports, ":PORT", ":LOW-HIGH" or ":SERVICE"
 * (an IPv6 address then needs brackets). Returns 0, or -1 with *e: a usage
 *error that names the element, or the error of resolve().
 */
int targets_add(struct targets *t, const char *text,
    const struct targets_options *o, struct err *e);

/* Whether any host has ports of its own or, if has_ports is false, has none. */
bool targets_any(const struct targets *t, bool has_ports);

/* The selection that targets_merge() applies. */
struct targets_selection {
	const struct targets *excluded_hosts;
	const struct ports *ports; /* for hosts without ports of their own */
	const struct ports *excluded_ports;
};

/*
 * Makes the list final; call it once. Each host remains once, at its first
 * position, with all the ports named for it. Returns 0, or -1 with a usage
 * error if there are too many hosts.
 */
int targets_merge(
    struct targets *t, const struct targets_selection *s, struct err *e);

/* A decoded target: the indices of its host and its port. */
struct target_port {
	uint64_t number; /* of the target */
	uint32_t host;   /* 0 to hosts - 1 */
	uint32_t index;  /* of the port in the list */
	uint16_t port;
	const struct port_list *list;
};

/* Decodes the number of a target into *p. */
void targets_port(
    const struct targets *t, uint64_t number, struct target_port *p);

/* The ports of host i; sets *first to the number of its first target. */
const struct port_list *targets_list(
    const struct targets *t, uint32_t i, uint64_t *first);

/* Sets *a to the address of host i, 0 to hosts - 1, with port. */
void targets_host(
    const struct targets *t, uint32_t i, uint16_t port, struct addr *a);

/* The name of host i as the user wrote it, or NULL for an address. */
const char *targets_name(const struct targets *t, uint32_t i);

void targets_release(struct targets *t);

#endif
