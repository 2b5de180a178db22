/*
 * The head of an HTTP response: its status line and its fields, line by line
 * (RFC 9112 sections 4 and 5); and the lines and tokens that every head is made
 * of. Pure: no sockets, no allocation.
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

/* Bytes that were received and not parsed yet. */
struct http_input {
	const unsigned char *bytes;
	size_t length;
};

/* The next n bytes were parsed. */
static inline void
http_input_skip(struct http_input *in, size_t n)
{
	in->bytes += n;
	in->length -= n;
}

/* A field: offsets in http_head.text. */
struct http_field {
	size_t name, name_length;
	size_t value, value_length; /* without the blanks around it */
};

/*
 * text holds the lines as received, except that a folded line is joined to the
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
	HTTP_HEAD_MORE, /* the next byte is needed */
	HTTP_HEAD_DONE, /* the empty line was parsed */
	HTTP_HEAD_BAD   /* malformed: *e is filled */
};

void http_head_start(struct http_head *h);

/* The same for the trailer after a chunked body: fields, no status line. */
void http_head_start_trailer(struct http_head *h);

/*
 * Parses bytes up to the end of the head and moves in past them. A line may end
 * in CRLF or in LF alone.
 */
enum http_head_state http_head_parse(
    struct http_head *h, struct http_input *in, struct err *e);

/*
 * The field of that name (case-insensitive) at or after *from, which moves past
 * it; begin with 0. NULL when there are no more.
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
struct http_head_list {
	const struct http_head *head;
	const char *name;
	size_t from;             /* next field to examine */
	const char *next, *stop; /* what is left of this one; NULL: none */
	const char *element;     /* the present element, not terminated */
	size_t length;
};

/* Moves to the next element, which may be empty; false after the last. */
bool http_head_list_next(struct http_head_list *l);
bool http_head_list_is(const struct http_head_list *l, const char *token);

/* Whether a comma-separated list field of that name holds the token. */
bool http_head_has_token(
    const struct http_head *h, const char *name, const char *token);

enum http_length { HTTP_LENGTH_NONE, HTTP_LENGTH_FOUND, HTTP_LENGTH_BAD };

/*
 * Content-Length: *length is set when there is one, or several that agree
 * (RFC 9112 section 6.3).
 */
enum http_length http_head_content_length(
    const struct http_head *h, int64_t *length);

/* A Content-Range (RFC 9110 section 14.4); -1: not given. */
struct http_range {
	int64_t from, to; /* both included */
	int64_t total;
};

/* False when there is no such field, or it is malformed or not in bytes. */
bool http_head_content_range(
    const struct http_head *h, struct http_range *range);

/*
 * The end of the line at at, without its CRLF or LF (RFC 9112 section 2.2);
 * *next is the beginning of the next one. NULL when there is no LF before end.
 */
const char *http_head_line_end(
    const char *at, const char *end, const char **next);

/* How many characters at at, before end, are a token (RFC 9110 5.6.2). */
size_t http_head_token_length(const char *at, const char *end);

#endif
