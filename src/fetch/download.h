/*
 * Downloads URLs one after another, over a shared connection where possible:
 * requests, redirects, retries after temporary failures, and the output.
 */
#ifndef FETCH_DOWNLOAD_H
#define FETCH_DOWNLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "fetch/client.h"
#include "fetch/route.h"

struct err;
struct proxy;

/* What is downloaded, and where it goes. */
struct download_options {
	/* The request. */
	int head_only;             /* -I */
	const char *const *fields; /* -H */
	size_t field_count;
	const char *user;          /* -u USER:PASS */
	const char *range;         /* -r A-B */
	const char *since;         /* --if-modified-since DATE|FILE */
	int follow;                /* -L */
	int64_t max_redirs;        /* limit of redirects */
	int64_t retries;           /* --retry N */
	int64_t retry_ms;          /* --retry-for; -1: one attempt */
	const struct proxy *proxy; /* PROXY_NONE: http_proxy decides */
	const char *unix_path;     /* --unix PATH */
	int is_via;                /* --via: there is no proxy */

	/* Where the body goes. */
	const char *output; /* -o FILE; "-" is stdout */
	int remote_name;    /* -O */
	int resume;         /* -c */
	int is_foreign;     /* --continue-foreign */
	int force;          /* --force */
	int fail_with_body; /* --fail-with-body */
	int include;        /* -i: the head goes where the body goes */
	int remote_time;    /* -R */
	int raw;            /* --raw */
	int progress;       /* -P: even when the body goes to stdout */
	int timing;         /* --timing */
};

/* One run of http-get. */
struct download_run {
	const struct download_options *options; /* the caller's */
	struct route_rules rules;               /* where requests go */
	struct client client;
	struct deadline until; /* --max-time */
	bool stdout_failed;    /* a write to it failed */
};

/*
 * Checks the options as a whole before any request. Returns 0, or -1 with
 * ERR_USAGE.
 */
int download_check(const struct download_options *o, int urls, struct err *e);

/*
 * Prepares a run; o and client are the caller's and must outlive d. Returns 0,
 * or -1 with ERR_USAGE if http_proxy in the environment is needed and
 * malformed. Call download_release() afterwards in both cases.
 */
int download_start(struct download_run *d, const struct download_options *o,
    const struct client_options *client, struct err *e);
void download_release(struct download_run *d);

/*
 * Checks a URL and the route to it before any request, and sets *is_https.
 * Returns 0, or -1 with ERR_USAGE.
 */
int download_check_url(const struct download_run *d, const char *url,
    bool *is_https, struct err *e);

/*
 * Fetches a URL that was checked. wants_more: another one follows. Only bytes
 * of the requested version, at their offset, go into a file, and it gets its
 * name when it is complete. Returns 0, or -1 with *e: ERR_PEER for a status of
 * 300 or more that is not the result.
 */
int download_url(
    struct download_run *d, const char *url, bool wants_more, struct err *e);

#endif
