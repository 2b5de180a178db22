/* Resolves names to addresses: getaddrinfo(3), which has no deadline and cannot
 * be interrupted, runs in a short-lived child process. */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "net/addr.h"

struct endpoint;
struct err;
struct proc;

/* How names are resolved: -4, -6 and -n of every command. */
struct name_options {
	/* AF_INET, AF_INET6 or AF_UNSPEC. */
	int family;
	/* Only numeric addresses are accepted. */
	int numeric;
	/* The index of the only interface to be used; 0 is any. */
	unsigned interface;
};

/*
 * Checks the interface of a numeric address (RFC 4007), shown as text: a
 * link-local address must name one unless o->interface does, and no address may
 * name another than that. Returns 0, or -1 with ERR_USAGE.
 */
int resolve_check_scope(const struct addr *a, const char *text,
    const struct name_options *o, struct err *e);

/* Checks for what resolve() rejects without a lookup: a name with --numeric, a
 * numeric address of the other family. Returns 0, or -1 with ERR_USAGE. */
int resolve_check(
    const struct endpoint *ep, const struct name_options *o, struct err *e);

/*
 * Returns the addresses of ep in *list, in the order of getaddrinfo(3) with the
 * families interleaved (RFC 8305 section 4), without duplicates. A unix
 * endpoint or a numeric address needs no lookup. *list must be empty; the
 * caller releases it. Returns 0, or -1 with *e set: an error of
 * resolve_check(); ERR_NAME, with CAUSE_NAME_EMPTY or CAUSE_NAME_UNKNOWN
 * (base/err.h) only if the resolver answered that; ERR_TIMEOUT; or ERR_FAILED
 * with EINTR for a caught signal.
 */
int resolve(const struct endpoint *ep, const struct name_options *o,
    struct deadline until, struct addr_list *list, struct err *e);

/* A lookup in progress, for callers that also poll other descriptors. Only in
 * is for them. */
struct resolve {
	const struct endpoint *ep;
	int family;
	/* The list of the caller, which is set at the end. */
	struct addr_list *list;
	int64_t start_ns;
	struct proc *child;
	/* Where the child writes: poll it for input. -1 once the lookup has
	 * ended. */
	int in;
	/* The result of getaddrinfo(3), and its errno if that is EAI_SYSTEM. */
	int code, errnum;
	/* The addresses so far, in the order of getaddrinfo(3). */
	struct addr_list found;
};

/* Starts a lookup. ep and list must stay valid. Returns 0, or -1 with *e as
 * resolve(); if r->in is -1, *list is complete. */
int resolve_start(struct resolve *r, const struct endpoint *ep,
    const struct name_options *o, struct addr_list *list, struct err *e);

/* Call this when r->in is readable, with errnum 0; or with an errno, ETIMEDOUT
 * after until, to abandon the lookup. Returns as resolve_start(). */
int resolve_advance(
    struct resolve *r, int errnum, struct deadline until, struct err *e);

/* Whether any lookup of this process is in progress. */
bool resolve_is_pending(void);

/* Abandons a lookup without an error, and frees what r holds. */
void resolve_cancel(struct resolve *r);

#endif
