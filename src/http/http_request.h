/* The request of an HTTP client: a head without a body. */
#ifndef HTTP_HTTP_REQUEST_H
#define HTTP_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "http/http_response.h"

struct err;
struct url;

/* Enough for the largest request. */
#define HTTP_REQUEST_SIZE (64 * 1024)

/* The caller owns every pointer; NULL omits the field. */
struct http_request {
	enum http_method method; /* HTTP_GET or HTTP_HEAD. */
	const struct url *url;   /* The user in it is for Basic. */
	bool is_absolute;        /* It is for a proxy: the absolute form. */
	bool closes;             /* It is the last one on the connection. */

	/* "Name: value" replaces the default field of that name; an empty value
	 * removes it. */
	const char *const *fields;
	size_t field_count;

	/* USER:PASSWORD for the proxy. It and the user of the URL fit into
	 * URL_USER_SIZE. */
	const char *proxy_user;
	const char *range;             /* The range, as in "0-99". */
	const char *if_range;          /* The validator of the range. */
	const char *if_modified_since; /* An HTTP date. */
};

/*
 * Checks that field is "Name: value" without control bytes and that it neither
 * frames a body nor requests a range. Returns 0, or -1 with ERR_USAGE.
 */
int http_request_check_field(const char *field, struct err *e);

/*
 * Parses "A-B", "A-" (to becomes INT64_MAX) or "-N", the last N bytes (from
 * becomes -1, to N). total is not set. Returns false if text is malformed.
 */
bool http_request_parse_range(const char *text, struct http_range *range);

/* Space for the Basic credentials of USER:PASSWORD, which has size bytes with
 * its NUL. */
#define HTTP_BASIC_SIZE(size) (sizeof("Basic ") + ((size) + 1) / 3 * 4)

/* Writes them to dst: "Basic " and base64 (RFC 7617, RFC 4648). Returns dst. */
char *http_request_basic(char *dst, const char *user);

/*
 * Writes the request to buf, of HTTP_REQUEST_SIZE bytes, as a string. Returns
 * 0, or -1 with ERR_USAGE if it does not fit.
 */
int http_request_build(const struct http_request *r, char *buf, struct err *e);

#endif
