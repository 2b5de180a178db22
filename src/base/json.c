/* Writes one JSON object into a fixed buffer; the result is always valid. */
#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

/* The last member of a truncated object. */
#define MARK "\"truncated\":true"

/* The capacity for members. After it is space for the closing brackets, which
 * may exceed it, the mark, a newline and a NUL. */
#define CAPACITY (JSON_SIZE - JSON_DEPTH - sizeof("," MARK "}\n"))

static bool
put(struct json *j, const char *bytes, size_t n)
{
	if (!buf_fits(CAPACITY, j->length, n)) {
		j->truncated = true;
		return false;
	}
	memcpy(j->text + j->length, bytes, n);
	j->length += n;
	return true;
}

/* Writes a string; what must be escaped or is not UTF-8, as its code point. */
static bool
put_string(struct json *j, const void *bytes, size_t n)
{
	static const char special[] = "\"\\\n\r\t", letters[] = "\"\\nrt";
	const unsigned char *p = bytes;
	const char *s;
	char out[8];
	uint32_t point;
	size_t len;
	bool fits = put(j, "\"", 1);

	for (; fits && n > 0; p += len, n -= len) {
		len = text_utf8(p, n, &point);
		if (len == 0)
			point = p[0];
		s = point == 0 || point > 0x7f ? NULL
					       : strchr(special, (int)point);
		if (s != NULL) {
			out[0] = '\\';
			out[1] = letters[s - special];
			fits = put(j, out, 2);
		} else if (len == 0 ||
			   (point <= 0xffff && text_is_hidden(point))) {
			snprintf(out, sizeof(out), "\\u%04x",
			    (unsigned)point & 0xffff);
			fits = put(j, out, 6);
		} else {
			fits = put(j, (const char *)p, len);
		}
		len += len == 0;
	}
	return fits && put(j, "\"", 1);
}

/* Adds a complete member, or nothing; is_text: as a string. */
static bool
member(
    struct json *j, const char *name, const void *value, size_t n, bool is_text)
{
	size_t before = j->length;
	bool fits;

	if (j->skipped > 0)
		return false;
	fits = (!j->comma || put(j, ",", 1)) &&
	       (name == NULL ||
		   (put_string(j, name, strlen(name)) && put(j, ":", 1))) &&
	       (is_text ? put_string(j, value, n) : put(j, value, n));
	if (fits)
		j->comma = true;
	else
		j->length = before;
	return fits;
}

void
json_begin(struct json *j)
{
	/* To clear the text would cost more than the object. */
	j->text[0] = '{';
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

void
json_bytes(struct json *j, const char *name, const void *bytes, size_t n)
{
	member(j, name, bytes, n, true);
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
	member(j, name, value, strlen(value), false);
}

void
json_seconds(struct json *j, const char *name, double seconds)
{
	char value[64];

	if (j->skipped > 0)
		return;
	snprintf(value, sizeof(value), "%.6f", seconds);
	member(j, name, value, strlen(value), false);
}

void
json_bool(struct json *j, const char *name, bool value)
{
	member(j, name, value ? "true" : "false", value ? 4 : 5, false);
}

static void
json_open(struct json *j, const char *name, char opener, char closer)
{
	if (j->skipped > 0 || j->depth == JSON_DEPTH ||
	    !member(j, name, &opener, 1, false)) {
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
	j->comma = true;
}

const char *
json_end(struct json *j)
{
	while (j->skipped > 0 || j->depth > 1)
		json_close(j);
	snprintf(j->text + j->length, sizeof(j->text) - j->length, "%s%s}\n",
	    j->truncated && j->comma ? "," : "", j->truncated ? MARK : "");
	j->length += strlen(j->text + j->length);
	return j->text;
}
