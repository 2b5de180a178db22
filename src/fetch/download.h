/*
 * A file that gets its name only when it is complete. Until then it is
 * NAME.part, and the note NAME.part.from records its URL and version, so that a
 * later run can resume it.
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
	const char *url;       /* the source of the file */
	bool may_replace;      /* a file of that name may be overwritten */
	struct deadline until; /* limit for a FIFO without a reader */
};

struct download {
	char *target, *part, *from, *url; /* owned */
	int fd;                           /* owned; -1: not open */
	int whole; /* owned: NAME.part.from, for the whole body; -1: not open */
	bool is_special;  /* a device, a FIFO, /dev/stdout: written directly */
	bool may_replace; /* as in the options */
	bool has_begun;   /* bytes may have been written since it was opened */
	int64_t held;     /* bytes in the partial file when it was opened */
};

/*
 * Opens the partial file of the target and locks it against other processes. A
 * device or FIFO is opened directly, a FIFO once it has a reader. Returns 0, or
 * -1 with *e: ERR_OUTPUT if the file cannot be written, or if may_replace is
 * not set and the target or a partial file without a note exists; for a FIFO,
 * the errors of wait_open(). Call download_close() after 0.
 */
int download_open(
    struct download *d, const struct download_options *o, struct err *e);

/*
 * Reads the version of the partial file. Returns false if it is unknown or of
 * another URL, so that the file cannot be resumed.
 */
bool download_source(const struct download *d, struct http_validator *v);

/*
 * Keeps the first offset bytes and continues after them. With offset 0, starts
 * over and notes that the file is of version v. Returns 0, or -1 with
 * ERR_OUTPUT.
 */
int download_begin(struct download *d, int64_t offset,
    const struct http_validator *v, struct err *e);

/*
 * Instead of download_begin(), for a body that has been received whole: it goes
 * to NAME.part.from, since nothing of it will be resumed. The partial file
 * stays empty and only locks the name. Returns 1; 0 if the target does not
 * allow that; or -1 with ERR_OUTPUT.
 */
int download_begin_whole(struct download *d, struct err *e);

/* Where the body is to be written, once it has begun; d keeps it. */
int download_fd(const struct download *d);

/* Sets the modification time; errors are ignored. */
void download_set_time(const struct download *d, int64_t seconds);

/*
 * Renames the file, which is complete. Returns 0, or -1 with
 * ERR_OUTPUT: the file is still partial, or its note could not be removed.
 */
int download_commit(struct download *d, struct err *e);

/* Closes the file. A partial file is kept, unless it is empty. */
void download_close(struct download *d);

#endif
