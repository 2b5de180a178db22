/* The server side of HTTP/1.1: parses a request's head, builds a response's. */
#include "http/http_server.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "http/http_date.h"
#include "http/http_head.h"

static const char *const known_methods[] = {
    "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", NULL};

size_t
http_server_head_length(const char *bytes, size_t n)
{
	const char *at = bytes, *end = bytes + n, *next, *stop;
	bool has_line = false;

	while ((stop = http_head_line_end(at, end, &next)) != NULL) {
		if (stop == at && has_line)
			return (size_t)(next - bytes);
		has_line = has_line || stop != at;
		at = next;
	}
	return 0;
}

static bool
is_word(const char *at, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(at, word, n) == 0;
}

/* Records why the request is not served. Returns the status code. */
static int
reject(struct http_server *r, int code, const char *reason)
{
	r->reason = reason;
	return code;
}

/* Returns the status code for the method. */
static int
check_method(struct http_server *r)
{
	int i;

	r->is_head = is_word(r->method, r->method_length, "HEAD");
	if (r->is_head || is_word(r->method, r->method_length, "GET"))
		return 200;
	for (i = 0; known_methods[i] != NULL; i++)
		if (is_word(r->method, r->method_length, known_methods[i]))
			return reject(r, 405, "only GET and HEAD are served");
	return reject(r, 501, "the method is unknown");
}

/* Checks "HTTP/1.1". Returns 200, 400 or 505; *minor is the last digit. */
static int
check_version(const char *at, const char *end, int *minor)
{
	static const char name[] = "HTTP/";

	if (end - at != 8 || memcmp(at, name, 5) != 0 || at[6] != '.' ||
	    at[5] < '0' || at[5] > '9' || at[7] < '0' || at[7] > '9')
		return 400;
	*minor = at[7] - '0';
	return at[5] == '1' ? 200 : 505;
}

/* Parses METHOD SP TARGET SP VERSION. Returns the status code. */
static int
parse_request_line(
    struct http_server *r, const char *at, const char *end, int *minor)
{
	int code;

	r->method = at;
	r->method_length = http_head_token_length(at, end);
	at += r->method_length;
	if (r->method_length == 0 || at == end || *at != ' ')
		return 400;
	r->target = ++at;
	while (at < end && (unsigned char)*at > ' ' && *at != 0x7f)
		at++;
	r->target_length = (size_t)(at - r->target);
	if (r->target_length == 0 || at == end || *at != ' ')
		return 400;
	code = check_version(at + 1, end, minor);
	return code == 200 ? check_method(r) : code;
}

/* Checks NAME ":" VALUE, and counts the Host fields. */
static bool
check_field(const char *at, const char *end, int *hosts)
{
	size_t n = http_head_token_length(at, end);

	if (n == 0 || at + n == end || at[n] != ':')
		return false;
	if (n == 4 && strncasecmp(at, "Host", n) == 0)
		++*hosts;
	for (at += n + 1; at < end; at++)
		if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f)
			return false;
	return true;
}

int
http_server_parse(struct http_server *r, const char *head, size_t n)
{
	const char *at = head, *end = head + n, *next, *stop;
	int code, minor = 0, hosts = 0;

	memset(r, 0, sizeof(*r));
	while ((stop = http_head_line_end(at, end, &next)) == at)
		at = next;
	if (stop == NULL)
		return reject(r, 400, "there is no request line");
	code = parse_request_line(r, at, stop, &minor);
	if (code == 400)
		return reject(
		    r, 400, "the first line is not like 'GET /path HTTP/1.1'");
	if (code == 505)
		return reject(r, 505, "only HTTP/1.0 and HTTP/1.1 are served");
	for (at = next;
	     (stop = http_head_line_end(at, end, &next)) != NULL && stop > at;
	     at = next)
		if (!check_field(at, stop, &hosts))
			return reject(
			    r, 400, "a header line is not like 'Name: value'");
	/* RFC 9112 section 3.2: HTTP/1.1 requires exactly one Host. */
	if (hosts > 1)
		return reject(r, 400, "there is more than one Host field");
	if (hosts == 0 && minor > 0)
		return reject(r, 400, "HTTP/1.1 needs a Host field");
	return code;
}

const char *
http_server_phrase(int code)
{
	switch (code) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 431:
		return "Request Header Fields Too Large";
	case 501:
		return "Not Implemented";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Internal Server Error";
	}
}

size_t
http_server_make_head(char *text, int code, size_t length)
{
	char date[HTTP_DATE_SIZE];

	return (size_t)snprintf(text, HTTP_SERVER_TEXT,
	    "HTTP/1.1 %d %s\r\n"
	    "Date: %s\r\n"
	    "%s"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: %zu\r\n"
	    "Connection: close\r\n"
	    "\r\n",
	    code, http_server_phrase(code),
	    http_date_format(date, sizeof(date), (int64_t)time(NULL)),
	    code == 405 ? "Allow: GET, HEAD\r\n" : "", length);
}
