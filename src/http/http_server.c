/* The server side of HTTP/1.1: parses a request's head, builds a response's. */
#include "http/http_server.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "http/http_date.h"
#include "http/http_head.h"

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

/*
 * Parses METHOD SP TARGET SP "HTTP/1." DIGIT. Returns the status code; *minor
 * is the digit.
 */
static int
parse_request_line(
    struct http_server *r, const char *at, const char *end, int *minor)
{
	size_t n = http_head_token_length(at, end);
	bool is_get = n == 3 && memcmp(at, "GET", n) == 0;

	r->is_head = n == 4 && memcmp(at, "HEAD", n) == 0;
	at += n;
	if (n == 0 || at == end || *at != ' ')
		return 400;
	r->target = ++at;
	while (at < end && (unsigned char)*at > ' ' && *at != 0x7f)
		at++;
	r->target_length = (size_t)(at - r->target);
	if (r->target_length == 0 || end - at != 9 ||
	    memcmp(at, " HTTP/1.", 8) != 0 || !text_is_digit(at[8]))
		return 400;
	*minor = at[8] - '0';
	return is_get || r->is_head ? 200 : 405;
}

int
http_server_parse(struct http_server *r, const char *head, size_t n)
{
	const char *at = head, *end = head + n, *next, *stop;
	int code, minor = 0, hosts = 0;
	size_t name;

	memset(r, 0, sizeof(*r));
	while ((stop = http_head_line_end(at, end, &next)) == at)
		at = next;
	assert(stop != NULL);
	code = parse_request_line(r, at, stop, &minor);
	if (code == 400)
		return 400;
	for (at = next; (stop = http_head_line_end(at, end, &next)) > at;
	     at = next) {
		name = http_head_token_length(at, stop);
		if (name == 0 || at + name == stop || at[name] != ':')
			return 400;
		hosts += http_head_token_is(at, name, "host");
	}
	return hosts > 1 || (hosts == 0 && minor > 0) ? 400 : code;
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
	default:
		return "Request Header Fields Too Large";
	}
}

size_t
http_server_make_head(char *text, int code, size_t length)
{
	return (size_t)snprintf(text, HTTP_SERVER_TEXT,
	    "HTTP/1.1 %d %s\r\n"
	    "Date: %s\r\n"
	    "%s"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: %zu\r\n"
	    "Connection: close\r\n"
	    "\r\n",
	    code, http_server_phrase(code), http_date_text((int64_t)time(NULL)),
	    code == 405 ? "Allow: GET, HEAD\r\n" : "", length);
}
