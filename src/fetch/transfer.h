/*
 * One URL on its way: request, redirects, response, body, commit. Private to
 * this folder: fetch.c repeats attempts, transfer.c makes one, response.c
 * decides by status.
 */
#ifndef FETCH_TRANSFER_H
#define FETCH_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "fetch/fetch.h"
#include "fetch/output.h"
#include "http/http_date.h"
#include "http/http_validator.h"
#include "http/redirect.h"
#include "http/url.h"

struct err;

struct transfer {
	struct fetch *fetch;
	const struct fetch_options *options;
	const struct url *url; /* as given, the caller's */
	bool wants_more;       /* another URL follows */
	int64_t retries_left;  /* after this attempt */

	char if_none_match[HTTP_VALIDATOR_SIZE]; /* entity tag, or "" */
	char if_modified_since[HTTP_DATE_SIZE];  /* date, or "" */
	struct redirect redirect; /* where redirects have led; owned */
	struct output output;     /* where the body goes; owned */
};

/* What comes next. */
enum transfer_state {
	TRANSFER_START,   /* request the URL that was given */
	TRANSFER_REQUEST, /* request the URL that a redirect led to */
	TRANSFER_HEAD,    /* the head was received: decide */
	TRANSFER_BODY,    /* read the body into the output */
	TRANSFER_COMMIT,  /* the body is complete: name the file */
	TRANSFER_DONE,
	TRANSFER_FAILED /* *e says why */
};

/* Where a request for u goes. 0, or -1 with *e. */
int transfer_find_route(const struct fetch *f, const struct url *u,
    struct http_route *route, struct err *e);

/* One attempt. 0, or -1 with *e. */
int transfer_attempt(struct transfer *t, struct err *e);

/* Reports the response: event, --timing. */
void transfer_report(const struct transfer *t);

/* Whether the output can accept the result of another attempt. */
bool transfer_may_repeat(const struct transfer *t);

#endif
