/*
 * Downloads URLs one after another, over a shared connection where possible,
 * and retries each after a temporary failure.
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
	bool stdout_failed;    /* a write to it failed */
};

/*
 * Checks the options as a whole before any request. Returns 0, or -1 with
 * ERR_USAGE.
 */
int fetch_check(const struct fetch_options *o, int urls, struct err *e);

/*
 * Prepares a run; o and client are the caller's and must outlive f. Returns 0,
 * or -1 with ERR_USAGE if http_proxy in the environment is needed and
 * malformed. Call fetch_release() afterwards in both cases.
 */
int fetch_start(struct fetch *f, const struct fetch_options *o,
    const struct http_client_options *client, struct err *e);
void fetch_release(struct fetch *f);

/*
 * Checks a URL and the route to it before any request, and sets *is_https.
 * Returns 0, or -1 with ERR_USAGE.
 */
int fetch_check_url(
    const struct fetch *f, const char *url, bool *is_https, struct err *e);

/*
 * Fetches a URL that was checked. wants_more: another one follows. Returns 0,
 * or -1 with *e: ERR_PEER for a status of 400 or more.
 */
int fetch_url(struct fetch *f, const char *url, bool wants_more, struct err *e);

#endif
