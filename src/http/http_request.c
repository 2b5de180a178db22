/* Builds the request of an HTTP client. */
#include "http/http_request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "http/url.h"

#define USER_AGENT "sockt"

/* The request being built. */
struct writer {
	const struct http_request *r;
	char *buf;
	size_t size;
	bool is_full;
};

static size_t
name_length(const char *field)
{
	return http_head_token_length(field, field + strlen(field));
}

static bool
is_named(const char *field, const char *name)
{
	return http_head_token_is(field, name_length(field), name);
}

int
http_request_check_field(const char *field, struct err *e)
{
	size_t n = name_length(field);
	const char *p, *shown;

	/* The name alone: the value may be secret. */
	shown = text_format("%s%s%s", text_shown_bytes(field, n),
	    field[n] == ':' ? ": " : "", field[n] == '\0' ? "" : "...");
	if (n == 0 || field[n] != ':')
		return err_set(
		    e, ERR_USAGE, "'%s' is not 'Name: value'", shown);
	for (p = field; *p != '\0'; p++)
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return err_set(
			    e, ERR_USAGE, "'%s' holds a control byte", shown);
	if (is_named(field, "content-length") ||
	    is_named(field, "transfer-encoding"))
		return err_set(e, ERR_USAGE,
		    "'%s' announces a body, and there is none to send", shown);
	if (is_named(field, "range") || is_named(field, "if-range"))
		return err_set(
		    e, ERR_USAGE, "'%s': --range asks for a range", shown);
	return 0;
}

bool
http_request_parse_range(const char *text, struct http_range *range)
{
	const char *dash = strchr(text, '-');
	char first[32];
	size_t n = dash == NULL ? sizeof(first) : (size_t)(dash - text);

	if (n >= sizeof(first) || strlen(text) < 2)
		return false;
	memcpy(first, text, n);
	first[n] = '\0';
	range->from = -1;
	range->to = INT64_MAX;
	return (n == 0 || num_parse(first, 0, INT64_MAX, &range->from)) &&
	       (dash[1] == '\0' ||
		   num_parse(dash + 1, 0, INT64_MAX, &range->to)) &&
	       range->from <= range->to;
}

static void write_text(struct writer *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
write_text(struct writer *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!text_append_list(w->buf, w->size, fmt, ap))
		w->is_full = true;
	va_end(ap);
}

static bool
is_overridden(const struct http_request *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->field_count; i++)
		if (is_named(r->fields[i], name))
			return true;
	return false;
}

/* Writes a default field, unless the user's fields override it. */
static void
write_field(struct writer *w, const char *name, const char *value)
{
	if (value != NULL && !is_overridden(w->r, name))
		write_text(w, "%s: %s\r\n", name, value);
}

static void
write_basic(struct writer *w, const char *name, const char *user)
{
	char encoded[BASE64_SIZE(URL_USER_SIZE)], value[sizeof(encoded) + 8];

	if (strlen(user) > URL_USER_SIZE) {
		w->is_full = true;
		return;
	}
	base64_encode(encoded, user, strlen(user));
	snprintf(value, sizeof(value), "Basic %s", encoded);
	write_field(w, name, value);
}

ssize_t
http_request_build(
    const struct http_request *r, char *buf, size_t size, struct err *e)
{
	struct writer w = {.r = r, .buf = buf, .size = size};
	char absolute[URL_ABSOLUTE_SIZE], range[80];
	const char *value;
	size_t i;

	buf[0] = '\0';
	write_text(&w, "%s %s HTTP/1.1\r\n",
	    r->method == HTTP_HEAD ? "HEAD" : "GET",
	    r->is_absolute ? url_absolute(r->url, absolute, sizeof(absolute))
			   : r->url->target);
	write_field(&w, "Host", url_authority(r->url));
	write_field(&w, "User-Agent", USER_AGENT);
	write_field(&w, "Accept", "*/*");
	write_field(&w, "Accept-Encoding", "identity");
	if (r->range != NULL) {
		snprintf(range, sizeof(range), "bytes=%s", r->range);
		write_field(&w, "Range", range);
		write_field(&w, "If-Range", r->if_range);
	}
	write_field(&w, "If-Modified-Since", r->if_modified_since);
	if (r->url->user[0] != '\0')
		write_basic(&w, "Authorization", r->url->user);
	if (r->proxy_user != NULL)
		write_basic(&w, "Proxy-Authorization", r->proxy_user);
	for (i = 0; i < r->field_count; i++) {
		/* An empty one only removes a default field. */
		value = strchr(r->fields[i], ':') + 1;
		if (value[strspn(value, " \t")] != '\0')
			write_text(&w, "%s\r\n", r->fields[i]);
	}
	write_field(&w, "Connection", r->closes ? "close" : "keep-alive");
	write_text(&w, "\r\n");
	if (w.is_full)
		return err_set(
		    e, ERR_USAGE, "the request is longer than %zu bytes", size);
	return (ssize_t)strlen(buf);
}

void
http_request_show(const char *bytes, size_t n)
{
	char *text = mem_array(2, n + 1), *line;
	const char *p = text, *end, *stop, *next;
	size_t size;

	end = text + http_head_conceal(text, bytes, n);
	size = 4 * (size_t)(end - text) + 4;
	line = mem_array(1, size);
	for (; (stop = http_head_line_end(p, end, &next)) != NULL; p = next) {
		line[0] = '>';
		line[1] = ' ';
		text_escape(line + 2, size - 3, p, (size_t)(stop - p));
		text_append(line, size, "\n");
		diag_raw(line, strlen(line));
	}
	free(line);
	free(text);
}
