/*
 * What is read from the head of a response: validators, ranges, lengths, lists.
 * It must not depend on how the head arrives.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "http/http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum http_head_state
parse(struct http_head *h, const uint8_t *data, size_t size, size_t piece)
{
	enum http_head_state state = HTTP_HEAD_MORE;
	struct buf in;
	struct err e = ERR_INIT;
	size_t n;

	http_head_start(h, false);
	for (; size > 0 && state == HTTP_HEAD_MORE; size -= n, data += n) {
		n = size < piece ? size : piece;
		in = (struct buf){(unsigned char *)data, n, 0, n};
		state = http_head_parse(h, &in, &e);
	}
	if (state == HTTP_HEAD_BAD && (e.kind != ERR_PROTOCOL || !e.text[0]))
		abort();
	return state;
}

static void
check_fields(const struct http_head *h)
{
	struct http_head_list list = {.head = h, .name = "Connection"};
	struct http_validator v;
	struct http_range r;
	int64_t length;

	while (http_head_list_next(&list))
		(void)http_head_token_is(list.element, list.length, "close");
	if (http_head_content_length(h, &length) != NULL && length != -1)
		abort();
	if (http_head_content_range(h, &r) && r.from > r.to && r.from >= 0)
		abort();
	http_head_validator(h, &v);
	if (memchr(v.text, '\0', sizeof(v.text)) == NULL)
		abort();
	if (http_validator_is_usable(&v) && http_head_difference(h, &v) != NULL)
		abort();
	(void)http_head_confirms(h, &v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_head h, again;
	enum http_head_state state = parse(&h, data, size, size + 1);

	if (parse(&again, data, size, 1) != state)
		abort();
	if (state == HTTP_HEAD_DONE) {
		if (h.length != again.length || h.count != again.count ||
		    memcmp(h.text, again.text, h.length) != 0)
			abort();
		check_fields(&h);
	}
	return 0;
}
