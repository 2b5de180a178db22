/* Writes one JSON object into a fixed buffer; the result is always valid. */
#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/text.h"

/* The last member of a truncated object. */
#define MARK "\"truncated\":true"

/*
 * The capacity for members. After it there is always space for the closing
 * brackets, which may exceed it, the mark, a newline and a NUL.
 */
#define CAPACITY (JSON_SIZE - JSON_DEPTH - sizeof("," MARK "}\n"))

static bool
put(struct json *j, const char *bytes, size_t n)
{
	if (!bounds_fit(CAPACITY, j->length, n)) {
		j->truncated = true;
		return false;
	}
	memcpy(j->text + j->length, bytes, n);
	j->length += n;
	return true;
}

/*
 * Writes one character of a string, escaped for JSON; sets *len to the input
 * consumed.
 */
static bool
put_escaped(struct json *j, const unsigned char *p, size_t n, size_t *len)
{
	uint32_t point = 0;
	char out[8];

	*len = text_utf8(p, n, &point);
	if (*len == 0) {
		/* Not UTF-8: write the byte as the code point of that value. */
		*len = 1;
		point = p[0];
	} else if (point > 0xffff ||
		   (!text_is_hidden(point) && point != '"' && point != '\\')) {
		return put(j, (const char *)p, *len);
	}
	if (point == '"' || point == '\\')
		snprintf(out, sizeof(out), "\\%c", (char)point);
	else if (point == '\n')
		strcpy(out, "\\n");
	else if (point == '\r')
		strcpy(out, "\\r");
	else if (point == '\t')
		strcpy(out, "\\t");
	else
		snprintf(out, sizeof(out), "\\u%04x", (unsigned)point & 0xffff);
	return put(j, out, strlen(out));
}

static bool
put_string(struct json *j, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	size_t len;

	if (!put(j, "\"", 1))
		return false;
	for (; n > 0; p += len, n -= len)
		if (!put_escaped(j, p, n, &len))
			return false;
	return put(j, "\"", 1);
}

/* Writes the comma and the name before a value. */
static bool
put_name(struct json *j, const char *name)
{
	if (j->skipped > 0)
		return false;
	if (j->comma && !put(j, ",", 1))
		return false;
	if (name == NULL)
		return true;
	return put_string(j, name, strlen(name)) && put(j, ":", 1);
}

/* Adds a complete member, or nothing. */
static bool
member(struct json *j, const char *name, const char *value, size_t n)
{
	size_t before = j->length;
	bool fits = put_name(j, name) && put(j, value, n);

	if (fits)
		j->comma = true;
	else
		j->length = before;
	j->text[j->length] = '\0';
	return fits;
}

void
json_begin(struct json *j)
{
	/*
	 * Do not clear the text: touching all of it costs more than the object.
	 */
	j->text[0] = '{';
	j->text[1] = '\0';
	j->length = 1;
	j->closers[0] = '}';
	j->depth = 1;
	j->skipped = 0;
	j->comma = false;
	j->truncated = false;
}

void
json_ignore(struct json *j)
{
	j->skipped = 1;
}

bool
json_is_ignored(const struct json *j)
{
	return j->skipped > 0;
}

void
json_bytes(struct json *j, const char *name, const void *bytes, size_t n)
{
	size_t before = j->length;

	if (j->skipped > 0)
		return;
	if (put_name(j, name) && put_string(j, bytes, n))
		j->comma = true;
	else
		j->length = before;
	j->text[j->length] = '\0';
}

void
json_text(struct json *j, const char *name, const char *text)
{
	json_bytes(j, name, text, strlen(text));
}

void
json_number(struct json *j, const char *name, uint64_t n)
{
	char value[32];

	if (j->skipped > 0)
		return;
	snprintf(value, sizeof(value), "%" PRIu64, n);
	member(j, name, value, strlen(value));
}

void
json_seconds(struct json *j, const char *name, double seconds)
{
	char value[64];

	if (j->skipped > 0)
		return;
	snprintf(value, sizeof(value), "%.6f", seconds);
	member(j, name, value, strlen(value));
}

void
json_bool(struct json *j, const char *name, bool value)
{
	member(j, name, value ? "true" : "false", value ? 4 : 5);
}

static void
json_open(struct json *j, const char *name, char opener, char closer)
{
	if (j->skipped > 0 || j->depth == JSON_DEPTH ||
	    !member(j, name, &opener, 1)) {
		j->skipped++;
		j->truncated = true;
		return;
	}
	j->closers[j->depth++] = closer;
	j->comma = false;
}

void
json_object(struct json *j, const char *name)
{
	json_open(j, name, '{', '}');
}

void
json_array(struct json *j, const char *name)
{
	json_open(j, name, '[', ']');
}

void
json_close(struct json *j)
{
	if (j->skipped > 0) {
		j->skipped--;
		return;
	}
	/* json_end() closes the outermost one. */
	if (j->depth == 1)
		return;
	j->text[j->length++] = j->closers[--j->depth];
	j->text[j->length] = '\0';
	j->comma = true;
}

const char *
json_end(struct json *j)
{
	while (j->skipped > 0 || j->depth > 1)
		json_close(j);
	if (j->truncated) {
		if (j->comma)
			j->text[j->length++] = ',';
		memcpy(j->text + j->length, MARK, sizeof(MARK) - 1);
		j->length += sizeof(MARK) - 1;
	}
	j->text[j->length++] = '}';
	j->text[j->length++] = '\n';
	j->text[j->length] = '\0';
	return j->text;
}
