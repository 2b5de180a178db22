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

/* What the output already has of the file. */
struct resume {
	struct http_validator source; /* its version, if that is known */
	int64_t held;                 /* usable bytes at its start */
	bool is_complete; /* they are the file itself, of unknown version: the
			     server must confirm its size */
};

struct output {
	const struct fetch_options
	    *options;                /* this and the next: the caller's */
	const struct url *url;       /* as given */
	const struct url *requested; /* after redirects, for errors */
	struct deadline until;       /* --max-time */

	bool is_open; /* sink is ready; false with resume.is_complete */
	bool is_file; /* sink writes to file */
	struct sink sink;
	struct download file; /* owned */
	struct resume resume;
	struct progress progress;
	bool is_whole; /* the current body has been received; the caller's */
	int64_t base;  /* offset of the current body */
	int64_t total; /* bytes when it is complete, -1: unknown */
};

/*
 * Opens the output; with --continue, determines what it already has. The caller
 * sets the first four members. Returns 0, or -1 with ERR_OUTPUT. Call
 * output_close() after 0.
 */
int output_open(struct output *o, struct err *e);

/* Whether the request can be for only the rest of the file. */
bool output_can_resume(const struct output *o);

/*
 * Whether the byte at offset base may be written now. Bytes written to stdout,
 * a device or a FIFO cannot be taken back, so only the next byte of the same
 * version may follow them. base is 0 unless a download is resumed.
 */
bool output_accepts(const struct output *o, int64_t base);

/* Reports that it may not. Returns -1 with ERR_PROTOCOL. */
int output_refuse(const struct output *o, struct err *e);

/* Prepares for a body that begins at offset base. 0, or -1 with *e. */
int output_begin(struct output *o, int64_t base, struct err *e);

/* Reads the body of c's response. 0, or -1 with *e. */
int output_read(struct output *o, struct http_client *c, struct err *e);

/*
 * Whether the body of an error goes to the output: not if that is a regular
 * file.
 */
bool output_takes_errors(const struct output *o);

/* Reads the body of an error, which may be written. 0, or -1 with *e. */
int output_read_error_body(
    struct output *o, struct http_client *c, struct err *e);

/*
 * Ends a complete body: renames the file, of the response with head h. Returns
 * 0, or -1 with ERR_OUTPUT.
 */
int output_commit(struct output *o, const struct http_head *h, struct err *e);

/* Closes the output, and reports a partial file that is kept. */
void output_close(struct output *o);

#endif
