/*
 * The server side of HTTP/1.1 (RFC 9112) for a single response: checks the head
 * of a request and builds the head of the response. No sockets.
 */
#ifndef HTTP_HTTP_SERVER_H
#define HTTP_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

/* Longest head of a request in bytes. */
#define HTTP_SERVER_HEAD 16384
/* Enough for a response's head. */
#define HTTP_SERVER_TEXT 512

/* A parsed request; its target points into its head. */
struct http_server {
	const char *target;
	size_t target_length;
	bool is_head; /* HEAD: the response has no body */
};

/*
 * Returns the length of the head in n bytes, with the empty line that ends it,
 * or 0 while that line is missing. Leading empty lines count (RFC 9112 section
 * 2.2).
 */
size_t http_server_head_length(const char *bytes, size_t n);

/*
 * Parses a head, of http_server_head_length() n, into *r, as far as it is
 * readable. Returns the status code of the response: 200; 405 for a method
 * other than GET and HEAD; 400 if the head is malformed, is not of HTTP/1, or
 * has not the one Host field that HTTP/1.1 requires (section 3.2).
 */
int http_server_parse(struct http_server *r, const char *head, size_t n);

/* The reason phrase of a status code: "OK", "Bad Request". */
const char *http_server_phrase(int code);

/*
 * Builds the head of a response with a plain-text body of length bytes and
 * "Connection: close". text has HTTP_SERVER_TEXT bytes. Returns the length.
 */
size_t http_server_make_head(char *text, int code, size_t length);

#endif
