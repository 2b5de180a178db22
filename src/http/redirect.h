/*
 * The redirect rule: which responses redirect, where the next request goes, and
 * which credentials it may carry there. Pure: no sockets.
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
	struct url url;                /* of the present request */
	char user[REDIRECT_USER_SIZE]; /* USER:PASS for it, or "" */
	bool left_origin; /* it has led to another origin, perhaps back */
	char **visited;   /* every URL so far, as shown; owned */
	size_t count;     /* of them */
	size_t visited_capacity;
};

/*
 * The place that a response redirects to, as a string in buf. False when it is
 * not a redirect (RFC 9110 section 15.4: 301, 302, 303, 307, 308 with a
 * Location).
 */
bool redirect_location(const struct http_head *h, char *buf, size_t size);

/*
 * The chain begins at start, with the credentials user (USER:PASS), or with
 * those in start where user is NULL. redirect_release() frees what it holds.
 */
void redirect_start(
    struct redirect *r, const struct url *start, const char *user);
void redirect_release(struct redirect *r);

/* How many redirects were followed. */
size_t redirect_count(const struct redirect *r);

/*
 * Follows a Location field, at most max times. Credentials in it are those of
 * the next request; without any, a request to the same origin (RFC 9110
 * section 4.3.1) repeats the present ones, and one to another origin has
 * none. 0, or -1 with *e and r as it was: ERR_PROTOCOL for a malformed field
 * or one redirect too many, whose text names the loop if there is one;
 * ERR_FAILED for a URL that is not http.
 */
int redirect_follow(
    struct redirect *r, const char *location, size_t max, struct err *e);

/*
 * The error of a redirect that is not to be followed: where it would have led
 * from u. Always returns -1, with ERR_PEER.
 */
int redirect_refuse(
    const struct url *u, const struct http_head *h, struct err *e);

#endif
