/*
 * Downloads: URLs one after another, over one connection where they can share
 * it, each tried again after a failure that may pass.
 */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include <stdbool.h>

#include "base/deadline.h"
#include "fetch/fetch_options.h"
#include "fetch/http_client.h"
#include "fetch/route.h"

struct err;
struct url;

/* One run of http-get. */
struct fetch {
	const struct fetch_options *options; /* the caller's */
	struct route_rules rules;            /* where requests go */
	struct http_client client;
	struct deadline until; /* --max-time */
	bool stdout_failed;    /* it accepts nothing more */
};

/*
 * What is wrong with the options as a whole, before anything is attempted. 0,
 * or -1 with ERR_USAGE.
 */
int fetch_check(const struct fetch_options *o, int urls, struct err *e);

/* Parses a URL that can be fetched with o. 0, or -1 with ERR_USAGE. */
int fetch_parse_url(struct url *u, const char *text,
    const struct fetch_options *o, struct err *e);

/*
 * Prepares a run; o and client are the caller's. 0, or -1 with ERR_USAGE when
 * http_proxy of the environment is needed and malformed. Call fetch_release()
 * afterwards in both cases.
 */
int fetch_start(struct fetch *f, const struct fetch_options *o,
    const struct http_client_options *client, struct err *e);
void fetch_release(struct fetch *f);

/*
 * What is wrong with the route to u, before anything is attempted. 0, or -1
 * with ERR_USAGE.
 */
int fetch_check_route(
    const struct fetch *f, const struct url *u, struct err *e);

/*
 * Fetches u. wants_more: another URL follows. 0, or -1 with *e: ERR_PEER for a
 * status of 400 and up.
 */
int fetch_url(
    struct fetch *f, const struct url *u, bool wants_more, struct err *e);

#endif
