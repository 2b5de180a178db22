/* Builds the request of an HTTP client. */
#include "http/http_request.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "base/text.h"
#include "http/url.h"

#define USER_AGENT "sockt"

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

/* A tab may stand in a field. */
static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < 0x20 && *text != '\t') ||
		    *text == 0x7f)
			return true;
	return false;
}

int
http_request_check_field(const char *field, struct err *e)
{
	size_t n = name_length(field);
	const char *wrong;

	if (n == 0 || field[n] != ':')
		wrong = " is not 'Name: value'";
	else if (has_control(field))
		wrong = " holds a control byte";
	else if (is_named(field, "content-length") ||
		 is_named(field, "transfer-encoding"))
		wrong = " announces a body, and there is none to send";
	else if (is_named(field, "range") || is_named(field, "if-range"))
		wrong = ": --range asks for a range";
	else
		return 0;
	/* The name alone: the value may be secret. */
	return err_set(e, ERR_USAGE, "'%s%s%s'%s", text_shown_bytes(field, n),
	    field[n] == ':' ? ": " : "", field[n] == '\0' ? "" : "...", wrong);
}

bool
http_request_parse_range(const char *text, struct http_range *range)
{
	range->from = -1;
	range->to = INT64_MAX;
	if (*text != '-' && !num_digits(&text, INT64_MAX, &range->from))
		return false;
	if (*text++ != '-')
		return false;
	if (*text == '\0')
		return range->from >= 0;
	return num_parse(text, 0, INT64_MAX, &range->to) &&
	       range->from <= range->to;
}

/* Appends a default field to buf, unless the user's fields override it. */
static void
append_field(const struct http_request *r, char *buf, const char *name,
    const char *value)
{
	size_t i;

	for (i = 0; i < r->field_count; i++)
		if (is_named(r->fields[i], name))
			return;
	if (value != NULL)
		text_append(buf, HTTP_REQUEST_SIZE, "%s: %s\r\n", name, value);
}

char *
http_request_basic(char *dst, const char *user)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	const unsigned char *p = (const unsigned char *)user;
	size_t i, n = strlen(user);
	char *out = dst + 6;
	uint32_t three;

	strcpy(dst, "Basic ");
	for (i = 0; i < n; i += 3) {
		three = (uint32_t)p[i] << 16;
		if (i + 1 < n)
			three |= (uint32_t)p[i + 1] << 8;
		if (i + 2 < n)
			three |= p[i + 2];
		*out++ = digits[three >> 18];
		*out++ = digits[three >> 12 & 63];
		*out++ = i + 1 < n ? digits[three >> 6 & 63] : '=';
		*out++ = i + 2 < n ? digits[three & 63] : '=';
	}
	*out = '\0';
	return dst;
}

int
http_request_build(const struct http_request *r, char *buf, struct err *e)
{
	char absolute[URL_ABSOLUTE_SIZE], basic[HTTP_BASIC_SIZE(URL_USER_SIZE)];
	/* Typed, or sent by a server, or read from a file. */
	const char *const texts[] = {r->url->host, r->url->target, r->range,
	    r->if_range, r->if_modified_since};
	const char *value;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i] != NULL && has_control(texts[i]))
			return err_set(e, ERR_USAGE,
			    "the request would contain a control byte");
	for (i = 0; i < r->field_count; i++)
		if (http_request_check_field(r->fields[i], e) < 0)
			return -1;
	snprintf(buf, HTTP_REQUEST_SIZE, "%s %s HTTP/1.1\r\n",
	    r->method == HTTP_HEAD ? "HEAD" : "GET",
	    r->is_absolute ? url_absolute(r->url, absolute, sizeof(absolute))
			   : r->url->target);
	append_field(r, buf, "Host", url_authority(r->url));
	append_field(r, buf, "User-Agent", USER_AGENT);
	append_field(r, buf, "Accept", "*/*");
	append_field(r, buf, "Accept-Encoding", "identity");
	if (r->range != NULL) {
		append_field(
		    r, buf, "Range", text_format("bytes=%s", r->range));
		append_field(r, buf, "If-Range", r->if_range);
	}
	append_field(r, buf, "If-Modified-Since", r->if_modified_since);
	if (r->url->user[0] != '\0')
		append_field(r, buf, "Authorization",
		    http_request_basic(basic, r->url->user));
	if (r->proxy_user != NULL)
		append_field(r, buf, "Proxy-Authorization",
		    http_request_basic(basic, r->proxy_user));
	for (i = 0; i < r->field_count; i++) {
		/* An empty one only removes a default field. */
		value = strchr(r->fields[i], ':') + 1;
		if (value[strspn(value, " \t")] != '\0')
			text_append(
			    buf, HTTP_REQUEST_SIZE, "%s\r\n", r->fields[i]);
	}
	append_field(r, buf, "Connection", r->closes ? "close" : "keep-alive");
	/* Anything that did not fit has left no space. */
	if (!text_append(buf, HTTP_REQUEST_SIZE, "\r\n"))
		return err_set(e, ERR_USAGE,
		    "the request is longer than %d bytes", HTTP_REQUEST_SIZE);
	return 0;
}
