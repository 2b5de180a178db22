/* The file of --etag, which keeps the entity tag of a download. */
#ifndef FETCH_ETAG_H
#define FETCH_ETAG_H

#include <limits.h>
#include <stddef.h>

struct err;
struct http_head;

/* A new tag for path. */
struct etag {
	const char *path;    /* the caller's; NULL: no tag is kept */
	char temp[PATH_MAX]; /* file with the new tag; "": none */
};

/*
 * Checks that the tag can be kept in path while the body goes to output, where
 * NULL or "-" is stdout. path may be NULL: no tag is kept. Returns 0, or -1
 * with *e: ERR_OUTPUT if path is not a regular file, ERR_USAGE if the body goes
 * to it.
 */
int etag_check(const char *path, const char *output, struct err *e);

/* Copies the tag in path to tag, or "" if there is none. */
void etag_read(const char *path, char *tag, size_t size);

/*
 * Writes the tag of a response to a temporary file, before the body is renamed.
 * If the response has no tag, removes the old one. Returns 0, or -1 with
 * ERR_OUTPUT. Call etag_commit() or etag_abort() after 0.
 */
int etag_stage(struct etag *t, const struct http_head *h, struct err *e);

/* Replaces the old tag after the body is renamed. 0, or -1 with ERR_OUTPUT. */
int etag_commit(struct etag *t, struct err *e);

/* Removes the temporary file if the body was not renamed. */
void etag_abort(struct etag *t);

#endif
