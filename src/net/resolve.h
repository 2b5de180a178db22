/*
 * Names to addresses. getaddrinfo(3) knows no deadline and no signal, so it
 * runs in a short-lived child process; numeric addresses never fork.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "base/deadline.h"

struct addr_list;
struct endpoint;
struct err;

/* How names become addresses: -4, -6 and -n of every command. */
struct name_options {
	int family;  /* AF_INET, AF_INET6 or AF_UNSPEC */
	int numeric; /* names are refused, nothing is looked up */
};

/*
 * What resolve() refuses without asking anybody: a name where names are not
 * looked up, a number of the other family. 0, or -1 with ERR_USAGE.
 */
int resolve_check(
    const struct endpoint *ep, const struct name_options *o, struct err *e);

/*
 * The addresses of ep, in the order of getaddrinfo(3) with the families
 * interleaved (RFC 8305 section 4), without duplicates; those of a unix
 * endpoint or a number at once. *list must be empty and is the caller's to
 * release. 0, or -1 with *e: that of resolve_check(), ERR_NAME, ERR_TIMEOUT, or
 * ERR_FAILED with EINTR when a caught signal came.
 */
int resolve(const struct endpoint *ep, const struct name_options *o,
    struct deadline until, struct addr_list *list, struct err *e);

#endif
