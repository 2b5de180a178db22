/*
 * Downloads: URLs one after another, over one connection where they can share
 * it, each tried again after a failure that may pass.
 */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "dial/proxy.h"
#include "fetch/http_client.h"

struct err;
struct url;

/* What is requested, and where it goes. */
struct fetch_options {
	/* The request. */
	int head_only;             /* -I */
	const char *const *fields; /* -H */
	size_t field_count;
	const char *user;          /* -u USER:PASS */
	const char *range;         /* -r A-B */
	const char *etag;          /* --etag FILE */
	const char *since;         /* --if-modified-since DATE|FILE */
	int follow;                /* -L */
	int64_t max_redirs;        /* limit of redirects */
	int64_t retries;           /* --retry N */
	const struct proxy *proxy; /* PROXY_NONE: http_proxy decides */

	/* Where the body goes. */
	const char *output; /* -o FILE; "-" is stdout */
	int remote_name;    /* -O */
	int disposition;    /* --content-disposition */
	int resume;         /* -c */
	int force;          /* -f */
	int include;        /* -i: the head goes where the body goes */
	int raw;            /* --raw */
	int progress;       /* -P: even when the body goes to stdout */
	int timing;         /* --timing */
};

/* One run of http-get. */
struct fetch {
	const struct fetch_options *options; /* the caller's */
	const struct proxy *proxy;           /* for every URL; NULL: none */
	struct proxy env_proxy; /* of http_proxy; PROXY_NONE: none */
	const char *no_proxy;   /* hosts that env_proxy is not for */
	struct deadline until;  /* end of the whole run */
	bool stdout_failed;     /* it accepts nothing more */
	struct http_client client;
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
