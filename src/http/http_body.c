/* Decodes the body of an HTTP response (RFC 9112 sections 6.3 and 7.1). */
#include "http/http_body.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"

/*
 * Counts how often the Transfer-Encoding fields say "chunked". Empty elements
 * are ignored (RFC 9110 section 5.6.1.2), and so is "identity", which older
 * servers send to say that there is no coding. 0, or -1 with *e for a coding
 * that was not asked for: what it hides cannot be told from the body.
 */
static int
count_chunked(const struct http_head *h, int *count, struct err *e)
{
	struct http_list l = {.head = h, .name = "transfer-encoding"};
	char shown[64];

	*count = 0;
	while (http_list_next(&l)) {
		if (http_list_is(&l, "chunked"))
			++*count;
		else if (l.length > 0 && !http_list_is(&l, "identity"))
			return err_set(e, ERR_PROTOCOL,
			    "the body comes in the transfer coding '%s', "
			    "which was not asked for",
			    text_escape(
				shown, sizeof(shown), l.element, l.length));
	}
	if (*count > 1)
		return err_set(e, ERR_PROTOCOL,
		    "malformed Transfer-Encoding: chunked twice");
	return 0;
}

/* Transfer-Encoding overrides Content-Length. */
static void
start_chunked(struct http_body *b, const struct http_head *h)
{
	int64_t length;

	b->framing = HTTP_FRAME_CHUNKED;
	/* HTTP/1.0 knew no chunks: a proxy on the way may not either. */
	b->is_suspect =
	    h->minor == 0 || http_head_content_length(h, &length) != 0;
}

static int
start_length(struct http_body *b, const struct http_head *h, struct err *e)
{
	switch (http_head_content_length(h, &b->length)) {
	case 0:
		b->framing = HTTP_FRAME_CLOSE;
		b->left = INT64_MAX;
		return 0;
	case 1:
		b->framing = HTTP_FRAME_LENGTH;
		b->left = b->length;
		return 0;
	default:
		return err_set(e, ERR_PROTOCOL,
		    "the Content-Length is malformed, or there are several "
		    "that differ");
	}
}

int
http_body_start(struct http_body *b, const struct http_head *head,
    enum http_method method, struct http_head *trailer, struct err *e)
{
	int status = head->status, chunked;

	memset(b, 0, sizeof(*b));
	b->length = -1;
	b->trailer = trailer;
	if (method == HTTP_HEAD || status < 200 || status == 204 ||
	    status == 304 || (method == HTTP_CONNECT && status < 300)) {
		b->framing = HTTP_FRAME_NONE;
		return 0;
	}
	if (count_chunked(head, &chunked, e) < 0)
		return -1;
	if (chunked == 0)
		return start_length(b, head, e);
	start_chunked(b, head);
	return 0;
}

static enum http_body_state
bad_chunk(unsigned char c, const char *what, struct err *e)
{
	char shown[16];

	err_set(e, ERR_PROTOCOL, "malformed chunk: '%s' %s",
	    text_escape(shown, sizeof(shown), &c, 1), what);
	return HTTP_BODY_BAD;
}

/* A byte of the size itself. */
static enum http_body_state
take_digit(struct http_body *b, unsigned char c, struct err *e)
{
	int digit = text_hex_digit((char)c);

	if (digit >= 0) {
		if (b->left > (INT64_MAX - digit) / 16) {
			err_set(e, ERR_PROTOCOL,
			    "malformed chunk: its size is too large");
			return HTTP_BODY_BAD;
		}
		b->left = b->left * 16 + digit;
		b->has_digit = true;
		return HTTP_BODY_MORE;
	}
	if (!b->has_digit)
		return bad_chunk(c, "where a hexadecimal size should begin", e);
	if (c == '\r')
		b->state = HTTP_CHUNK_SIZE_LF;
	else if (c == ';')
		b->state = HTTP_CHUNK_EXTENSION;
	else if (c == ' ' || c == '\t')
		b->state = HTTP_CHUNK_BLANK;
	else
		return bad_chunk(c, "in its size", e);
	return HTTP_BODY_MORE;
}

/* The LF behind the size. */
static void
begin_data(struct http_body *b)
{
	if (b->left > 0) {
		b->state = HTTP_CHUNK_DATA;
		return;
	}
	b->state = HTTP_CHUNK_TRAILER;
	http_head_start_trailer(b->trailer);
}

static enum http_body_state
expect(struct http_body *b, unsigned char c, unsigned char wanted,
    enum http_chunk_state next, const char *where, struct err *e)
{
	if (c != wanted)
		return bad_chunk(c, where, e);
	b->state = next;
	return HTTP_BODY_MORE;
}

/* One byte between the pieces of payload. */
static enum http_body_state
take_frame(struct http_body *b, unsigned char c, struct err *e)
{
	enum http_body_state state = HTTP_BODY_MORE;

	switch (b->state) {
	case HTTP_CHUNK_SIZE:
		state = take_digit(b, c, e);
		break;
	case HTTP_CHUNK_BLANK:
		if (c == ';')
			b->state = HTTP_CHUNK_EXTENSION;
		else if (c != ' ' && c != '\t')
			return bad_chunk(c, "behind its size", e);
		break;
	case HTTP_CHUNK_EXTENSION:
		if (c == '\r')
			b->state = HTTP_CHUNK_SIZE_LF;
		else if (c == '\n' || c == '\0')
			return bad_chunk(c, "in its extension", e);
		break;
	case HTTP_CHUNK_SIZE_LF:
		if (c != '\n')
			return bad_chunk(c, "where its size line ends", e);
		begin_data(b);
		return HTTP_BODY_MORE;
	case HTTP_CHUNK_DATA_CR:
		return expect(b, c, '\r', HTTP_CHUNK_DATA_LF,
		    "behind its data, where CRLF should be", e);
	case HTTP_CHUNK_DATA_LF:
		b->line = 0;
		b->has_digit = false;
		return expect(b, c, '\n', HTTP_CHUNK_SIZE,
		    "behind its data, where CRLF should be", e);
	default:
		break;
	}
	if (state == HTTP_BODY_MORE && ++b->line > HTTP_CHUNK_LINE) {
		err_set(e, ERR_PROTOCOL,
		    "malformed chunk: its size line is too long");
		return HTTP_BODY_BAD;
	}
	return state;
}

static enum http_body_state
take_trailer(struct http_body *b, const unsigned char *bytes, size_t n,
    size_t *used, struct err *e)
{
	size_t took;
	enum http_head_state state =
	    http_head_take(b->trailer, bytes, n, &took, e);

	*used += took;
	if (state == HTTP_HEAD_MORE)
		return HTTP_BODY_MORE;
	if (state == HTTP_HEAD_BAD) {
		err_prefix(e, "the trailer behind the chunks");
		return HTTP_BODY_BAD;
	}
	b->state = HTTP_CHUNK_DONE;
	return HTTP_BODY_DONE;
}

int64_t
http_body_plain(const struct http_body *b)
{
	switch (b->framing) {
	case HTTP_FRAME_LENGTH:
	case HTTP_FRAME_CLOSE:
		return b->left;
	case HTTP_FRAME_CHUNKED:
		return b->state == HTTP_CHUNK_DATA ? b->left : 0;
	default:
		return 0;
	}
}

void
http_body_passed(struct http_body *b, size_t n)
{
	b->received += n;
	if (b->framing == HTTP_FRAME_CLOSE)
		return;
	b->left -= (int64_t)n;
	if (b->framing == HTTP_FRAME_CHUNKED && b->left == 0)
		b->state = HTTP_CHUNK_DATA_CR;
}

bool
http_body_is_done(const struct http_body *b)
{
	switch (b->framing) {
	case HTTP_FRAME_LENGTH:
		return b->left == 0;
	case HTTP_FRAME_CHUNKED:
		return b->state == HTTP_CHUNK_DONE;
	case HTTP_FRAME_CLOSE:
		return false;
	default:
		return true;
	}
}

enum http_body_state
http_body_take(struct http_body *b, const unsigned char *bytes, size_t n,
    size_t *used, size_t *length, struct err *e)
{
	enum http_body_state state = HTTP_BODY_MORE;
	int64_t plain;

	*used = 0;
	*length = 0;
	while (state == HTTP_BODY_MORE && !http_body_is_done(b) && *used < n) {
		plain = http_body_plain(b);
		if (plain > 0) {
			*length = n - *used;
			if ((uint64_t)plain < *length)
				*length = (size_t)plain;
			*used += *length;
			http_body_passed(b, *length);
			return HTTP_BODY_DATA;
		}
		if (b->state == HTTP_CHUNK_TRAILER)
			state =
			    take_trailer(b, bytes + *used, n - *used, used, e);
		else
			state = take_frame(b, bytes[(*used)++], e);
	}
	if (state == HTTP_BODY_MORE && http_body_is_done(b))
		state = HTTP_BODY_DONE;
	return state;
}

int
http_body_finish(struct http_body *b, struct err *e)
{
	unsigned long long received = b->received;

	if (http_body_is_done(b) || b->framing == HTTP_FRAME_CLOSE)
		return 0;
	if (b->framing == HTTP_FRAME_LENGTH)
		return err_set(e, ERR_PROTOCOL,
		    "truncated: the connection ended after %llu of %lld bytes",
		    received, (long long)b->length);
	if (b->state == HTTP_CHUNK_DATA)
		return err_set(e, ERR_PROTOCOL,
		    "truncated: the connection ended after %llu bytes, in a "
		    "chunk that lacks another %lld",
		    received, (long long)b->left);
	return err_set(e, ERR_PROTOCOL,
	    "truncated: the connection ended after %llu bytes, before the "
	    "last chunk",
	    received);
}

int
http_body_error(const struct http_body *b, struct err *e)
{
	unsigned long long received = b->received;

	if (e->kind != ERR_LOST && e->kind != ERR_TIMEOUT)
		return -1;
	if (b->length >= 0)
		return err_prefix(e, "after %llu of %lld bytes of the body",
		    received, (long long)b->length);
	return err_prefix(e, "after %llu bytes of the body", received);
}
