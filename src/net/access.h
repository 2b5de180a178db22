/* Allow and deny lists: who may talk to a server. */
#ifndef NET_ACCESS_H
#define NET_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "net/addr.h"

struct err;

/* One network and what is said about it. */
struct access_rule {
	bool allow;
	struct addr network;
	int bits; /* leading bits that count */
};

/*
 * Rules in the order in which they were added; the first that matches wins.
 * What none matches is refused where something is allowed (a list of friends)
 * and allowed where there are refusals only.
 */
struct access {
	struct access_rule *rules; /* owned; access_release() */
	size_t count;
	bool has_allow;
};

#define ACCESS_INIT            \
	{                      \
		NULL, 0, false \
	}

/*
 * Adds what text names, items between commas: an address, a network
 * ADDRESS/BITS (RFC 4632, RFC 4291 2.3; bits after the prefix are ignored),
 * either with a scope, which then has to be the peer's too (RFC 4007 11.6),
 * or @FILE. 0, or -1 with *e: ERR_USAGE, or ERR_OUTPUT for a file.
 */
int access_add(struct access *a, bool allow, const char *text, struct err *e);

/*
 * Whether this peer is let in. IPv4-mapped addresses count as IPv4. Unix
 * sockets have no address to go by: their files' permissions decide.
 */
bool access_allows(const struct access *a, const struct addr *peer);

void access_release(struct access *a);

#endif
