/*
 * Downloads URLs one after another, over a shared connection where possible:
 * requests, redirects, retries after temporary failures, and the output.
 */
#ifndef FETCH_DOWNLOAD_H
#define FETCH_DOWNLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

struct connector_options;
struct err;

/* What is downloaded, and where it goes. The caller owns what is pointed to. */
struct download_options {
	char *const *urls;
	int url_count;

	/* The connection. */
	/* tls is for https. Without proxy and via, the environment names a
	 * proxy. */
	const struct connector_options *connector;
	/* --connect-to HOST:PORT replaces the server of the user's URLs; NULL
	 * does not. */
	const char *connect_to;
	const char *unix_path; /* --unix: A socket for all requests, or NULL. */
	struct limit idle;     /* The longest time without data. */
	struct deadline until; /* --max-time */
	int64_t rate;          /* --limit-rate: Bytes per second; 0: any. */

	/* The request. */
	int head_only;             /* --head */
	const char *const *fields; /* --header */
	size_t field_count;
	const char *user;       /* --user USER:PASSWORD */
	const char *range;      /* --range A-B */
	const char *since;      /* --if-modified-since DATE|FILE */
	int follow;             /* --location */
	int64_t max_redirs;     /* --max-redirs */
	int64_t retries;        /* --retry N */
	int64_t retry_ms;       /* --retry-for; -1: one attempt. */
	const char *tls_option; /* An option that is for https URLs, or NULL. */

	/* Where the body goes. */
	const char *output; /* --output FILE; "-" is stdout. */
	int remote_name;    /* --remote-name */
	int resume;         /* --continue */
	int is_foreign;     /* --continue-foreign */
	int force;          /* --force */
	const char *sha256; /* --sha256: The digest of the file, or NULL. */
	int fail_with_body; /* --fail-with-body */
	int include;        /* --include: The head precedes the body. */
	int remote_time;    /* --remote-time */
	int raw;            /* --raw */
	int progress;       /* --progress: Even if the body goes to stdout. */
	int timing;         /* --timing */
};

/*
 * Checks the options and the URLs, as a whole and before any request; enters
 * the sandbox, unless a program connects; then fetches the URLs in order. Only
 * bytes of the requested version, at their offset, go into a file, and it gets
 * its name when it is complete. Returns 0, or -1 with *e: ERR_USAGE if nothing
 * was attempted, ERR_PEER for a status of 300 or more that is not the result.
 * Errors of all URLs but the last are reported here; the first is the status.
 */
int download_all(const struct download_options *o, struct err *e);

#endif
