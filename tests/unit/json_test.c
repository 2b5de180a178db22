/* JSON objects: members, strings, and valid lines when space runs out. */
#include "base/json.h"
#include "lib/json_line.h"
#include "lib/tap.h"

static void
test_members(void)
{
	struct json j;

	json_begin(&j);
	json_text(&j, "event", "x");
	json_number(&j, "n", UINT64_MAX);
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
	    "{\"event\":\"x\",\"n\":18446744073709551615,\"s\":0.250000,"
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
	json_begin(&j);
	json_text(&j, "s", "\xe2\x80\xae\xef\xbb\xbf");
	is_text(json_end(&j), "{\"s\":\"\\u202e\\ufeff\"}\n",
	    "what turns the direction is escaped");
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
	static const char big[JSON_SIZE];
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
	for (i = 0; i < JSON_DEPTH + 2; i++)
		json_close(&j);
	ok(is_line(json_end(&j)), "closing more than is open changes nothing");
	json_begin(&j);
	for (i = 0; i < 5000; i++)
		json_number(&j, "n", (unsigned)i);
	ok(is_line(json_end(&j)) && j.truncated, "too many members");
	json_begin(&j);
	json_bytes(&j, "big", big, sizeof(big));
	is_text(json_end(&j), "{\"truncated\":true}\n", "one that is too long");
}

int
main(void)
{
	test_members();
	test_strings();
	test_overflow();
	return done_testing();
}
