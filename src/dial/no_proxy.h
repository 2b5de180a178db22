/* The no_proxy variable: which hosts are reached without a proxy. */
#ifndef DIAL_NO_PROXY_H
#define DIAL_NO_PROXY_H

#include <stdbool.h>

struct endpoint;

/* The list of the environment: no_proxy, or else NO_PROXY; may be NULL. */
const char *no_proxy_list(void);

/*
 * Whether ep is in list, whose items stand between commas or blanks: "*" is
 * everything; NAME and .NAME are that name and all under it; an address or a
 * network ADDRESS/BITS counts for hosts given in numbers; with :PORT behind
 * it an item counts for that port only. list may be NULL.
 */
bool no_proxy_has(const char *list, const struct endpoint *ep);

#endif
