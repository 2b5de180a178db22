/*
 * http-get at work: what it was asked for, one run and one URL on its way.
 * fetch, request, response and output share it.
 */
#ifndef FETCH_TRANSFER_H
#define FETCH_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/progress.h"
#include "fetch/download.h"
#include "fetch/http_client.h"
#include "http/http_date.h"
#include "http/http_validator.h"
#include "dial/proxy.h"
#include "http/redirect.h"
#include "net/sink.h"
#include "http/url.h"

struct http_head;

/* Room for transfer_url(). */
#define TRANSFER_URL_SIZE REDIRECT_URL_SIZE
/* Room for transfer_label(). */
#define TRANSFER_LABEL_SIZE 320

/* What the options of http-get ask for. */
struct fetch_options {
	/* The request. */
	int head_only;             /* -I */
	const char *const *fields; /* -H */
	size_t field_count;
	const char *user;   /* -u USER:PASS */
	const char *range;  /* -r A-B */
	const char *etag;   /* --etag FILE */
	const char *since;  /* --if-modified-since DATE|FILE */
	int follow;         /* -L */
	int64_t max_redirs; /* at most so many */
	int64_t retries;    /* --retry N */

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
	bool stdout_failed;     /* it takes nothing more */
	struct http_client client;
};

/* One URL. */
struct transfer {
	struct fetch *f;
	const struct fetch_options *o;
	bool wants_more;    /* another URL comes behind it */
	int64_t tries_left; /* after this one */

	/* The way: request.c. */
	struct url start;          /* as given */
	struct redirect redirect;  /* where it has led; owned */
	const struct proxy *proxy; /* of the last request, or NULL */
	char if_none_match[HTTP_VALIDATOR_SIZE]; /* entity tag, or "" */
	char if_modified_since[HTTP_DATE_SIZE];  /* date, or "" */

	/* Where the body goes: output.c. */
	bool is_open;             /* out is ready */
	bool is_file;             /* out writes to file */
	struct download file;     /* owned */
	struct sink out;          /* stdout or file */
	struct progress progress; /* of out */
	int64_t total;            /* bytes it will hold, -1: unknown */
	int64_t expected;         /* bytes that this answer brings, -1: any */

	/* What out holds already: response.c. */
	struct http_validator source; /* of which version it is */
	int64_t held;          /* bytes of its beginning; 0: none of use */
	int64_t asked_from;    /* where the last request wanted to begin */
	int64_t base;          /* offset of the first byte of this answer, */
	uint64_t out_start;    /* and of out.bytes then */
	int64_t complete_size; /* its size, while that is being asked */
};

/* The head of the last response. */
const struct http_head *transfer_head(const struct transfer *t);

/* The URL of the last request, to be shown; buf has TRANSFER_URL_SIZE. */
const char *transfer_url(const struct transfer *t, char *buf);

/* The same, cut short, for the beginning of an error. */
const char *transfer_label(const struct transfer *t, char *buf);

/* Whether what is held can be asked for the rest of. */
bool transfer_can_resume(const struct transfer *t);

/* Whether the output can take the result of another try. */
bool transfer_may_go_on(const struct transfer *t);

#endif
