#include "base/json.h"
#include "lib/tap.h"

/* A strict reader of what json_end() returned: brackets, strings, commas. */
static const char *read_value(const char *p);

static const char *
read_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	for (; *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p == '\\' && strchr("\"\\nrtu", *++p) == NULL)
			return NULL;
	}
	return p + 1;
}

static const char *
read_members(const char *p, char closer)
{
	if (*p == closer)
		return p + 1;
	for (;;) {
		if (closer == '}') {
			p = read_string(p);
			if (p == NULL || *p++ != ':')
				return NULL;
		}
		p = read_value(p);
		if (p == NULL)
			return NULL;
		if (*p == closer)
			return p + 1;
		if (*p++ != ',')
			return NULL;
	}
}

static const char *
read_value(const char *p)
{
	size_t n;

	if (*p == '{')
		return read_members(p + 1, '}');
	if (*p == '[')
		return read_members(p + 1, ']');
	if (*p == '"')
		return read_string(p);
	n = strspn(p, "-.0123456789truefals");
	return n > 0 ? p + n : NULL;
}

static bool
is_line(const char *text)
{
	const char *end = text[0] == '{' ? read_value(text) : NULL;

	return end != NULL && strcmp(end, "\n") == 0;
}

static void
test_members(void)
{
	struct json j;

	json_begin(&j);
	json_text(&j, "event", "x");
	json_number(&j, "n", INT64_MIN);
	json_seconds(&j, "s", 0.25);
	json_bool(&j, "yes", true);
	json_object(&j, "o");
	json_close(&j);
	json_array(&j, "a");
	json_text(&j, NULL, "1");
	json_number(&j, NULL, 2);
	json_close(&j);
	json_bool(&j, "no", false);
	is_text(json_end(&j),
	    "{\"event\":\"x\",\"n\":-9223372036854775808,\"s\":0.250000,"
	    "\"yes\":true,\"o\":{},\"a\":[\"1\",2],\"no\":false}\n",
	    "members of every kind");
	json_begin(&j);
	is_text(json_end(&j), "{}\n", "none at all");
	json_begin(&j);
	json_array(&j, "a");
	json_object(&j, NULL);
	is_text(json_end(&j), "{\"a\":[{}]}\n", "what is open is closed");
}

static void
test_strings(void)
{
	struct json j;
	unsigned char in[2];
	int a, b, bad = 0;

	json_begin(&j);
	json_bytes(&j, "s", "\"\\/\n\r\t\b\0\x1f\x7f", 10);
	is_text(json_end(&j),
	    "{\"s\":\"\\\"\\\\/\\n\\r\\t\\u0008\\u0000\\u001f\\u007f\"}\n",
	    "what has to be escaped");
	json_begin(&j);
	json_bytes(&j, "s", "\xc3\xa4\xf0\x9f\x98\x80\xff\xc2\x9b", 9);
	is_text(json_end(&j),
	    "{\"s\":\"\xc3\xa4\xf0\x9f\x98\x80\\u00ff\\u009b\"}\n",
	    "UTF-8 stays, other bytes are their number");
	for (a = 0; a < 256; a++)
		for (b = 0; b < 256; b++) {
			in[0] = (unsigned char)a;
			in[1] = (unsigned char)b;
			json_begin(&j);
			json_bytes(&j, "s", in, 2);
			bad += !is_line(json_end(&j));
		}
	is_int(bad, 0, "every pair of bytes makes a valid line");
}

/* A string, of so many bytes, and members after it. */
static bool
survives(size_t size)
{
	static char big[JSON_SIZE + 100];
	struct json j;
	int i;

	memset(big, 'x', size);
	big[size] = '\0';
	json_begin(&j);
	json_text(&j, "big", big);
	json_number(&j, "after", 1);
	json_object(&j, "o");
	for (i = 0; i < 10; i++)
		json_text(&j, "in", "side");
	json_array(&j, "a");
	json_number(&j, NULL, 7);
	json_close(&j);
	json_close(&j);
	json_number(&j, "last", 2);
	return is_line(json_end(&j)) && j.length == strlen(j.text) &&
	       j.length < sizeof(j.text) &&
	       (size < JSON_SIZE / 2 ||
		   strstr(j.text, "\"truncated\":true") != NULL ||
		   !j.truncated);
}

static void
test_overflow(void)
{
	size_t size;
	int bad = 0;
	struct json j;
	int i;

	for (size = JSON_SIZE - 400; size < JSON_SIZE + 50; size++)
		bad += !survives(size);
	is_int(bad, 0, "a line that is full at any place stays valid");
	json_begin(&j);
	for (i = 0; i < 40; i++)
		json_object(&j, "deep");
	for (i = 0; i < 40; i++)
		json_close(&j);
	json_number(&j, "after", 1);
	ok(is_line(json_end(&j)) && j.truncated, "too deep is left out");
	ok(strstr(j.text, "\"after\":1") != NULL,
	    "and what comes behind it is there");
	json_begin(&j);
	for (i = 0; i < 5000; i++)
		json_number(&j, "n", i);
	ok(is_line(json_end(&j)) && j.truncated, "too many members");
}

int
main(void)
{
	test_members();
	test_strings();
	test_overflow();
	return done_testing();
}
