/*
 * URLs for http-get, one after another over one connection where they can
 * share it: redirects, what to do with each answer, where the body goes, and
 * trying again.
 */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include <stdbool.h>

#include "fetch/transfer.h"

struct err;
struct http_client_options;
struct proxy;

/*
 * proxy comes from an option; where its kind is PROXY_NONE, http_proxy and
 * no_proxy of the environment decide. 0, or -1 with ERR_USAGE when http_proxy
 * is malformed. fetch_release() is due in both cases.
 */
int fetch_start(struct fetch *f, const struct fetch_options *o,
    const struct proxy *proxy, const struct http_client_options *client,
    struct err *e);
void fetch_release(struct fetch *f);

/*
 * What is wrong with the options as a whole or with a URL, before anything is
 * attempted. 0, or -1 with ERR_USAGE.
 */
int fetch_check(const struct fetch_options *o, int urls, struct err *e);
int fetch_check_url(
    const struct fetch_options *o, const char *text, struct err *e);

/*
 * Fetches one URL. wants_more: another one comes behind it. 0, or -1 with *e:
 * ERR_PEER for a status of 400 and up.
 */
int fetch_url(
    struct fetch *f, const char *text, bool wants_more, struct err *e);

#endif
