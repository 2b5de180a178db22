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
	int bits; /* prefix length */
};

/* Rules, of which the first that was added and matches wins. A peer without one
 * is denied if the list has an allow rule, and allowed otherwise. */
struct access {
	struct access_rule *rules; /* owned; access_release() */
	size_t count;
	bool has_allow;
	bool is_allowing; /* private: whether access_add() adds allow rules */
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
 * ERR_USAGE, or that of wordlist_read().
 */
int access_add(struct access *a, bool allow, const char *text,
    struct deadline until, struct err *e);

/* Whether the peer is allowed. IPv4-mapped addresses count as IPv4. Peers of a
 * Unix socket always are: its permissions control access. */
bool access_allows(const struct access *a, const struct addr *peer);

void access_release(struct access *a);

#endif
