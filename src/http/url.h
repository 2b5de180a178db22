/*
 * Parses URLs and URL references (RFC 3986), and builds the parts of an HTTP
 * request from them.
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

/* A part of url.text. The part after a final "?" is present and empty. */
struct url_part {
	size_t at, length;
	bool is_present;
};

/* A URL or a relative reference; there is nothing to release. */
struct url {
	struct url_part scheme, userinfo, host, port, path, query, fragment;
	char text[URL_SIZE]; /* bytes above 0x7f as %XX */
};

/*
 * Parses text by the grammar of RFC 3986 section 4.1. Returns 0, or -1 with
 * ERR_USAGE for a space, a control byte, a malformed host or port, or more than
 * URL_SIZE bytes. The host keeps its brackets: [::1].
 */
int url_parse(struct url *u, const char *text, struct err *e);

/* Copies from, but not the unused bytes of its text. */
void url_copy(struct url *to, const struct url *from);

/* Checks that u is an http or https URL with a host. 0, or -1 with ERR_USAGE.
 */
int url_check_http(const struct url *u, struct err *e);

/* Whether the scheme of u is https. */
bool url_is_https(const struct url *u);

/* Sets *ep to the host and port of an http or https URL. 0, or -1 with *e. */
int url_endpoint(const struct url *u, struct endpoint *ep, struct err *e);

/*
 * The value of the Host field: the host with its brackets but without a zone
 * id, and the port unless it is the scheme's. Returns buf; URL_SIZE is enough.
 */
const char *url_authority(const struct url *u, char *buf, size_t size);

/* The origin form of RFC 9112 section 3.2.1: path and query. Returns buf. */
const char *url_target(const struct url *u, char *buf, size_t size);

/*
 * The absolute form of RFC 9112 section 3.2.2, without userinfo and fragment,
 * for a proxy and for display. Returns buf.
 */
const char *url_absolute(const struct url *u, char *buf, size_t size);

/*
 * Copies the userinfo to buf, with %XX decoded. Returns false if there is none,
 * or if it does not fit or contains control bytes.
 */
bool url_userinfo(const struct url *u, char *buf, size_t size);

/* Enough for url_absolute() of any URL. */
#define URL_ABSOLUTE_SIZE (URL_SIZE + 8)
/* Enough for url_label(). */
#define URL_LABEL_SIZE 320

/* The absolute form, shortened, as the prefix of an error. Returns buf. */
const char *url_label(const struct url *u, char *buf);

/* Whether scheme, host and port are the same (RFC 9110 section 4.3.1). */
bool url_same_origin(const struct url *a, const struct url *b);

/*
 * Decodes %XX in n bytes of text. Returns the length, or -1 if an escape is
 * malformed or stands for NUL, or if dst is too small for the text and its NUL.
 */
int url_decode(char *dst, size_t size, const char *text, size_t n);

#endif
