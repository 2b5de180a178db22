/*
 * The server's side of HTTP/1.1 (RFC 9112) as far as one response needs it: the
 * head of a request is checked, the head of a response is made. No sockets.
 */
#ifndef HTTP_HTTP_SERVER_H
#define HTTP_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

/* Longest head of a request in bytes. */
#define HTTP_SERVER_HEAD 16384
/* Enough for a response's head. */
#define HTTP_SERVER_TEXT 512

/* A request; pointers into its head. */
struct http_server {
	const char *method, *target;
	size_t method_length, target_length;
	bool is_head;       /* HEAD: the response has no body */
	const char *reason; /* why the status code is not 200; or NULL */
};

/*
 * The length of a head in n bytes, with the empty line at its end; 0 while that
 * is missing. Leading empty lines are part of it (RFC 9112 section 2.2).
 */
size_t http_server_head_length(const char *bytes, size_t n);

/*
 * Parses a head of that length into *r as far as it can be read. Returns the
 * status code to respond with: 200; 400 for what is malformed, 405
 * for a known method other than GET and HEAD, 501 for an unknown one, 505 for
 * another major version.
 */
int http_server_parse(struct http_server *r, const char *head, size_t n);

/* The code's phrase: "OK", "Bad Request". */
const char *http_server_phrase(int code);

/*
 * Makes the head of a response to a body of length bytes of plain text; the
 * connection is closed after it. text has HTTP_SERVER_TEXT bytes. Returns the
 * number of bytes.
 */
size_t http_server_make_head(char *text, int code, size_t length);

#endif
