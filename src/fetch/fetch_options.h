/* What is downloaded, and where it goes. */
#ifndef FETCH_FETCH_OPTIONS_H
#define FETCH_FETCH_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

struct proxy;

struct fetch_options {
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
	int is_via;                /* --via: there is no proxy */

	/* Where the body goes. */
	const char *output; /* -o FILE; "-" is stdout */
	int remote_name;    /* -O */
	int resume;         /* -c */
	int force;          /* -f */
	int include;        /* -i: the head goes where the body goes */
	int raw;            /* --raw */
	int progress;       /* -P: even when the body goes to stdout */
	int timing;         /* --timing */
};

#endif
