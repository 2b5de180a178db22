/*
 * The body of an HTTP response: how its end is found (RFC 9112 section 6.3),
 * and the chunked coding taken off (section 7.1). Pure: no sockets.
 */
#ifndef HTTP_HTTP_BODY_H
#define HTTP_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/http_head.h"

struct err;

/* Longest line with a chunk's size and its extensions. */
#define HTTP_CHUNK_LINE 4096

enum http_framing {
	HTTP_FRAME_NONE,    /* no body at all */
	HTTP_FRAME_LENGTH,  /* Content-Length */
	HTTP_FRAME_CHUNKED, /* Transfer-Encoding: chunked */
	HTTP_FRAME_CLOSE    /* until the connection closes: cannot be checked */
};

/* Where a chunked body stands. */
enum http_chunk_state {
	HTTP_CHUNK_SIZE,      /* before or in the digits */
	HTTP_CHUNK_BLANK,     /* in blanks behind them: an extension is due */
	HTTP_CHUNK_EXTENSION, /* in an extension, which is ignored */
	HTTP_CHUNK_SIZE_LF,   /* the LF behind the size */
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_DATA_CR, /* the CRLF behind the data */
	HTTP_CHUNK_DATA_LF,
	HTTP_CHUNK_TRAILER,
	HTTP_CHUNK_DONE
};

struct http_body {
	enum http_framing framing;
	int64_t left;   /* bytes of the length or of this chunk; CLOSE: any */
	int64_t length; /* what was declared, or -1 */
	uint64_t received; /* payload so far */
	enum http_chunk_state state;
	size_t line; /* bytes of the size line so far */
	bool has_digit;
	bool is_suspect; /* contradicting framing: the connection is not to
			    be used again */
	struct http_head *trailer; /* storage, the caller's */
};

/* The method that a response answers, as far as framing minds. */
enum http_method { HTTP_GET, HTTP_HEAD, HTTP_CONNECT };

/*
 * Finds out how the body behind head ends. trailer is storage for the lines
 * behind a chunked body, and outlives b. 0, or -1 with ERR_PROTOCOL: the
 * lengths are malformed, or there is a transfer coding other than chunked.
 */
int http_body_start(struct http_body *b, const struct http_head *head,
    enum http_method method, struct http_head *trailer, struct err *e);

enum http_body_state {
	HTTP_BODY_MORE, /* the next byte is wanted */
	HTTP_BODY_DATA, /* a piece of payload */
	HTTP_BODY_DONE, /* the end is there */
	HTTP_BODY_BAD   /* malformed: *e is filled */
};

/*
 * Takes up to n bytes; *used says how many. With HTTP_BODY_DATA the payload
 * is the last *length bytes of those used.
 */
enum http_body_state http_body_take(struct http_body *b,
    const unsigned char *bytes, size_t n, size_t *used, size_t *length,
    struct err *e);

/* See http_parser_plain() and http_parser_passed(). */
int64_t http_body_plain(const struct http_body *b);
void http_body_passed(struct http_body *b, size_t n);

/*
 * Says in front of *e how much of the body had come, where the connection was
 * lost or silent. Returns -1.
 */
int http_body_error(const struct http_body *b, struct err *e);

/* Nothing more belongs to it. */
bool http_body_is_done(const struct http_body *b);

/*
 * The connection has ended. 0 when the body may end here, or -1 with
 * ERR_PROTOCOL that tells what was received of how much.
 */
int http_body_finish(struct http_body *b, struct err *e);

#endif
