/*
 * Incremental parser for the head of an HTTP response, its status line and
 * fields (RFC 9112 sections 4 and 5), and helpers for the lines, tokens and
 * secrets of any head. Pure: no sockets, no allocation.
 */
#ifndef HTTP_HTTP_HEAD_H
#define HTTP_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* A head with more bytes or fields than this is rejected. */
#define HTTP_HEAD_SIZE (64 * 1024)
#define HTTP_HEAD_FIELDS 256

/* A field, as offsets into http_head.text. The value has no whitespace around
 * it. */
struct http_field {
	size_t name, name_length;
	size_t value, value_length;
};

/*
 * text contains the lines as received, except that a folded line is joined to
 * the previous one by a single space.
 */
struct http_head {
	char text[HTTP_HEAD_SIZE];
	size_t length;
	size_t line; /* The current line begins at this offset. */
	int minor;   /* The version is HTTP/1.minor. */
	int status;  /* 100 to 999; 0 before the status line is parsed. */
	size_t reason, reason_length;
	struct http_field fields[HTTP_HEAD_FIELDS];
	size_t count;
};

enum http_head_state {
	HTTP_HEAD_MORE,    /* More bytes are needed. */
	HTTP_HEAD_DONE,    /* The empty line was parsed. */
	HTTP_HEAD_BAD = -1 /* The head is malformed, and *e is the cause. */
};

/* is_trailer: the trailer of a chunked body, which has no status line. */
void http_head_start(struct http_head *h, bool is_trailer);

/*
 * Parses bytes up to the end of the head and removes them from in. A line may
 * end in CRLF or in LF alone.
 */
enum http_head_state http_head_parse(
    struct http_head *h, struct buf *in, struct err *e);

/* The first field of that name (in any case) from that index on, or NULL. */
const struct http_field *http_head_find(
    const struct http_head *h, const char *name, size_t from);

/* Copies the value of the first field of that name, as a string. Returns false
 * if there is none or it does not fit. */
bool http_head_value(
    const struct http_head *h, const char *name, char *buf, size_t size);

/*
 * Iterator over a comma-separated list, which may span several fields (RFC 9110
 * section 5.6.1). The caller sets head and name and zeroes the rest.
 */
struct http_head_list {
	const struct http_head *head;
	const char *name;
	size_t from;             /* The field to examine next. */
	const char *next, *stop; /* The rest of the current field, or NULL. */
	const char *element;     /* The current element; no NUL follows it. */
	size_t length;           /* The length of the element. */
};

/* Moves to the next element, which may be empty. False after the last. */
bool http_head_list_next(struct http_head_list *l);

/*
 * Sets *length to Content-Length, or -1 if there is none. Returns NULL; or,
 * with -1, what is wrong with it: it is malformed or too large, or several
 * differ (RFC 9112 section 6.3).
 */
const char *http_head_content_length(
    const struct http_head *h, int64_t *length);

/* A Content-Range (RFC 9110 section 14.4): the bytes from one to the other,
 * both included, of a file of total bytes. -1 is unknown. */
struct http_range {
	int64_t from, to;
	int64_t total;
};

/* False if there is no such field, it is malformed or not in bytes, or the
 * status is neither 206 nor 416, where it has no meaning. */
bool http_head_content_range(
    const struct http_head *h, struct http_range *range);

#define HTTP_VALIDATOR_SIZE 512

/* A strong validator (RFC 9110 section 8.8), which identifies a version of a
 * file on a server, so that a download can be resumed. */
struct http_validator {
	/* An entity tag with its quotes, or a date; "" if there is none. */
	char text[HTTP_VALIDATOR_SIZE];
	int64_t total; /* The size of the file, or -1 if it is unknown. */
};

static inline void
http_validator_clear(struct http_validator *v)
{
	v->text[0] = '\0';
	v->total = -1;
}

/* The field that a usable validator is the value of. */
static inline const char *
http_validator_field(const struct http_validator *v)
{
	return v->text[0] == '"' ? "ETag" : "Last-Modified";
}

/* Whether v can be sent in If-Range. */
static inline bool
http_validator_is_usable(const struct http_validator *v)
{
	return v->text[0] != '\0';
}

/*
 * Reads the validator from the head of a full (200) or partial (206) response:
 * a strong ETag, otherwise a Last-Modified that is at least one second older
 * than the response (section 8.8.2.2).
 */
void http_head_validator(const struct http_head *h, struct http_validator *v);

/* Returns how the head shows that the file is of another version, as in "it is
 * shorter now", or NULL; a missing field shows nothing. */
const char *http_head_difference(
    const struct http_head *h, const struct http_validator *v);

/*
 * Whether the head of a 206 confirms the version v of If-Range: it must repeat
 * an entity tag, but need not repeat a date (RFC 9110 section 15.3.7).
 */
bool http_head_confirms(
    const struct http_head *h, const struct http_validator *v);

/*
 * Returns the end of the line that starts at at, without its CRLF or LF (RFC
 * 9112 section 2.2), and sets *next to the start of the next line. Returns NULL
 * if there is no LF before end.
 */
const char *http_head_line_end(
    const char *at, const char *end, const char **next);

/* Returns the length of the token that starts at at (RFC 9110 5.6.2), or 0. */
size_t http_head_token_length(const char *at, const char *end);

/* Whether the n bytes at at equal token, in any case. */
bool http_head_token_is(const char *at, size_t n, const char *token);

/*
 * Copies n bytes, the lines of a head, to dst, of 2 * (n + 1) bytes, with "..."
 * in place of the secrets in its fields: credentials, cookies, and the
 * passwords of URLs. Returns the length; no NUL follows. A head that is printed
 * on stderr goes through this; as a result it is written as it was received.
 */
size_t http_head_conceal(char *dst, const char *text, size_t n);

#endif
