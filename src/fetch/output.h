/* Where a body goes: stdout or a file, with its progress. */
#ifndef FETCH_OUTPUT_H
#define FETCH_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/progress.h"
#include "fetch/download.h"
#include "http/http_validator.h"
#include "net/sink.h"

struct err;
struct fetch_options;
struct http_client;
struct http_head;
struct url;

/* What the output holds of the file already. */
struct resume {
	struct http_validator source; /* its version, where that is known */
	int64_t held;     /* bytes of its beginning; 0: none of use */
	bool is_complete; /* they are in the file itself, of no known version:
			     the server is to confirm its size */
};

struct output {
	const struct fetch_options
	    *options;                /* this and the next: the caller's */
	const struct url *url;       /* as given */
	const struct url *requested; /* after redirects, for errors */
	struct deadline until;       /* --max-time */

	bool is_open; /* sink is ready */
	bool is_file; /* sink writes to file */
	struct sink sink;
	struct download file; /* owned */
	struct resume resume;
	struct progress progress;
	int64_t base;  /* offset of the body that is being read */
	int64_t total; /* bytes when it is complete, -1: unknown */
};

/*
 * Opens the output, unless --content-disposition leaves its name to the
 * response; with --continue finds out what it holds. The caller has filled the
 * first four members. 0, or -1 with ERR_OUTPUT. Call output_close() after 0.
 */
int output_open(struct output *o, struct err *e);

/* Opens it after the head was received, where output_open() did not. */
int output_open_late(
    struct output *o, const struct http_head *h, struct err *e);

/*
 * Whether the request can be for the rest of what the output holds, and only
 * for that.
 */
bool output_can_resume(const struct output *o);

/*
 * The one rule for stdout, a device or a FIFO: what was written cannot be taken
 * back, so that only the next byte of the same version may follow. Whether the
 * byte at offset base may be written now; base is 0 for everything but the rest
 * of what is held.
 */
bool output_accepts(const struct output *o, int64_t base);

/* The error when it may not. Returns -1 with ERR_PROTOCOL. */
int output_refuse(const struct output *o, struct err *e);

/* Prepares for a body that begins at offset base. 0, or -1 with *e. */
int output_begin(struct output *o, int64_t base, struct err *e);

/* Reads the body of c's response. 0, or -1 with *e. */
int output_read(struct output *o, struct http_client *c, struct err *e);

/* Enough for the note of output_read_aside(). */
#define OUTPUT_NOTE 512

/*
 * Reads a body that is not the file into FILE.error, or into the output if that
 * is not a file and accepts it. note becomes the end of a sentence that says
 * where it is, or that it was dropped; or "". 0, or -1 with *e.
 */
int output_read_aside(
    struct output *o, struct http_client *c, char *note, struct err *e);

/*
 * The body is complete: the file, of the response with head h, gets its name
 * and --etag its tag. 0, or -1 with ERR_OUTPUT.
 */
int output_commit(struct output *o, const struct http_head *h, struct err *e);

/* Closes what it opened, and reports a partial file that stays. */
void output_close(struct output *o);

#endif
