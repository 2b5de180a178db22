/*
 * One attempt at a URL: request, redirects, response, body, commit. Private to
 * src/fetch: fetch.c makes the attempts.
 */
#ifndef FETCH_TRANSFER_H
#define FETCH_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "fetch/fetch_options.h"
#include "fetch/output.h"
#include "http/http_date.h"
#include "http/url.h"

struct err;
struct http_client;
struct route_rules;

struct transfer {
	struct http_client *client;      /* this and the next three: the */
	const struct route_rules *rules; /* caller's */
	const struct fetch_options *options;
	const struct url *url;      /* as given */
	bool wants_more;            /* another URL follows */
	struct deadline head_until; /* for a status below 400 */
	bool is_served;             /* the response has one */
	int64_t retries_left;       /* retries after this attempt */

	char if_modified_since[HTTP_DATE_SIZE]; /* date, or "" */
	struct url current;   /* after redirects, with its credentials */
	bool left_origin;     /* some redirect led to another origin */
	int64_t redirects;    /* that were followed */
	struct output output; /* where the body goes; owned */
};

/*
 * Makes one attempt, until the output is complete. Only bytes of the requested
 * version, at their offset, go into the file. Returns 0, or -1 with *e.
 */
int transfer_attempt(struct transfer *t, struct err *e);

/* Whether the output can accept the result of another attempt. */
bool transfer_may_repeat(const struct transfer *t);

/* Whether the last response is that of a proxy that wants other credentials. */
bool transfer_is_declined(const struct transfer *t);

/* Whether an error of that status may be temporary. */
bool transfer_is_transient(int status);

#endif
