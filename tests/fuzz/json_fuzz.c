/*
 * Events: whatever members are put together, in whatever order and of
 * whatever length, the line is one JSON object within its buffer. The input is
 * a letter for each member: t (two bytes of length, one of filling), n, s, b,
 * { and [ and their end }.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "lib/json_line.h"

#define MAX_TEXT (JSON_SIZE + 100)

/* What is left of the input. */
struct input {
	const uint8_t *at;
	size_t left;
};

static uint8_t
next(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static void
put_text(struct json *j, const char *name, struct input *in)
{
	size_t length = next(in);
	char *text;

	length = (length << 8 | next(in)) % MAX_TEXT;
	text = malloc(length + 1);
	if (text == NULL)
		abort();
	memset(text, next(in), length);
	json_bytes(j, name, text, length);
	free(text);
}

/* One member. Only what an array holds has no name. */
static void
put(struct json *j, struct input *in)
{
	const char *name = j->closers[j->depth - 1] == ']' ? NULL : "a name";

	switch (next(in)) {
	case 't':
		put_text(j, name, in);
		break;
	case 'n':
		json_number(j, name, UINT64_MAX - next(in));
		break;
	case 's':
		json_seconds(j, name, next(in) * 1e12);
		break;
	case 'b':
		json_bool(j, name, in->left % 2 == 0);
		break;
	case '{':
		json_object(j, name);
		break;
	case '[':
		json_array(j, name);
		break;
	default:
		json_close(j);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct json *j = malloc(sizeof(*j));

	if (j == NULL)
		abort();
	json_begin(j);
	while (in.left > 0) {
		put(j, &in);
		if (j->length >= sizeof(j->text))
			abort();
	}
	if (!is_line(json_end(j)) || strlen(j->text) != j->length)
		abort();
	free(j);
	return 0;
}
