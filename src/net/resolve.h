/*
 * Resolves names to addresses. getaddrinfo(3) has no deadline and cannot be
 * interrupted, so it runs in a short-lived child process; numeric addresses
 * need no child.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "base/deadline.h"

struct addr_list;
struct endpoint;
struct err;

/* How names are resolved: -4, -6 and -n of every command. */
struct name_options {
	int family;  /* AF_INET, AF_INET6 or AF_UNSPEC */
	int numeric; /* accept numeric addresses only */
};

/*
 * Checks for what resolve() rejects without a lookup: a name if names are not
 * looked up, a numeric address of the other family. Returns 0, or -1 with
 * ERR_USAGE.
 */
int resolve_check(
    const struct endpoint *ep, const struct name_options *o, struct err *e);

/*
 * Returns the addresses of ep in *list, in the order of getaddrinfo(3) with the
 * families interleaved (RFC 8305 section 4), without duplicates. A unix
 * endpoint or a numeric address needs no lookup. *list must be empty; the
 * caller releases it. Returns 0, or -1 with *e set: that of resolve_check(),
 * ERR_NAME, with CAUSE_NAME_EMPTY or CAUSE_NAME_UNKNOWN (base/err.h) only if
 * that is what the resolver answered; ERR_TIMEOUT, or ERR_FAILED with EINTR for
 * a caught signal.
 */
int resolve(const struct endpoint *ep, const struct name_options *o,
    struct deadline until, struct addr_list *list, struct err *e);

#endif
