/*
 * HTTP responses. The first byte says which method is answered and how the
 * rest is cut; however it is cut, the events must be the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "http/http_response.h"

static struct http_response parser;

/* What a run came to; bytes of body are summed up by FNV-1a. */
struct outcome {
	int interims, heads, ends, errors, status, finish;
	uint64_t body, hash;
	size_t left;
	bool keeps_alive;
};

/* What a command does with a head. */
static void
use_head(const struct http_head *h)
{
	char value[64];
	struct http_validator v;
	struct http_range range;
	size_t i;

	for (i = 0; i < h->count; i++)
		if (h->fields[i].value + h->fields[i].value_length >
			h->length ||
		    h->fields[i].name_length == 0)
			abort();
	if (http_head_content_range(h, &range) && range.from > range.to)
		abort();
	http_head_value(h, "location", value, sizeof(value));
	http_head_validator(h, &v);
	if (http_head_confirms(h, &v) && http_head_difference(h, &v) != NULL)
		abort();
}

static void
note_body(struct outcome *o, const uint8_t *p, size_t n)
{
	o->body += n;
	for (; n > 0; n--, p++)
		o->hash = (o->hash ^ *p) * UINT64_C(1099511628211);
}

/* Parses one piece, which is changed; false when it is over. */
static bool
feed(struct outcome *o, uint8_t *p, size_t n, struct err *e)
{
	struct buf in = {p, n, 0, n};
	enum http_event event;

	for (;;) {
		event = http_response_parse(&parser, &in, e);
		if (buf_length(&in) > n ||
		    (parser.data_length > 0 &&
			(parser.data < p || parser.data + parser.data_length >
						p + n - buf_length(&in))))
			abort();
		if (parser.data_length > 0)
			note_body(o, parser.data, parser.data_length);
		switch (event) {
		case HTTP_WANTS_MORE:
			if (buf_length(&in) > 0)
				abort();
			return true;
		case HTTP_GOT_INTERIM:
			o->interims++;
			use_head(&parser.head);
			break;
		case HTTP_GOT_HEAD:
			o->heads++;
			o->status = parser.head.status;
			use_head(&parser.head);
			break;
		case HTTP_GOT_END:
			o->ends++;
			o->left = buf_length(&in);
			return false;
		case HTTP_GOT_ERROR:
			o->errors++;
			return false;
		}
	}
}

static void
run(struct outcome *o, const uint8_t *data, size_t size, size_t step,
    enum http_method method)
{
	struct err e = ERR_INIT;
	bool goes_on = true;
	uint8_t *copy = malloc(size + 1), *at = copy;
	size_t piece;

	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	memset(o, 0, sizeof(*o));
	http_response_start(&parser, method);
	while (goes_on && size > 0) {
		piece = size < step ? size : step;
		goes_on = feed(o, at, piece, &e);
		at += piece;
		size -= piece;
	}
	free(copy);
	o->left += size;
	/* How much is left behind an error is of no use to anybody. */
	if (o->errors > 0)
		o->left = 0;
	if (o->ends == 0 && http_response_is_complete(&parser))
		o->ends++;
	o->finish = http_response_finish(&parser, &e);
	o->keeps_alive = http_response_keeps_alive(&parser);
}

static bool
is_same(const struct outcome *a, const struct outcome *b)
{
	return a->interims == b->interims && a->heads == b->heads &&
	       a->ends == b->ends && a->errors == b->errors &&
	       a->status == b->status && a->finish == b->finish &&
	       a->body == b->body && a->hash == b->hash && a->left == b->left &&
	       a->keeps_alive == b->keeps_alive;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;
	enum http_method method;
	size_t step;

	if (size == 0)
		return 0;
	method = (enum http_method)(data[0] % 3);
	step = data[0] / 3 % 16 + 1;
	run(&whole, data + 1, size - 1, size, method);
	run(&pieces, data + 1, size - 1, step, method);
	if (!is_same(&whole, &pieces))
		abort();
	return 0;
}
