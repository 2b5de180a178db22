/*
 * A file that appears under its name only when it is whole. Until then it is
 * NAME.part, and what it is the beginning of stands in NAME.part.from: a later
 * run resumes by it.
 */
#ifndef FETCH_DOWNLOAD_H
#define FETCH_DOWNLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "http/http_validator.h"

struct err;

struct download {
	char *target; /* the file's name; this and the next two: owned */
	char *part, *from;
	int fd;           /* owned; -1: not open */
	bool is_special;  /* a device, a FIFO, /dev/stdout: written as it is */
	bool may_replace; /* a file of that name may be overwritten */
	int64_t held;     /* bytes in the partial file when it was opened */
};

/*
 * Opens target's partial file and locks it against other processes. A device
 * or FIFO is opened as it is; a FIFO that nobody reads is waited for until the
 * deadline. 0, or -1 with *e: ERR_OUTPUT when it cannot be written, or when
 * target exists, or a partial file that no earlier run has left, and
 * may_replace is not set; as wait_open() for a FIFO. After 0 the caller calls
 * download_close().
 */
int download_open(struct download *d, const char *target, bool may_replace,
    struct deadline until, struct err *e);

/*
 * What the partial file is the beginning of. False when that is not known or
 * not url: it cannot be resumed.
 */
bool download_source(
    const struct download *d, const char *url, struct http_validator *v);

/*
 * Keeps the first offset bytes and goes on behind them. With offset 0 it
 * begins anew, and notes that the bytes to come are v's of url.
 */
int download_begin(struct download *d, int64_t offset, const char *url,
    const struct http_validator *v, struct err *e);

/* Gives the file a time of last modification, as far as that can be done. */
void download_set_time(const struct download *d, int64_t seconds);

/*
 * The partial file is whole: gives it its name. 0, or -1 with ERR_OUTPUT: it
 * stays a partial file then, or the note beside it could not be removed.
 */
int download_commit(struct download *d, struct err *e);

/* Closes it. A partial file stays, unless it is empty. */
void download_close(struct download *d);

#endif
