/* The URLs that can be fetched: http and https (RFC 3986, RFC 9110). */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/endpoint.h"

struct err;

/* Longest URL that is accepted, with its NUL. */
#define URL_SIZE 8192
/* Longest USER:PASSWORD, with its NUL. */
#define URL_USER_SIZE 1024
/* Longest file name: NAME_MAX minus the suffixes of partial files. */
#define URL_NAME_SIZE 240

/* There is nothing to release. */
struct url {
	bool is_https;
	char user[URL_USER_SIZE]; /* USER:PASSWORD, decoded, or "". */
	char host[ENDPOINT_HOST]; /* It has no brackets, but its zone id. */
	uint16_t port;
	/* The origin form of RFC 9112 section 3.2.1: an absolute path without
	 * dot segments, and the query. Bytes above 0x7f are %XX. */
	char target[URL_SIZE];
};

/*
 * Parses a URL as a user types it; without "://" it is http, as in
 * "localhost:8080/x". The fragment is dropped. Returns 0, or -1 with ERR_USAGE
 * for another scheme, a space, a control byte, malformed credentials, a
 * malformed host or port, or a text that is too long.
 */
int url_parse(struct url *u, const char *text, struct err *e);

/*
 * Resolves a Location field against base, the URL of its response (RFC 3986
 * section 5.2, strict); spaces in it are encoded. The credentials of next come
 * from the field, or else from base if the origin does not change. A redirect
 * from https to http drops them. Returns 0, or -1 with ERR_PROTOCOL for a
 * malformed field, or credentials in a relative one; ERR_FAILED for another
 * scheme.
 */
int url_follow(const struct url *base, const char *location, struct url *next,
    struct err *e);

/* Enough for url_absolute(). */
#define URL_ABSOLUTE_SIZE (URL_SIZE + ENDPOINT_HOST + 24)

/* The absolute form of RFC 9112 section 3.2.2, without credentials, for a proxy
 * and for display. Returns buf. */
const char *url_absolute(const struct url *u, char *buf, size_t size);

/* The absolute form, shortened, in a buffer of text_slot(): for an error. */
const char *url_text(const struct url *u);

/*
 * The value of the Host field, in such a buffer: the host, in brackets if it is
 * an address of IPv6, without its zone id, and the port unless it is the
 * scheme's.
 */
const char *url_authority(const struct url *u);

/*
 * Copies the last segment of the path to name, of URL_NAME_SIZE bytes, decoded
 * and made safe: no slash, no control character, only valid UTF-8, no leading
 * dot or hyphen. Returns false if it is empty, or the name of a partial file.
 */
bool url_file_name(const struct url *u, char *name);

/* Whether scheme, host and port are the same (RFC 9110 section 4.3.1). */
bool url_same_origin(const struct url *a, const struct url *b);

/*
 * Decodes %XX in n bytes of text. Returns the length, or -1 if an escape is
 * malformed or stands for NUL, or if dst is too small for the text and its NUL.
 */
int url_decode(char *dst, size_t size, const char *text, size_t n);

#endif
