/* The server side of HTTP/1.1: parses a request's head, builds a response's. */
#include "http/http_server.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/text.h"
#include "http/http_date.h"
#include "http/http_head.h"
#include "http/url.h"

size_t
http_server_head_length(const char *bytes, size_t n)
{
	const char *at = bytes, *end = bytes + n, *next, *stop;

	while ((stop = http_head_line_end(at, end, &next)) != NULL) {
		if (stop == at)
			return (size_t)(next - bytes);
		at = next;
	}
	return 0;
}

size_t
http_server_blank_length(const char *bytes, size_t n)
{
	const char *at = bytes, *next;

	while (http_head_line_end(at, bytes + n, &next) == at)
		at = next;
	return (size_t)(at - bytes);
}

/* The status code of a method. */
static int
check_method(struct http_server *r)
{
	static const char *const methods[] = {"GET", "HEAD", "POST", "PUT",
	    "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT"};
	const struct http_part *m = &r->method;
	size_t i, count = sizeof(methods) / sizeof(methods[0]);

	for (i = 0; i < count; i++)
		if (m->length == strlen(methods[i]) &&
		    memcmp(m->at, methods[i], m->length) == 0)
			break;
	r->is_head = i == 1;
	return i < 2 ? 200 : i < count ? 405 : 501;
}

/* Parses METHOD SP TARGET SP "HTTP/1." and *minor, a digit. Returns the status
 * code. */
static int
parse_request_line(
    struct http_server *r, const char *at, const char *end, int *minor)
{
	r->method = (struct http_part){at, http_head_token_length(at, end)};
	at += r->method.length;
	if (r->method.length == 0 || at == end || *at != ' ')
		return 400;
	r->target.at = ++at;
	while (at < end && (unsigned char)*at > ' ' && *at != 0x7f)
		at++;
	r->target.length = (size_t)(at - r->target.at);
	if (r->target.length == 0 || end - at != 9 ||
	    memcmp(at, " HTTP/1.", 8) != 0 || !text_is_digit(at[8]))
		return 400;
	*minor = at[8] - '0';
	r->closes = *minor == 0;
	return check_method(r);
}

/* Counts of the fields that frame a request. */
struct framing {
	unsigned hosts, lengths, codings;
	bool is_empty;   /* Content-Length: 0 */
	bool is_chunked; /* the coding is known */
};

/* Notes a field. Returns false if it is malformed. */
static bool
parse_field(
    struct http_server *r, struct framing *f, const char *at, const char *end)
{
	struct {
		const char *name;
		struct http_part *value;
	} const kept[] = {{"range", &r->range}, {"if-range", &r->if_range},
	    {"if-match", &r->if_match}, {"if-none-match", &r->if_none_match},
	    {"if-modified-since", &r->if_modified_since},
	    {"if-unmodified-since", &r->if_unmodified_since},
	    {"accept", &r->accept}};
	size_t n = http_head_token_length(at, end), i;
	struct http_part v;

	if (n == 0 || at + n == end || at[n] != ':')
		return false;
	v = (struct http_part){at + n + 1, (size_t)(end - at) - n - 1};
	for (i = 0; i < v.length; i++)
		if (((unsigned char)v.at[i] < ' ' && v.at[i] != '\t') ||
		    v.at[i] == 0x7f)
			return false;
	for (; v.length > 0 && strchr(" \t", v.at[0]) != NULL; v.length--)
		v.at++;
	while (v.length > 0 && strchr(" \t", v.at[v.length - 1]) != NULL)
		v.length--;
	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (kept[i].value->at == NULL &&
		    http_head_token_is(at, n, kept[i].name))
			*kept[i].value = v;
	f->hosts += http_head_token_is(at, n, "host");
	if (http_head_token_is(at, n, "connection"))
		r->closes |= !http_head_token_is(v.at, v.length, "keep-alive");
	if (http_head_token_is(at, n, "transfer-encoding")) {
		f->codings++;
		f->is_chunked = http_head_token_is(v.at, v.length, "chunked");
	}
	if (!http_head_token_is(at, n, "content-length"))
		return true;
	f->lengths++;
	f->is_empty = v.length == 1 && v.at[0] == '0';
	for (i = 0; i < v.length && text_is_digit(v.at[i]);)
		i++;
	return i > 0 && i == v.length;
}

int
http_server_parse(struct http_server *r, const char *head, size_t n)
{
	const char *end = head + n, *at, *next, *stop;
	struct framing f = {0};
	int code, minor = 0;

	memset(r, 0, sizeof(*r));
	r->closes = true;
	stop = http_head_line_end(head, end, &next);
	assert(stop != NULL);
	code = parse_request_line(r, head, stop, &minor);
	if (code == 400)
		return 400;
	for (at = next; (stop = http_head_line_end(at, end, &next)) > at;
	     at = next)
		if (!parse_field(r, &f, at, stop))
			return 400;
	/* A body is not read. */
	r->closes =
	    r->closes || f.codings > 0 || (f.lengths > 0 && !f.is_empty);
	if (f.hosts > 1 || (f.hosts == 0 && minor > 0) ||
	    f.lengths + f.codings > 1 || (f.codings > 0 && minor == 0))
		return 400;
	return f.codings > 0 && !f.is_chunked ? 501 : code;
}

bool
http_server_copy(const struct http_part *p, char *dst, size_t size)
{
	if (p->at == NULL || p->length >= size)
		return false;
	memcpy(dst, p->at, p->length);
	dst[p->length] = '\0';
	return true;
}

int
http_server_path(const struct http_server *r, char *path, size_t size,
    struct http_part *query)
{
	const char *at = r->target.at, *end = at + r->target.length, *mark;
	size_t used = 0, length;
	int decoded;

	if (memchr(at, '#', (size_t)(end - at)) != NULL)
		return 400;
	mark = memchr(at, '?', (size_t)(end - at));
	*query = (struct http_part){0};
	if (mark != NULL) {
		*query = (struct http_part){mark + 1, (size_t)(end - mark - 1)};
		end = mark;
	}
	path[0] = '\0';
	/* A blank and the version follow the target. */
	if (strncasecmp(at, "http://", 7) == 0 ||
	    strncasecmp(at, "https://", 8) == 0) {
		at = strchr(at, ':') + 3;
		while (at < end && *at != '/')
			at++;
		if (at == end)
			return 200;
	}
	if (at == end || *at != '/')
		return 400;
	for (at++; at < end; at += length + 1) {
		mark = memchr(at, '/', (size_t)(end - at));
		length = (size_t)((mark != NULL ? mark : end) - at);
		if (used + length + 2 > size)
			return 414;
		decoded = url_decode(path + used, size - used, at, length);
		if (decoded < 0)
			return 400;
		if (decoded == 0 || path[used] == '.' ||
		    memchr(path + used, '/', (size_t)decoded) != NULL)
			return 404;
		used += (size_t)decoded;
		if (mark != NULL)
			path[used++] = '/';
		path[used] = '\0';
		if (mark == NULL)
			break;
	}
	return 200;
}

const char *
http_server_phrase(int code)
{
	static const struct {
		int code;
		const char *phrase;
	} phrases[] = {{200, "OK"}, {206, "Partial Content"},
	    {301, "Moved Permanently"}, {304, "Not Modified"},
	    {400, "Bad Request"}, {404, "Not Found"},
	    {405, "Method Not Allowed"}, {408, "Request Timeout"},
	    {412, "Precondition Failed"}, {414, "URI Too Long"},
	    {416, "Range Not Satisfiable"}, {501, "Not Implemented"}};
	size_t i;

	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].code == code)
			return phrases[i].phrase;
	return "Request Header Fields Too Large";
}

size_t
http_server_make_head(
    char *text, size_t size, const struct http_server_response *r)
{
	bool has_body = r->code != 304;

	snprintf(text, size, "HTTP/1.1 %d %s\r\nDate: %s\r\n", r->code,
	    http_server_phrase(r->code), http_date_text((int64_t)time(NULL)));
	if (has_body)
		text_append(text, size,
		    "Content-Type: %s\r\nContent-Length: %llu\r\n",
		    r->type != NULL ? r->type : "text/plain; charset=utf-8",
		    (unsigned long long)r->length);
	text_append(text, size, "%s%s%s\r\n",
	    r->code == 405 ? "Allow: GET, HEAD\r\n" : "", r->fields,
	    r->closes ? "Connection: close\r\n" : "");
	return strlen(text);
}
