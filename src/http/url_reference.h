/* Where a reference leads, as seen from a URL (RFC 3986 section 5). */
#ifndef HTTP_URL_REFERENCE_H
#define HTTP_URL_REFERENCE_H

struct err;
struct url;

/*
 * Where a Location field leads from base: resolved by RFC 3986 section 5.2
 * (strict), its blanks encoded, and with base's fragment when it has none of
 * its own (RFC 9110 section 10.2.2). 0, or -1 with ERR_PROTOCOL.
 */
int url_reference_follow(const struct url *base, const char *location,
    struct url *out, struct err *e);

/*
 * Parses what a user types: without "://" it is "http://" and text, as in
 * "localhost:8080/x", and the dot segments of its path are removed (RFC 3986
 * section 5.2.4). 0, or -1 as url_parse().
 */
int url_reference_parse_typed(struct url *u, const char *text, struct err *e);

#endif
