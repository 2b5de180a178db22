/* Incremental parser of HTTP/1 responses: bytes in, events out. */
#include "http/http_parser.h"

#include <string.h>

#include "base/err.h"

void
http_parser_start(struct http_parser *p, enum http_method method)
{
	p->state = HTTP_IN_HEAD;
	p->method = method;
	p->interims = 0;
	p->has_bytes = false;
	p->is_interim = false;
	http_head_start(&p->head);
}

static enum http_event
broken(struct http_parser *p)
{
	p->state = HTTP_BROKEN;
	return HTTP_GOT_ERROR;
}

/* A head is complete. */
static enum http_event
judge_head(struct http_parser *p, struct err *e)
{
	int status = p->head.status;

	if (status == 101) {
		err_set(e, ERR_PROTOCOL,
		    "status 101: the server switches to a protocol that "
		    "nobody asked for");
		return broken(p);
	}
	if (status < 200) {
		p->is_interim = true;
		if (++p->interims <= HTTP_INTERIM_MOST)
			return HTTP_GOT_INTERIM;
		err_set(e, ERR_PROTOCOL, "more than %d interim (1xx) responses",
		    HTTP_INTERIM_MOST);
		return broken(p);
	}
	if (http_body_start(&p->body, &p->head, p->method, &p->trailer, e) < 0)
		return broken(p);
	p->state = http_body_is_done(&p->body) ? HTTP_AT_END : HTTP_IN_BODY;
	return HTTP_GOT_HEAD;
}

static enum http_event
take_head(struct http_parser *p, const unsigned char *bytes, size_t n,
    size_t *used, struct err *e)
{
	if (p->is_interim) {
		p->is_interim = false;
		http_head_start(&p->head);
	}
	switch (http_head_take(&p->head, bytes, n, used, e)) {
	case HTTP_HEAD_MORE:
		return HTTP_WANTS_MORE;
	case HTTP_HEAD_DONE:
		return judge_head(p, e);
	default:
		return broken(p);
	}
}

static enum http_event
take_body(struct http_parser *p, const unsigned char *bytes, size_t n,
    size_t *used, size_t *length, struct err *e)
{
	switch (http_body_take(&p->body, bytes, n, used, length, e)) {
	case HTTP_BODY_MORE:
		return HTTP_WANTS_MORE;
	case HTTP_BODY_DATA:
		if (http_body_is_done(&p->body))
			p->state = HTTP_AT_END;
		return HTTP_GOT_DATA;
	case HTTP_BODY_DONE:
		p->state = HTTP_AT_END;
		return HTTP_GOT_END;
	default:
		return broken(p);
	}
}

enum http_event
http_parser_take(struct http_parser *p, const unsigned char *bytes, size_t n,
    size_t *used, size_t *length, struct err *e)
{
	*used = 0;
	*length = 0;
	if (n > 0)
		p->has_bytes = true;
	switch (p->state) {
	case HTTP_IN_HEAD:
		return take_head(p, bytes, n, used, e);
	case HTTP_IN_BODY:
		return take_body(p, bytes, n, used, length, e);
	case HTTP_AT_END:
		return HTTP_GOT_END;
	default:
		return HTTP_GOT_ERROR;
	}
}

int
http_parser_strip(struct http_parser *p, unsigned char *bytes, size_t n,
    size_t *used, size_t *length, struct err *e)
{
	enum http_event event = HTTP_WANTS_MORE;
	size_t took, piece, at = 0;

	*length = 0;
	while (at < n && event != HTTP_GOT_ERROR && !http_parser_is_done(p)) {
		event =
		    http_parser_take(p, bytes + at, n - at, &took, &piece, e);
		at += took;
		if (piece > 0 && *length != at - piece)
			memmove(bytes + *length, bytes + at - piece, piece);
		*length += piece;
	}
	*used = at;
	return event == HTTP_GOT_ERROR ? -1 : 0;
}

int64_t
http_parser_plain(const struct http_parser *p)
{
	return p->state == HTTP_IN_BODY ? http_body_plain(&p->body) : 0;
}

void
http_parser_passed(struct http_parser *p, size_t n)
{
	http_body_passed(&p->body, n);
	if (http_body_is_done(&p->body))
		p->state = HTTP_AT_END;
}

bool
http_parser_is_done(const struct http_parser *p)
{
	return p->state == HTTP_AT_END;
}

int
http_parser_finish(struct http_parser *p, struct err *e)
{
	switch (p->state) {
	case HTTP_IN_HEAD:
		if (!p->has_bytes)
			return err_set(e, ERR_PROTOCOL,
			    "the connection ended without a response");
		return err_set(e, ERR_PROTOCOL,
		    "truncated: the connection ended in the head, after %zu "
		    "bytes of it",
		    p->head.length);
	case HTTP_IN_BODY:
		if (http_body_finish(&p->body, e) < 0)
			return -1;
		p->state = HTTP_AT_END;
		return 0;
	case HTTP_AT_END:
		return 0;
	default:
		return -1;
	}
}

bool
http_parser_keeps_alive(const struct http_parser *p)
{
	if (p->state != HTTP_AT_END || p->body.is_suspect ||
	    p->body.framing == HTTP_FRAME_CLOSE ||
	    http_head_has_token(&p->head, "connection", "close"))
		return false;
	return p->head.minor >= 1 ||
	       http_head_has_token(&p->head, "connection", "keep-alive");
}
