/* The request of an HTTP client: a head without a body. */
#ifndef HTTP_HTTP_REQUEST_H
#define HTTP_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "http/http_response.h"

struct err;
struct url;

/* Enough for the largest request. */
#define HTTP_REQUEST_SIZE (64 * 1024)

/* Every pointer is the caller's; NULL: omitted. */
struct http_request {
	enum http_method method; /* HTTP_GET or HTTP_HEAD */
	const struct url *url;
	bool is_absolute; /* to a proxy: the absolute form */
	bool closes;      /* the last one on its connection */

	/* "Name: value"; replaces the field of that name that sockt sends
	 * itself, and with an empty value removes it. */
	const char *const *fields;
	size_t field_count;

	const char *user;              /* USER:PASS for Basic */
	const char *proxy_user;        /* the same for the proxy */
	const char *range;             /* "0-99" */
	const char *if_range;          /* validator that range depends on */
	const char *if_none_match;     /* entity tag */
	const char *if_modified_since; /* HTTP date */
};

/*
 * Whether field is "Name: value" without control bytes, and not one that
 * would frame a body. 0, or -1 with ERR_USAGE.
 */
int http_request_check_field(const char *field, struct err *e);

/*
 * "A-B", "A-" or "-N", the last N bytes: from is -1 and to is N then; to is
 * INT64_MAX for an open end. total is not set.
 */
bool http_request_parse_range(const char *text, struct http_range *range);

/*
 * Writes the request into buf. Returns its length, or -1 with ERR_USAGE when
 * it does not fit.
 */
ssize_t http_request_build(
    const struct http_request *r, char *buf, size_t size, struct err *e);

/* Shows a request of n bytes on stderr: its lines, escaped, after "> ". */
void http_request_show(const char *bytes, size_t n);

#endif
