/* Allow and deny lists: which peers a server accepts. */
#ifndef NET_ACCESS_H
#define NET_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/deadline.h"
#include "net/addr.h"

struct err;

/* A network, and whether its addresses are allowed or denied. */
struct access_rule {
	bool allow;
	struct addr network;
	/* The length of the prefix. */
	int bits;
};

/* Rules. The first that matches a peer, in the order in which they were added,
 * decides. A peer that matches none is denied if the list has an allow rule,
 * and allowed otherwise. */
struct access {
	/* An owned array, which access_release() frees. */
	struct access_rule *rules;
	size_t count;
	bool has_allow;
	/* Private: access_add() is adding allow rules. */
	bool is_allowing;
};

#define ACCESS_INIT                   \
	{                             \
		NULL, 0, false, false \
	}

/*
 * Adds the comma-separated items of text: an address, a network ADDRESS/BITS
 * (RFC 4632, RFC 4291 2.3; the bits after the prefix are ignored), or @FILE. An
 * item with a scope matches only peers of that scope (RFC 4007 11.6). Names are
 * not accepted: their addresses change, and a lookup may miss some of them.
 * The deadline limits the reading of a file. Returns 0, or -1 with *e set:
 * ERR_USAGE, or an error of wordlist_read().
 */
int access_add(struct access *a, bool allow, const char *text,
    struct deadline until, struct err *e);

/* Whether the peer is allowed. IPv4-mapped addresses count as IPv4. Peers of a
 * Unix socket are always allowed: its permissions control access. */
bool access_allows(const struct access *a, const struct addr *peer);

/* Frees the rules. The list is empty afterwards. */
void access_release(struct access *a);

#endif
