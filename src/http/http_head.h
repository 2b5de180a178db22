/*
 * The head of an HTTP response: its status line and its fields, line by line
 * (RFC 9112 sections 4 and 5). Pure: no sockets, no allocation.
 */
#ifndef HTTP_HTTP_HEAD_H
#define HTTP_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* A head with more bytes or fields than these is refused. */
#define HTTP_HEAD_SIZE (64 * 1024)
#define HTTP_HEAD_FIELDS 256

/* A field: places in http_head.text. */
struct http_field {
	size_t name, name_length;
	size_t value, value_length; /* without the blanks around it */
};

/*
 * text holds the lines as they came, but that a folded line is joined to the
 * one before it by a single blank.
 */
struct http_head {
	char text[HTTP_HEAD_SIZE];
	size_t length;
	size_t line; /* where the line that is being received begins */
	int minor;   /* HTTP/1.minor */
	int status;  /* 100 to 999; 0 before the status line */
	size_t reason, reason_length;
	struct http_field fields[HTTP_HEAD_FIELDS];
	size_t count;
};

enum http_head_state {
	HTTP_HEAD_MORE, /* the next byte is wanted */
	HTTP_HEAD_DONE, /* the empty line is there */
	HTTP_HEAD_BAD   /* malformed: *e is filled */
};

void http_head_start(struct http_head *h);

/* The same for the trailer behind a chunked body: fields, no status line. */
void http_head_start_trailer(struct http_head *h);

/*
 * Takes bytes up to the end of the head; *used says how many. A line may end
 * in CRLF or in LF alone.
 */
enum http_head_state http_head_take(struct http_head *h,
    const unsigned char *bytes, size_t n, size_t *used, struct err *e);

/*
 * The field of that name (without regard to case) at or behind *from, which
 * is moved behind it; begin with 0. NULL when there is no more.
 */
const struct http_field *http_head_find(
    const struct http_head *h, const char *name, size_t *from);

/*
 * The value of the first field of that name, as a string in buf. False when
 * there is none or it does not fit.
 */
bool http_head_value(
    const struct http_head *h, const char *name, char *buf, size_t size);

/*
 * Walks over the elements of a comma-separated list, which may be spread over
 * several fields (RFC 9110 section 5.6.1); zeroed but for head and name.
 */
struct http_list {
	const struct http_head *head;
	const char *name;
	size_t from;             /* next field to look at */
	const char *next, *stop; /* what is left of this one; NULL: none */
	const char *element;     /* the present element, not terminated */
	size_t length;
};

/* Goes to the next element, which may be empty; false behind the last. */
bool http_list_next(struct http_list *l);
bool http_list_is(const struct http_list *l, const char *token);

/* Whether a comma-separated list field of that name holds the token. */
bool http_head_has_token(
    const struct http_head *h, const char *name, const char *token);

/*
 * Content-Length: 1 and *length when there is one, or several that agree
 * (RFC 9112 section 6.3); 0 when there is none; -1 when it is malformed.
 */
int http_head_content_length(const struct http_head *h, int64_t *length);

/* What a Content-Range says (RFC 9110 section 14.4); -1: not said. */
struct http_range {
	int64_t from, to; /* both included */
	int64_t total;
};

/* False when there is no such field, or it is malformed or not in bytes. */
bool http_head_content_range(
    const struct http_head *h, struct http_range *range);

/* A character of a field's name (RFC 9110 section 5.6.2). */
bool http_is_token_char(char c);

#endif
