/* Parses the status line and fields of an HTTP response, line by line. */
#include "http/http_head.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/text.h"
#include "http/http_date.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

size_t
http_head_token_length(const char *at, const char *end)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz0123456789"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "!#$%&'*+-.^_`|~";
	size_t n = 0;

	while (at + n < end && at[n] != '\0' && strchr(chars, at[n]) != NULL)
		n++;
	return n;
}

bool
http_head_token_is(const char *at, size_t n, const char *token)
{
	return n == strlen(token) && strncasecmp(at, token, n) == 0;
}

const char *
http_head_line_end(const char *at, const char *end, const char **next)
{
	const char *lf = memchr(at, '\n', (size_t)(end - at));

	if (lf == NULL)
		return NULL;
	*next = lf + 1;
	return lf > at && lf[-1] == '\r' ? lf - 1 : lf;
}

void
http_head_start(struct http_head *h, bool is_trailer)
{
	h->length = h->line = h->reason = h->reason_length = h->count = 0;
	h->minor = 0;
	/* Any nonzero status marks the line as parsed. */
	h->status = is_trailer;
}

/* The value of a field may be secret. */
static int
malformed(const char *what, const char *line, size_t n, struct err *e)
{
	const char *colon = memchr(line, ':', n);

	return err_set(e, ERR_PROTOCOL, "%s: '%s%s'", what,
	    text_shown_bytes(
		line, colon == NULL ? n : (size_t)(colon - line) + 1),
	    colon == NULL ? "" : " ...");
}

/* Rejects bytes that do not begin as a response. TLS begins with a record (RFC
 * 8446 section 5.1): its type, and its version 3. */
static int
reject_foreign(const struct http_head *h, struct err *e)
{
	const char *p = h->text;

	if (h->length >= 2 && p[0] >= 0x14 && p[0] <= 0x17 && p[1] == 3)
		return err_cause(e, ERR_AT_TCP, CAUSE_IS_TLS);
	err_cause(e, ERR_AT_TCP, CAUSE_NOT_HTTP);
	return err_append(e, "it sent '%s'",
	    text_shown_bytes(p, h->length < 40 ? h->length : 40));
}

/*
 * "HTTP/1.1 200 OK"; the reason and the space before it may be missing. What
 * does not begin with "HTTP/" is rejected before: see http_head_parse().
 */
static int
parse_status_line(struct http_head *h, size_t n, struct err *e)
{
	const char *p = h->text + h->line;

	if (n < 8 || p[5] != '1' || p[6] != '.' || !text_is_digit(p[7]))
		return malformed("not a version of HTTP/1", p, n, e);
	if (n < 12 || p[8] != ' ' || !text_is_digit(p[9]) ||
	    !text_is_digit(p[10]) || !text_is_digit(p[11]) ||
	    (n > 12 && p[12] != ' ') || p[9] == '0')
		return malformed("malformed status line", p, n, e);
	h->minor = p[7] - '0';
	h->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + p[11] - '0';
	h->reason = h->line + (n > 12 ? 13 : 12);
	h->reason_length = n > 13 ? n - 13 : 0;
	return 0;
}

static int
parse_field(struct http_head *h, size_t n, struct err *e)
{
	const char *p = h->text + h->line;
	struct http_field *f;
	size_t name = http_head_token_length(p, p + n), end = n;

	if (name == 0 || name == n || p[name] != ':')
		return malformed(name > 0 && name < n && is_blank(p[name])
				     ? "whitespace in a field name"
				     : "malformed field",
		    p, n, e);
	if (h->count == HTTP_HEAD_FIELDS)
		return err_set(e, ERR_PROTOCOL,
		    "the head has more than %d fields", HTTP_HEAD_FIELDS);
	f = &h->fields[h->count++];
	f->name = h->line;
	f->name_length = name++;
	while (name < end && is_blank(p[name]))
		name++;
	while (end > name && is_blank(p[end - 1]))
		end--;
	f->value = h->line + name;
	f->value_length = end - name;
	return 0;
}

/* Joins a folded line to the field before it, unless it is blank. 0, or -1. */
static int
unfold(struct http_head *h, size_t n, struct err *e)
{
	struct http_field *f;
	size_t end, from = h->line;

	if (h->count == 0)
		return malformed("whitespace before the first field",
		    h->text + h->line, n, e);
	f = &h->fields[h->count - 1];
	end = f->value + f->value_length;
	while (n > 0 && is_blank(h->text[from])) {
		from++;
		n--;
	}
	if (n == 0)
		return 0;
	h->text[end] = ' ';
	memmove(h->text + end + 1, h->text + from, h->length - from);
	h->length -= from - end - 1;
	h->line = f->name;
	h->count--;
	return parse_field(h, end + 1 + n - f->name, e);
}

/* Parses a complete line, which ends in LF. */
static enum http_head_state
parse_line(struct http_head *h, struct err *e)
{
	const char *p = h->text + h->line, *next;
	const char *end = http_head_line_end(p, h->text + h->length, &next);
	size_t n = (size_t)(end - p);
	enum http_head_state state;

	if (memchr(p, '\0', n) != NULL)
		return malformed("a NUL in the head", p, n, e);
	if (memchr(p, '\r', n) != NULL)
		return malformed("a lone CR in the head", p, n, e);
	if (h->status == 0)
		state = parse_status_line(h, n, e);
	else if (n == 0)
		state = HTTP_HEAD_DONE;
	else if (is_blank(*p))
		state = unfold(h, n, e);
	else
		state = parse_field(h, n, e);
	h->line = h->length;
	return state;
}

enum http_head_state
http_head_parse(struct http_head *h, struct buf *in, struct err *e)
{
	enum http_head_state state = HTTP_HEAD_MORE;
	const unsigned char *bytes, *lf;
	size_t n;

	while (state == HTTP_HEAD_MORE && !buf_is_empty(in)) {
		bytes = buf_bytes(in);
		n = buf_length(in);
		lf = memchr(bytes, '\n', n);
		if (lf != NULL)
			n = (size_t)(lf - bytes) + 1;
		if (!buf_fits(sizeof(h->text), h->length, n))
			return err_set(e, ERR_PROTOCOL,
			    "the head is longer than %d bytes", HTTP_HEAD_SIZE);
		memcpy(h->text + h->length, bytes, n);
		h->length += n;
		buf_eat(in, n);
		if (h->status == 0 && memcmp(h->text, "HTTP/",
					  h->length < 5 ? h->length : 5) != 0)
			return reject_foreign(h, e);
		if (lf != NULL)
			state = parse_line(h, e);
	}
	return state;
}

const struct http_field *
http_head_find(const struct http_head *h, const char *name, size_t from)
{
	const struct http_field *f;

	for (f = h->fields + from; f < h->fields + h->count; f++)
		if (http_head_token_is(h->text + f->name, f->name_length, name))
			return f;
	return NULL;
}

bool
http_head_value(
    const struct http_head *h, const char *name, char *buf, size_t size)
{
	const struct http_field *f = http_head_find(h, name, 0);

	if (f == NULL || f->value_length >= size)
		return false;
	memcpy(buf, h->text + f->value, f->value_length);
	buf[f->value_length] = '\0';
	return true;
}

bool
http_head_list_next(struct http_head_list *l)
{
	const struct http_field *f;
	const char *comma, *end;

	if (l->next == NULL) {
		f = http_head_find(l->head, l->name, l->from);
		if (f == NULL)
			return false;
		l->from = (size_t)(f - l->head->fields) + 1;
		l->next = l->head->text + f->value;
		l->stop = l->next + f->value_length;
	}
	comma = memchr(l->next, ',', (size_t)(l->stop - l->next));
	end = comma == NULL ? l->stop : comma;
	l->element = l->next;
	while (l->element < end && is_blank(*l->element))
		l->element++;
	while (end > l->element && is_blank(end[-1]))
		end--;
	l->length = (size_t)(end - l->element);
	l->next = comma == NULL ? NULL : comma + 1;
	return true;
}

const char *
http_head_content_length(const struct http_head *h, int64_t *length)
{
	struct http_head_list l = {.head = h, .name = "content-length"};
	const char *end;
	int64_t found = -1, one;

	*length = -1;
	for (; http_head_list_next(&l); found = one) {
		if (l.length == 0 ||
		    strspn(l.element, "0123456789") != l.length)
			return "the Content-Length is malformed";
		end = l.element;
		if (!num_digits(&end, INT64_MAX, &one))
			return "the Content-Length is too large";
		if (found >= 0 && found != one)
			return "there are several Content-Lengths that differ";
	}
	*length = found;
	return NULL;
}

bool
http_head_content_range(const struct http_head *h, struct http_range *range)
{
	char value[128];
	const char *p = value + 6;

	if ((h->status != 206 && h->status != 416) ||
	    !http_head_value(h, "content-range", value, sizeof(value)) ||
	    strncasecmp(value, "bytes ", 6) != 0)
		return false;
	range->from = range->to = range->total = -1;
	if (*p == '*')
		p++;
	else if (!num_digits(&p, INT64_MAX, &range->from) || *p++ != '-' ||
		 !num_digits(&p, INT64_MAX - 1, &range->to) ||
		 range->from > range->to)
		return false;
	if (*p++ != '/')
		return false;
	if (strcmp(p, "*") == 0)
		return range->from >= 0;
	return num_parse(p, 0, INT64_MAX, &range->total) &&
	       range->to < range->total;
}

void
http_head_validator(const struct http_head *h, struct http_validator *v)
{
	char *text = v->text, date[64];
	struct http_range range;
	int64_t then, now;

	(void)http_head_content_length(h, &v->total);
	if (http_head_content_range(h, &range))
		v->total = range.total;
	if (http_head_value(h, "etag", text, sizeof(v->text)) && text[0] == '"')
		return;
	if (!http_head_value(h, "last-modified", text, sizeof(v->text)) ||
	    !http_date_parse(text, &then) ||
	    !http_head_value(h, "date", date, sizeof(date)) ||
	    !http_date_parse(date, &now) || then >= now)
		text[0] = '\0';
}

const char *
http_head_difference(const struct http_head *h, const struct http_validator *v)
{
	const char *name = http_validator_field(v);
	char text[HTTP_VALIDATOR_SIZE];
	struct http_range range;

	if (http_validator_is_usable(v) &&
	    http_head_value(h, name, text, sizeof(text)) &&
	    strcmp(text, v->text) != 0)
		return text_format("it has another %s", name);
	if (http_head_content_range(h, &range) && range.total >= 0 &&
	    v->total >= 0 && range.total != v->total)
		return range.total < v->total ? "it is shorter now"
					      : "it is longer now";
	return NULL;
}

bool
http_head_confirms(const struct http_head *h, const struct http_validator *v)
{
	return http_head_difference(h, v) == NULL &&
	       (v->text[0] != '"' || http_head_find(h, "etag", 0) != NULL);
}

/* The length of what precedes the authority of a URL that begins at p: "//",
 * or a scheme and any slashes; 0 if none begins there. */
static size_t
url_prefix_length(const char *p, size_t n)
{
	size_t i = n < 2 || memcmp(p, "//", 2) != 0 ? 0 : 2;

	if (n >= 5 && strncasecmp(p, "http:", 5) == 0)
		i = 5;
	else if (n >= 6 && strncasecmp(p, "https:", 6) == 0)
		i = 6;
	while (i > 0 && i < n && (p[i] == '/' || p[i] == '\\'))
		i++;
	return i;
}

/*
 * Finds the next secret between at and end in the value of the field name: a
 * password, or what a URL has before its last "@". Of the fields listed, the
 * first three are secret as a whole, and the others are URLs. These and any
 * other field may contain URLs, which only quotes and angle brackets end:
 * malformed credentials have blanks and slashes.
 */
static const char *
find_secret(
    const char *name, size_t n, const char *at, const char *end, size_t *length)
{
	static const char *const fields[] = {"authorization",
	    "proxy-authorization", "cookie", "location", "content-location"};
	const char *sign, *p;
	size_t i;

	for (i = 0; i < 5 && !http_head_token_is(name, n, fields[i]); i++)
		continue;
	*length = (size_t)(end - at);
	if (i < 3)
		return at;
	p = i < 5 ? text_credentials(at, *length, true, length) : NULL;
	if (p != NULL)
		return p;
	for (; at < end; at++) {
		p = at + url_prefix_length(at, (size_t)(end - at));
		if (p == at)
			continue;
		sign = NULL;
		for (at = p; at < end && strchr("\"<>", *at) == NULL; at++)
			if (*at == '@')
				sign = at;
		if (sign == NULL)
			continue;
		*length = (size_t)(sign - p);
		return p;
	}
	return NULL;
}

size_t
http_head_conceal(char *dst, const char *text, size_t n)
{
	const char *p = text, *end = text + n, *stop, *next, *name, *at, *found;
	char *out = dst;
	size_t length;

	for (; (stop = http_head_line_end(p, end, &next)) != NULL; p = next) {
		name = p;
		n = http_head_token_length(p, stop);
		at = p + n;
		if (at == stop || *at++ != ':')
			at = stop; /* It is not a field. */
		else if (at < stop && *at == ' ')
			at++;
		for (; at < stop; at = p + 1) {
			found = find_secret(name, n, at, stop, &length);
			if (found == NULL)
				break;
			memcpy(out, p, (size_t)(found - p));
			out = stpcpy(out + (found - p), "...");
			p = found + length;
		}
		memcpy(out, p, (size_t)(next - p));
		out += next - p;
	}
	return (size_t)(out - dst);
}
