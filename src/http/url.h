/*
 * URLs and references to them (RFC 3986), parsed, and the pieces of them that
 * an HTTP request needs.
 */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct endpoint;
struct err;

/* Longest URL that is accepted, with its NUL. */
#define URL_SIZE 8192

/* A piece of url.text. "?" with nothing after it is there, and empty. */
struct url_part {
	size_t at, length;
	bool is_there;
};

/* A URL or a relative reference; holds nothing to be released. */
struct url {
	char text[URL_SIZE]; /* bytes above 0x7f have become %XX */
	struct url_part scheme, userinfo, host, port, path, query, fragment;
};

/*
 * Parses text by the grammar of RFC 3986 section 4.1. Refused, with -1
 * and ERR_USAGE: blanks, control bytes, a malformed host or port, more than
 * URL_SIZE bytes. The host is without its brackets in no case: [::1] stays.
 */
int url_parse(struct url *u, const char *text, struct err *e);

/* That it is an http URL with a host. 0, or -1 with ERR_USAGE. */
int url_check_http(const struct url *u, struct err *e);

/* The host and port of an http URL, ready to be dialled. 0, or -1 with *e. */
int url_endpoint(const struct url *u, struct endpoint *ep, struct err *e);

/*
 * The value of the Host field: the host with its brackets but without a zone
 * id, and the port unless it is 80. Returns buf; URL_SIZE is enough.
 */
const char *url_authority(const struct url *u, char *buf, size_t size);

/* The origin form of RFC 9112 section 3.2.1: path and query. Returns buf. */
const char *url_target(const struct url *u, char *buf, size_t size);

/*
 * The absolute form of RFC 9112 section 3.2.2, without userinfo and fragment:
 * for a proxy, and to be shown. Returns buf.
 */
const char *url_absolute(const struct url *u, char *buf, size_t size);

/*
 * The userinfo with its %XX decoded. False when there is none, or when it
 * does not fit or holds control bytes.
 */
bool url_userinfo(const struct url *u, char *buf, size_t size);

/* Enough for url_absolute() of any URL. */
#define URL_ABSOLUTE_SIZE (URL_SIZE + 8)
/* Enough for url_label(). */
#define URL_LABEL_SIZE 320

/* The absolute form for the beginning of an error, shortened. Returns buf. */
const char *url_label(const struct url *u, char *buf);

/* Same scheme, host and port (RFC 9110 section 4.3.1). */
bool url_same_origin(const struct url *a, const struct url *b);

/*
 * Decodes %XX in n bytes of text. Returns the length, or -1 when an escape is
 * malformed, a NUL comes out or dst (with its NUL) is too small.
 */
int url_decode(char *dst, size_t size, const char *text, size_t n);

#endif
