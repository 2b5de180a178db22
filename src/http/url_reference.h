/* Resolves URL references (RFC 3986 section 5). */
#ifndef HTTP_URL_REFERENCE_H
#define HTTP_URL_REFERENCE_H

struct err;
struct url;

/*
 * Resolves a Location field against base (RFC 3986 section 5.2, strict). Spaces
 * in it are encoded, and it inherits base's fragment if it has none (RFC 9110
 * section 10.2.2). Returns 0, or -1 with ERR_PROTOCOL.
 */
int url_reference_follow(const struct url *base, const char *location,
    struct url *out, struct err *e);

/*
 * Parses a URL as a user types it. Without "://" it gets "http://" in front, as
 * in "localhost:8080/x"; the dot segments of its path are removed (RFC 3986
 * section 5.2.4). Returns 0, or -1 as url_parse() does.
 */
int url_reference_parse_typed(struct url *u, const char *text, struct err *e);

#endif
