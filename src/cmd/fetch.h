/*
 * URLs for http-get, one after another over one connection where they can
 * share it: redirects, what to do with each answer, where the body goes, and
 * trying again.
 */
#ifndef CMD_FETCH_H
#define CMD_FETCH_H

#include <stdint.h>

#include "base/clock.h"
#include "cli/opt.h"
#include "net/http_client.h"
#include "net/proxy.h"

struct err;

/* What the options of http-get ask for. */
struct fetch_options {
	/* The request. */
	int head_only;          /* -I */
	struct opt_list fields; /* -H */
	const char *user;       /* -u USER:PASS */
	const char *range;      /* -r A-B */
	const char *etag;       /* --etag FILE */
	const char *since;      /* --if-modified-since DATE|FILE */
	int follow;             /* -L */
	int64_t max_redirs;     /* at most so many */
	int64_t retries;        /* --retry N */

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

struct fetch {
	const struct fetch_options *options; /* the caller's */
	const struct proxy *proxy;           /* for every URL; NULL: none */
	struct proxy env_proxy; /* of http_proxy; PROXY_NONE: none */
	const char *no_proxy;   /* hosts that env_proxy is not for */
	struct deadline until;  /* end of the whole run */
	struct http_client client;
};

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
