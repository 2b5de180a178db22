/* Parses HTTP/1 responses: head, framing, body, chunked coding, trailer. */
#include "http/http_response.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/text.h"

void
http_response_start(struct http_response *r, enum http_method method)
{
	r->state = HTTP_IN_HEAD;
	r->method = method;
	r->interims = 0;
	r->is_interim = false;
	r->received = 0;
	http_head_start(&r->head, false);
}

/*
 * Counts "chunked" in the Transfer-Encoding fields. Empty elements are ignored
 * (RFC 9110 section 5.6.1.2), and so is "identity", which older servers send
 * when there is no coding. Returns 0, or -1 with *e for any other coding, which
 * sockt did not request and cannot decode.
 */
static int
count_chunked(const struct http_head *h, int *count, struct err *e)
{
	struct http_head_list l = {.head = h, .name = "transfer-encoding"};

	*count = 0;
	while (http_head_list_next(&l)) {
		if (http_head_token_is(l.element, l.length, "chunked"))
			++*count;
		else if (l.length > 0 &&
			 !http_head_token_is(l.element, l.length, "identity"))
			return err_set(e, ERR_PROTOCOL,
			    "the body comes in the transfer coding '%s', "
			    "which was not asked for",
			    text_shown_bytes(l.element, l.length));
	}
	if (*count > 1)
		return err_set(e, ERR_PROTOCOL,
		    "malformed Transfer-Encoding: chunked twice");
	return 0;
}

/* Determines how the body ends (RFC 9112 section 6.3). 0, or -1 with *e. */
static int
start_body(struct http_response *r, struct err *e)
{
	int status = r->head.status, chunked;
	const char *wrong;

	r->length = -1;
	r->left = INT64_MAX;
	r->received = 0;
	r->is_suspect = false;
	r->framing = HTTP_FRAME_NONE;
	r->state = HTTP_AT_END;
	if (r->method == HTTP_HEAD || status < 200 || status == 204 ||
	    status == 304 || (r->method == HTTP_CONNECT && status < 300))
		return 0;
	if (count_chunked(&r->head, &chunked, e) < 0)
		return -1;
	wrong = http_head_content_length(&r->head, &r->length);
	if (chunked > 0) {
		/* Chunked overrides Content-Length. HTTP/1.0 has no chunks, so
		 * a proxy on the path may misread them. */
		r->is_suspect =
		    r->head.minor == 0 || wrong != NULL || r->length >= 0;
		r->framing = HTTP_FRAME_CHUNKED;
		r->state = HTTP_IN_CHUNK_SIZE;
		r->length = -1;
		r->line_length = 0;
		return 0;
	}
	if (wrong != NULL)
		return err_set(e, ERR_PROTOCOL, "%s", wrong);
	r->framing = HTTP_FRAME_CLOSE;
	if (r->length >= 0) {
		r->framing = HTTP_FRAME_LENGTH;
		r->left = r->length;
	}
	if (r->left > 0)
		r->state = HTTP_IN_DATA;
	return 0;
}

static enum http_event
parse_head(struct http_response *r, struct buf *in, struct err *e)
{
	enum http_head_state state;
	int status;

	if (r->is_interim) {
		r->is_interim = false;
		http_head_start(&r->head, false);
	}
	state = http_head_parse(&r->head, in, e);
	if (state != HTTP_HEAD_DONE)
		return state == HTTP_HEAD_MORE ? HTTP_WANTS_MORE
					       : HTTP_GOT_ERROR;
	status = r->head.status;
	if (status >= 200)
		return start_body(r, e) < 0 ? HTTP_GOT_ERROR : HTTP_GOT_HEAD;
	r->is_interim = true;
	if (status != 101 && ++r->interims <= HTTP_MAX_INTERIM)
		return HTTP_GOT_INTERIM;
	if (status == 101)
		return err_set(e, ERR_PROTOCOL,
		    "status 101: the server switches to a protocol that "
		    "nobody asked for");
	return err_set(e, ERR_PROTOCOL, "more than %d interim (1xx) responses",
	    HTTP_MAX_INTERIM);
}

/*
 * Parses n more bytes of the line before a chunk, perhaps its last (RFC 9112
 * section 7.1). Without a digit first, it is rejected at once. 0, or -1.
 */
static int
parse_size(struct http_response *r, const void *bytes, size_t n, struct err *e)
{
	const char *p = r->line, *where = "in its size";
	int digit;

	if (!buf_fits(sizeof(r->line), r->line_length, n))
		return err_set(e, ERR_PROTOCOL,
		    "malformed chunk: its size line is too long");
	memcpy(r->line + r->line_length, bytes, n);
	n = r->line_length += n;
	if (text_hex_digit(*p) >= 0 && p[n - 1] != '\n')
		return 0;
	for (r->left = 0; (digit = text_hex_digit(*p)) >= 0; p++) {
		if (r->left > (INT64_MAX - digit) / 16)
			return err_set(e, ERR_PROTOCOL,
			    "malformed chunk: its size is too large");
		r->left = r->left * 16 + digit;
	}
	if (p == r->line)
		return err_set(e, ERR_PROTOCOL,
		    "malformed chunk: '%s' where its size should begin",
		    text_shown_bytes(p, 1));
	/* An extension, which blanks may precede, is ignored. */
	if (p[strspn(p, " \t")] == ';') {
		p += strcspn(p, "\r\n");
		where = "in its extension";
	}
	if (*p == '\r' || *p == '\n')
		where = "where its size line should end in CRLF";
	if (*p != '\r' || p != r->line + n - 2)
		return err_set(e, ERR_PROTOCOL, "malformed chunk: '%s' %s",
		    text_shown_bytes(p, 1), where);
	r->state = r->left > 0 ? HTTP_IN_DATA : HTTP_IN_TRAILER;
	r->line_length = 0;
	http_head_start(&r->trailer, true);
	return 0;
}

int64_t
http_response_plain(const struct http_response *r)
{
	return r->state == HTTP_IN_DATA ? r->left : 0;
}

void
http_response_skip(struct http_response *r, size_t n)
{
	r->received += n;
	if (r->framing == HTTP_FRAME_CLOSE)
		return;
	r->left -= (int64_t)n;
	if (r->left == 0)
		r->state = r->framing == HTTP_FRAME_CHUNKED ? HTTP_IN_CHUNK_CR
							    : HTTP_AT_END;
}

/* Parses the body, and moves its data to the front. */
static enum http_event
parse_body(struct http_response *r, struct buf *in, struct err *e)
{
	unsigned char *at = in->data + in->head, *front = at;
	const unsigned char *end = at + buf_length(in), *lf;
	enum http_event event = HTTP_WANTS_MORE;
	enum http_head_state state;
	struct buf rest;
	bool is_cr;
	size_t n;

	r->data = at;
	while (event == HTTP_WANTS_MORE && at < end) {
		n = (size_t)(end - at);
		if (r->state == HTTP_IN_DATA) {
			if ((uint64_t)r->left < n)
				n = (size_t)r->left;
			if (front != at)
				memmove(front, at, n);
			front += n;
			at += n;
			http_response_skip(r, n);
		} else if (r->state == HTTP_IN_CHUNK_SIZE) {
			lf = memchr(at, '\n', n);
			n = lf == NULL ? n : (size_t)(lf - at) + 1;
			event = parse_size(r, at, n, e);
			at += n;
		} else if (r->state != HTTP_IN_TRAILER) {
			is_cr = r->state == HTTP_IN_CHUNK_CR;
			r->state =
			    is_cr ? HTTP_IN_CHUNK_LF : HTTP_IN_CHUNK_SIZE;
			if (*at++ != (is_cr ? '\r' : '\n'))
				event = err_set(e, ERR_PROTOCOL,
				    "malformed chunk: no CRLF after its data");
		} else {
			rest = (struct buf){at, n, 0, n};
			state = http_head_parse(&r->trailer, &rest, e);
			at += n - buf_length(&rest);
			if (state == HTTP_HEAD_DONE)
				r->state = HTTP_AT_END;
			if (state == HTTP_HEAD_BAD)
				event = err_prefix(
				    e, "the trailer after the chunks");
		}
		if (r->state == HTTP_AT_END)
			event = HTTP_GOT_END;
	}
	buf_eat(in, (size_t)(at - r->data));
	r->data_length = (size_t)(front - r->data);
	return event;
}

enum http_event
http_response_parse(struct http_response *r, struct buf *in, struct err *e)
{
	enum http_event event = HTTP_GOT_ERROR;

	r->data_length = 0;
	if (r->state == HTTP_AT_END)
		return HTTP_GOT_END;
	if (r->state == HTTP_IN_HEAD)
		event = parse_head(r, in, e);
	else if (r->state != HTTP_BROKEN)
		event = parse_body(r, in, e);
	if (event == HTTP_GOT_ERROR)
		r->state = HTTP_BROKEN;
	return event;
}

int
http_response_finish(struct http_response *r, struct err *e)
{
	const char *where = "before the last chunk";

	if (r->state == HTTP_BROKEN)
		return -1;
	if (r->state == HTTP_IN_HEAD && r->interims == 0 && r->head.length == 0)
		return err_cause(e, ERR_AT_TCP, CAUSE_NO_RESPONSE);
	if (r->state == HTTP_IN_HEAD)
		return err_set(e, ERR_PROTOCOL,
		    "truncated: the connection ended in the head, after %s of "
		    "it",
		    num_count_text(r->head.length, "byte"));
	if (r->framing == HTTP_FRAME_CLOSE)
		r->state = HTTP_AT_END;
	if (r->state == HTTP_AT_END)
		return 0;
	if (r->framing == HTTP_FRAME_LENGTH)
		return err_set(e, ERR_PROTOCOL,
		    "truncated: the connection ended after %llu of %s",
		    (unsigned long long)r->received,
		    num_count_text((uint64_t)r->length, "byte"));
	if (r->state == HTTP_IN_DATA)
		where = text_format("in a chunk that lacks another %s",
		    num_count_text((uint64_t)r->left, "byte"));
	else if (r->state == HTTP_IN_TRAILER)
		where = "in the trailer after the last chunk";
	else if (r->state == HTTP_IN_CHUNK_SIZE && r->line_length > 0)
		where = "in the size line of a chunk";
	return err_set(e, ERR_PROTOCOL,
	    "truncated: the connection ended after %s, %s",
	    num_count_text(r->received, "byte"), where);
}

/* Whether a comma-separated list field of that name contains the token. */
static bool
has_token(const struct http_head *h, const char *name, const char *token)
{
	struct http_head_list l = {.head = h, .name = name};

	while (http_head_list_next(&l))
		if (http_head_token_is(l.element, l.length, token))
			return true;
	return false;
}

bool
http_response_keeps_alive(const struct http_response *r)
{
	if (r->state != HTTP_AT_END || r->is_suspect ||
	    r->framing == HTTP_FRAME_CLOSE ||
	    has_token(&r->head, "connection", "close"))
		return false;
	return r->head.minor >= 1 ||
	       has_token(&r->head, "connection", "keep-alive");
}
