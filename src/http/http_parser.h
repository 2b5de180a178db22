/*
 * The incremental parser of HTTP/1 responses: bytes in, events out, however
 * the bytes are cut. Pure: no sockets, no allocation, no clock.
 *
 *	http_parser_start(&p, HTTP_GET);
 *	while (n > 0) {
 *		event = http_parser_take(&p, bytes, n, &used, &length, e);
 *		bytes += used; n -= used;
 *		...
 *	}
 *	at the connection's end: http_parser_finish(&p, e)
 */
#ifndef HTTP_HTTP_PARSER_H
#define HTTP_HTTP_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/http_body.h"
#include "http/http_head.h"

struct err;

/* More interim responses than these before the final one are refused. */
#define HTTP_INTERIM_MOST 32

enum http_event {
	HTTP_WANTS_MORE,  /* everything was taken, nothing to tell */
	HTTP_GOT_INTERIM, /* a 1xx response: its head is in p->head */
	HTTP_GOT_HEAD,    /* the final response's head is in p->head */
	HTTP_GOT_DATA,    /* the last *length of the used bytes are body */
	HTTP_GOT_END,     /* the response is whole; what follows is not its */
	HTTP_GOT_ERROR    /* malformed: *e is filled, and nothing goes on */
};

enum http_parser_state { HTTP_IN_HEAD, HTTP_IN_BODY, HTTP_AT_END, HTTP_BROKEN };

/* About 140 KiB: to be allocated. */
struct http_parser {
	enum http_parser_state state;
	enum http_method method;
	int interims;          /* 1xx heads so far */
	bool is_interim;       /* head is a 1xx that was told */
	bool has_bytes;        /* anything of this response has come */
	struct http_head head; /* the head that the last event told of */
	struct http_head trailer;
	struct http_body body;
};

/* Makes ready for the response to a request with that method. */
void http_parser_start(struct http_parser *p, enum http_method method);

/*
 * Takes bytes up to the next event; *used says how many, *length how many of
 * them, at their end, are body. HTTP_GOT_END comes without a byte used where
 * the event before it was the last; http_parser_is_done() tells it at once.
 */
enum http_event http_parser_take(struct http_parser *p,
    const unsigned char *bytes, size_t n, size_t *used, size_t *length,
    struct err *e);

/*
 * Takes n bytes, up to the response's end; *used says how many. The pieces of
 * body among them are moved together at the front, so that many small chunks
 * become one write; *length says how many bytes these are. 0, or -1 with *e.
 */
int http_parser_strip(struct http_parser *p, unsigned char *bytes, size_t n,
    size_t *used, size_t *length, struct err *e);

/*
 * How many bytes of body come next with nothing of the framing between them,
 * INT64_MAX: all up to the connection's end. 0: the next byte has to be looked
 * at. And tells that n of them went to their place without a look.
 */
int64_t http_parser_plain(const struct http_parser *p);
void http_parser_passed(struct http_parser *p, size_t n);

/* The response is whole. */
bool http_parser_is_done(const struct http_parser *p);

/*
 * The connection has ended. 0 when the response may end here, or -1 with
 * ERR_PROTOCOL.
 */
int http_parser_finish(struct http_parser *p, struct err *e);

/*
 * Whether the connection may carry another request (RFC 9112 section 9.3):
 * asked when the response is whole.
 */
bool http_parser_keeps_alive(const struct http_parser *p);

#endif
