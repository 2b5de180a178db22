/*
 * A file that appears under its name only when it is complete. Until then it is
 * NAME.part, and NAME.part.from says of which version of which URL it is the
 * beginning, so that a later run can resume.
 */
#ifndef FETCH_DOWNLOAD_H
#define FETCH_DOWNLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "http/http_validator.h"

struct err;

struct download_options {
	const char *target;    /* the name of the file */
	const char *url;       /* where it comes from */
	bool may_replace;      /* a file of that name may be overwritten */
	struct deadline until; /* for a FIFO without a reader */
};

struct download {
	char *target, *part, *from, *url; /* owned */
	int fd;                           /* owned; -1: not open */
	bool is_special;  /* a device, a FIFO, /dev/stdout: written directly */
	bool may_replace; /* as in the options */
	int64_t held;     /* bytes in the partial file when it was opened */
};

/*
 * Opens the partial file of the target and locks it against other processes. A
 * device or FIFO is opened directly; a FIFO without a reader is waited for. 0,
 * or -1 with *e: ERR_OUTPUT when it cannot be written, or when the target
 * exists, or a partial file that no earlier run has left, and may_replace is
 * not set; as wait_open() for a FIFO. Call download_close() after 0.
 */
int download_open(
    struct download *d, const struct download_options *o, struct err *e);

/*
 * The version of which the partial file is the beginning. False when that is
 * unknown or of another URL: it cannot be resumed.
 */
bool download_source(const struct download *d, struct http_validator *v);

/*
 * Keeps the first offset bytes and continues after them. With offset 0 it
 * begins anew, and notes that the bytes that follow are of version v.
 */
int download_begin(struct download *d, int64_t offset,
    const struct http_validator *v, struct err *e);

/* Sets the time of last modification, as far as that can be done. */
void download_set_time(const struct download *d, int64_t seconds);

/*
 * The partial file is complete: renames it. 0, or -1 with ERR_OUTPUT: it stays
 * a partial file then, or its note could not be removed.
 */
int download_commit(struct download *d, struct err *e);

/* Closes it. A partial file stays, unless it is empty. */
void download_close(struct download *d);

#endif
