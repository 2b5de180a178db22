/*
 * The incremental parser of HTTP/1 responses (RFC 9112): bytes in, events out,
 * however the bytes are split. It finds the end of the body (section 6.3) and
 * removes the chunked coding (section 7.1). Pure: no sockets, no allocation,
 * no clock.
 *
 *	http_response_start(&r, HTTP_GET);
 *	while (!buf_is_empty(&in))
 *		switch (http_response_parse(&r, &in, e)) {
 *		...
 *	at the end of the connection: http_response_finish(&r, e)
 */
#ifndef HTTP_HTTP_RESPONSE_H
#define HTTP_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "http/http_head.h"

struct err;

/* More interim responses than this before the final one are rejected. */
#define HTTP_MAX_INTERIM 32
/* Longest chunk-size line, with its extensions, without its LF. */
#define HTTP_CHUNK_LINE 4096

/* The method of the request, as far as it affects framing. */
enum http_method { HTTP_GET, HTTP_HEAD, HTTP_CONNECT };

enum http_framing {
	HTTP_FRAME_NONE,    /* There is no body. */
	HTTP_FRAME_LENGTH,  /* Content-Length is its length. */
	HTTP_FRAME_CHUNKED, /* It has Transfer-Encoding: chunked. */
	HTTP_FRAME_CLOSE    /* It ends with the connection, so whether it is
			       whole cannot be checked. */
};

enum http_response_state {
	HTTP_IN_HEAD,
	HTTP_IN_DATA,       /* In the data of the body or of a chunk. */
	HTTP_IN_CHUNK_SIZE, /* In the line with the size of a chunk. */
	HTTP_IN_CHUNK_CR,   /* Before the CRLF that ends a chunk. */
	HTTP_IN_CHUNK_LF,   /* In that CRLF. */
	HTTP_IN_TRAILER,    /* In the fields after the last chunk. */
	HTTP_AT_END,
	HTTP_BROKEN
};

enum http_event {
	HTTP_WANTS_MORE,    /* Every byte was parsed. */
	HTTP_GOT_INTERIM,   /* The head of a 1xx response is in head. */
	HTTP_GOT_HEAD,      /* The head of the final response is in head. */
	HTTP_GOT_END,       /* The response is complete. */
	HTTP_GOT_ERROR = -1 /* The response is malformed, *e is the cause, and
			       parsing is over. */
};

/* About 140 KiB: too large for the stack. */
struct http_response {
	enum http_response_state state;
	enum http_method method;        /* The method of the request. */
	int interims;                   /* This many 1xx heads were received. */
	bool is_interim;                /* head is a 1xx that was reported. */
	struct http_head head;          /* The head of the last event. */
	struct http_head trailer;       /* The fields after the last chunk. */
	char line[HTTP_CHUNK_LINE + 1]; /* The size line of a chunk, as far as
					   it was received. */
	size_t line_length;

	/* These three are valid after HTTP_GOT_HEAD. */
	enum http_framing framing; /* The framing of the body. */
	bool is_suspect;           /* The head contradicts itself about the
				      length: the connection is not reused. */
	int64_t length;            /* The declared length of the body, or -1. */

	int64_t left;      /* This much is left of the body or the chunk; with
			      HTTP_FRAME_CLOSE, INT64_MAX. */
	uint64_t received; /* This much of the body was received. */

	/* The data of the body, in the caller's bytes: valid after each call,
	 * whatever the event. */
	const unsigned char *data;
	size_t data_length;
};

/* Prepares for the response to a request with that method. */
void http_response_start(struct http_response *r, enum http_method method);

/*
 * Parses bytes up to the next event, but not past the end of the response, and
 * removes them from in. The body data among them is moved to the front of the
 * bytes, so that many small chunks become one write: data and data_length. If
 * the head completes the response, the next call returns HTTP_GOT_END without
 * parsing a byte; http_response_is_complete() is true at once.
 */
enum http_event http_response_parse(
    struct http_response *r, struct buf *in, struct err *e);

/*
 * Returns how many bytes of body follow without framing; INT64_MAX: all until
 * the connection ends; 0: the next byte must be parsed. Call
 * http_response_skip() after moving n of them without parsing.
 */
int64_t http_response_plain(const struct http_response *r);
void http_response_skip(struct http_response *r, size_t n);

/* Whether the whole response was parsed. */
static inline bool
http_response_is_complete(const struct http_response *r)
{
	return r->state == HTTP_AT_END;
}

/*
 * Call this at the end of the connection. Returns 0 if the response may end
 * here, or -1 with ERR_PROTOCOL and a text with how much was received.
 */
int http_response_finish(struct http_response *r, struct err *e);

/* Whether the connection can be reused after this response (RFC 9112 section
 * 9.3). */
bool http_response_keeps_alive(const struct http_response *r);

#endif
