/* --etag: the entity tag of what was fetched, in a file of its own. */
#ifndef FETCH_ETAG_H
#define FETCH_ETAG_H

#include <stddef.h>

struct err;
struct transfer;

/*
 * Whether the tag can be kept in path while the body goes to output, NULL or
 * "-" for stdout. path may be NULL: no tag is kept. 0, or -1 with *e:
 * ERR_OUTPUT when something is there that is not a regular file, ERR_USAGE
 * when it is one of the files that the body goes to.
 */
int etag_check(const char *path, const char *output, struct err *e);

/* The tag that path holds, or "". */
void etag_read(const char *path, char *tag, size_t size);

/*
 * Gives the file its name and keeps the tag of the last response, if it has
 * one; it replaces the old one as a whole, which otherwise goes before the
 * file does. 0, or -1 with ERR_OUTPUT.
 */
int etag_commit(struct transfer *t, struct err *e);

#endif
