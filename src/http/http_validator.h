/*
 * The strong validators of RFC 9110 section 8.8: they identify a version of a
 * file on a server, so that a download can be resumed.
 */
#ifndef HTTP_HTTP_VALIDATOR_H
#define HTTP_HTTP_VALIDATOR_H

#include <stdbool.h>
#include <stdint.h>

struct http_head;

#define HTTP_VALIDATOR_SIZE 512

struct http_validator {
	char text[HTTP_VALIDATOR_SIZE]; /* entity tag with its quotes, or a
					   date; "": none */
	int64_t total;                  /* size of the file; -1: unknown */
};

static inline void
http_validator_clear(struct http_validator *v)
{
	v->text[0] = '\0';
	v->total = -1;
}

/*
 * Reads the validator from the head of a full (200) or partial (206) response:
 * a strong ETag, otherwise a Last-Modified that is at least one second older
 * than the response (section 8.8.2.2).
 */
void http_validator_parse(
    struct http_validator *v, const struct http_head *head);

/* Whether v can be sent in If-Range. */
static inline bool
http_validator_is_usable(const struct http_validator *v)
{
	return v->text[0] != '\0';
}

/*
 * Returns false if the head of a response shows another version than v. A
 * missing field shows nothing.
 */
bool http_validator_agrees(
    const struct http_validator *v, const struct http_head *head);

/*
 * Whether the head of a 206 confirms the version v of If-Range: it must repeat
 * an entity tag, but need not repeat a date (RFC 9110 section 15.3.7).
 */
bool http_validator_confirms(
    const struct http_validator *v, const struct http_head *head);

#endif
