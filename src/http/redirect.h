/*
 * Redirects: which responses redirect, where the next request goes, and which
 * credentials it may carry there. Pure: no sockets.
 */
#ifndef HTTP_REDIRECT_H
#define HTTP_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>

#include "http/url.h"

struct err;
struct http_head;

/* Longest USER:PASS, with its NUL. */
#define REDIRECT_USER_SIZE 1024

struct redirect {
	struct url url;                /* of the current request */
	char user[REDIRECT_USER_SIZE]; /* USER:PASS for it, or "" */
	bool left_origin;              /* some redirect led to another origin */
	size_t count;                  /* redirects that were followed */
};

/*
 * Copies the Location of a redirect to buf, as a string. Returns false if the
 * response is not a redirect (RFC 9110 section 15.4: 301, 302, 303, 307, 308
 * with a Location).
 */
bool redirect_location(const struct http_head *h, char *buf, size_t size);

/*
 * Starts a chain at start with the credentials user (USER:PASS), or with those
 * in start if user is NULL.
 */
void redirect_start(
    struct redirect *r, const struct url *start, const char *user);

/*
 * Follows a Location field, at most max times. The next request uses the
 * credentials in the field, unless it leads from https to http. Without any, a
 * request to the same origin (RFC 9110 section 4.3.1) keeps the current ones,
 * and one to another origin has none. Returns 0, or -1 with *e and r unchanged:
 * ERR_PROTOCOL for a malformed field or one redirect too many; ERR_FAILED for a
 * URL that is neither http nor https.
 */
int redirect_follow(
    struct redirect *r, const char *location, size_t max, struct err *e);

/*
 * Reports a redirect from u that is not followed, with its target. Always
 * returns -1, with ERR_PEER.
 */
int redirect_refuse(
    const struct url *u, const struct http_head *h, struct err *e);

#endif
