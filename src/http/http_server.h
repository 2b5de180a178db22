/*
 * The server side of HTTP/1.1 (RFC 9112): checks the head of a request and
 * builds the head of a response. No sockets.
 */
#ifndef HTTP_HTTP_SERVER_H
#define HTTP_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest head of a request in bytes. */
#define HTTP_SERVER_HEAD 16384
/* Enough for the head of a response without further fields. */
#define HTTP_SERVER_TEXT 512

/* A part of a request's head; length 0: none. */
struct http_part {
	const char *at;
	size_t length;
};

/* A parsed request. */
struct http_server {
	struct http_part method, target;
	bool is_head; /* The method is HEAD: the response has no body. */
	bool closes;  /* No further request can be read: the client asks for
			 that, speaks HTTP/1.0, or sends a body. */
	/* The values of fields, the first of each name. */
	struct http_part range, if_range, if_match, if_none_match,
	    if_modified_since, if_unmodified_since, accept;
};

/*
 * Returns the length of the head in n bytes, with the empty line that ends it,
 * or 0 while that line is missing.
 */
size_t http_server_head_length(const char *bytes, size_t n);

/* Returns the length of the empty lines at the start of n bytes, which are no
 * part of a request (RFC 9112 section 2.2). */
size_t http_server_blank_length(const char *bytes, size_t n);

/* Whether bytes start a TLS handshake (RFC 8446 section 5.1). */
static inline bool
http_server_is_tls(const char *bytes, size_t n)
{
	return n >= 2 && bytes[0] == 0x16 && bytes[1] == 3;
}

/*
 * Parses a head, of http_server_head_length() n, into *r, as far as it is
 * readable. Returns the status code of the response: 200; 405 for a method of
 * HTTP other than GET and HEAD; 501 for unknown methods and for a transfer
 * coding other than chunked; 400 if the head is malformed, is not of HTTP/1,
 * lacks the single Host field that HTTP/1.1 requires (section 3.2), or has
 * several lengths of a body, whose end two readers could see at different
 * places (section 11.2).
 */
int http_server_parse(struct http_server *r, const char *head, size_t n);

/*
 * Decodes the path of the target of r, in origin or absolute form, into path:
 * relative, "" for the root, and with its final slash, if any. *query is the
 * part after "?". Returns 200; 400 if the target is malformed; 404 for a name
 * that is empty or begins with a dot, which no served file has; or 414 if the
 * path does not fit.
 */
int http_server_path(const struct http_server *r, char *path, size_t size,
    struct http_part *query);

/* Copies a part, as a string. Returns false if there is none or it does not
 * fit. */
bool http_server_copy(const struct http_part *p, char *dst, size_t size);

/* The reason phrase of a status code: "OK", "Bad Request". */
const char *http_server_phrase(int code);

struct http_server_response {
	int code;
	const char *type;   /* The type of the body; NULL: UTF-8 text. */
	uint64_t length;    /* The length of the body; a 304 has none. */
	bool closes;        /* The connection ends with the response. */
	const char *fields; /* Further lines, or "". */
};

/*
 * Builds the head of a response in text, of HTTP_SERVER_TEXT bytes and space
 * for the fields. Returns the length.
 */
size_t http_server_make_head(
    char *text, size_t size, const struct http_server_response *r);

#endif
