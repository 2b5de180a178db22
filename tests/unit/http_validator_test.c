/* Which validators are strong, and what shows another version of a file. */
#include "http/http_head.h"

#include "base/buf.h"
#include "base/err.h"
#include "lib/tap.h"

#define OLD "Last-Modified: Sun, 06 Nov 1994 08:49:36 GMT\r\n"
#define NEW "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define LENGTH "Content-Length: 10\r\n"
#define PART "Content-Length: 3\r\nContent-Range: bytes 0-2/10\r\n"

static const struct http_head *
head_of(const char *fields)
{
	static struct http_head head;
	char text[1024];
	struct buf in;
	struct err e = ERR_INIT;

	buf_init(&in, text, sizeof(text));
	buf_added(&in,
	    (size_t)snprintf(text, sizeof(text), "HTTP/1.1 %s\r\n%s\r\n",
		strstr(fields, "Content-Range") == NULL ? "200 OK" : "206 Part",
		fields));
	http_head_start(&head, false);
	if (http_head_parse(&head, &in, &e) != HTTP_HEAD_DONE)
		ok(false, "%s: %s", fields, e.text);
	return &head;
}

/* What a head says of the version of its file. */
static void
check_parse(const char *fields, const char *text, int64_t total)
{
	struct http_validator v;

	http_head_validator(head_of(fields), &v);
	is_text(v.text, text, "the validator");
	is_int(v.total, total, "the size of the file");
	ok(http_validator_is_usable(&v) == (*text != '\0'), "usable or not");
}

static void
test_parse(void)
{
	check_parse("", "", -1);
	check_parse("ETag: \"a\"\r\n", "\"a\"", -1);
	check_parse("ETag: \"a\"\r\n" OLD DATE, "\"a\"", -1);
	check_parse("ETag: W/\"a\"\r\n" LENGTH, "", 10);
	check_parse(
	    "ETag: W/\"a\"\r\n" OLD DATE, "Sun, 06 Nov 1994 08:49:36 GMT", -1);
	check_parse(OLD DATE LENGTH, "Sun, 06 Nov 1994 08:49:36 GMT", 10);
	check_parse(NEW DATE, "", -1);
	check_parse(OLD, "", -1);
	check_parse(OLD "Date: today\r\n", "", -1);
	check_parse("Last-Modified: once\r\n" DATE, "", -1);
	check_parse("ETag: \"a\"\r\n" PART, "\"a\"", 10);
	check_parse(
	    "Content-Length: 3\r\nContent-Range: bytes 0-2/*\r\n", "", -1);
}

/* How a later head differs from an earlier one, and whether it confirms it. */
static void
check(
    const char *before, const char *now, const char *difference, bool confirms)
{
	struct http_validator v;
	const char *found;

	http_head_validator(head_of(before), &v);
	found = http_head_difference(head_of(now), &v);
	is_text(found == NULL ? "" : found, difference, "the difference");
	ok(http_head_confirms(head_of(now), &v) == confirms, "%s confirmation",
	    confirms ? "a" : "no");
}

static void
test_agreement(void)
{
	check("ETag: \"a\"\r\n", "ETag: \"a\"\r\n", "", true);
	check(
	    "ETag: \"a\"\r\n", "ETag: \"b\"\r\n", "it has another ETag", false);
	check("ETag: \"a\"\r\n", "", "", false);
	check(OLD DATE, OLD, "", true);
	check(OLD DATE, NEW, "it has another Last-Modified", false);
	check(OLD DATE, "", "", true);
	check(OLD DATE, "ETag: \"b\"\r\n", "", true);
	check("", NEW "ETag: \"b\"\r\n", "", true);
	check(LENGTH, PART, "", true);
	check("Content-Length: 11\r\n", PART, "it is shorter now", false);
	check("Content-Length: 9\r\n", PART, "it is longer now", false);
	check("", PART, "", true);
	check(LENGTH, "Content-Range: bytes 0-2/*\r\n", "", true);
	check(LENGTH, "Content-Length: 11\r\n", "", true);
}

int
main(void)
{
	struct http_validator v;

	test_parse();
	test_agreement();
	http_validator_clear(&v);
	ok(!http_validator_is_usable(&v), "nothing is known at first");
	is_int(v.total, -1, "not even a size");
	return done_testing();
}
