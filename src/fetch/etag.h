/* The file of --etag: the entity tag of what was fetched. */
#ifndef FETCH_ETAG_H
#define FETCH_ETAG_H

#include <limits.h>
#include <stddef.h>

struct err;
struct http_head;

/* A tag that is to replace the one in path. */
struct etag {
	const char *path;    /* the caller's; NULL: no tag is kept */
	char temp[PATH_MAX]; /* file with the new one; "": there is none */
};

/*
 * Whether the tag can be kept in path while the body goes to output, NULL or
 * "-" for stdout. path may be NULL: no tag is kept. 0, or -1 with *e:
 * ERR_OUTPUT when something other than a regular file is there, ERR_USAGE when
 * it is one of the files that the body goes to.
 */
int etag_check(const char *path, const char *output, struct err *e);

/* The tag in path, or "". */
void etag_read(const char *path, char *tag, size_t size);

/*
 * Writes the tag of a response to a temporary file, before the body gets its
 * name; where the response has none, removes the old one. 0, or -1 with
 * ERR_OUTPUT. Call etag_commit() or etag_abort() after 0.
 */
int etag_stage(struct etag *t, const struct http_head *h, struct err *e);

/* The body has its name: replaces the old tag. 0, or -1 with ERR_OUTPUT. */
int etag_commit(struct etag *t, struct err *e);

/* The body has no name: removes the temporary file. */
void etag_abort(struct etag *t);

#endif
