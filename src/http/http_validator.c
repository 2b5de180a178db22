/* Strong validators (RFC 9110 section 8.8), which make resuming safe. */
#include "http/http_validator.h"

#include <string.h>

#include "http/http_date.h"
#include "http/http_head.h"

void
http_validator_parse(struct http_validator *v, const struct http_head *head)
{
	char *text = v->text, date[64];
	struct http_range range;
	int64_t then, now;

	(void)http_head_content_length(head, &v->total);
	if (http_head_content_range(head, &range))
		v->total = range.total;
	if (http_head_value(head, "etag", text, sizeof(v->text)) &&
	    text[0] == '"')
		return;
	if (!http_head_value(head, "last-modified", text, sizeof(v->text)) ||
	    !http_date_parse(text, &then) ||
	    !http_head_value(head, "date", date, sizeof(date)) ||
	    !http_date_parse(date, &now) || then >= now)
		text[0] = '\0';
}

bool
http_validator_agrees(
    const struct http_validator *v, const struct http_head *head)
{
	const char *name = v->text[0] == '"' ? "etag" : "last-modified";
	char text[HTTP_VALIDATOR_SIZE];
	struct http_range range;

	if (http_validator_is_usable(v) &&
	    http_head_value(head, name, text, sizeof(text)) &&
	    strcmp(text, v->text) != 0)
		return false;
	return !http_head_content_range(head, &range) || range.total < 0 ||
	       v->total < 0 || range.total == v->total;
}

bool
http_validator_confirms(
    const struct http_validator *v, const struct http_head *head)
{
	return http_validator_agrees(v, head) &&
	       (v->text[0] != '"' || http_head_find(head, "etag", 0) != NULL);
}
