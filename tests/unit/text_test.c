/* Text made safe to show: escapes, UTF-8, pieces, small buffers. */
#include "base/text.h"
#include "lib/tap.h"

/* A string with its length, so that it may hold NUL. */
#define BYTES(s) (s), sizeof(s) - 1

static void
escapes(const void *bytes, size_t n, const char *want)
{
	char buf[256];

	is_text(text_escape(buf, sizeof(buf), bytes, n), want, want);
}

/* No byte, alone or with a neighbour, brings a control byte to the output. */
static void
test_every_pair(void)
{
	unsigned char in[2], *p;
	char buf[64];
	int a, b, bad = 0;

	for (a = 0; a < 256; a++)
		for (b = 0; b < 256; b++) {
			in[0] = (unsigned char)a;
			in[1] = (unsigned char)b;
			text_escape(buf, sizeof(buf), in, 2);
			for (p = (unsigned char *)buf; *p != '\0'; p++)
				bad += *p < 0x20 || *p == 0x7f ||
				       (*p == 0xc2 && p[1] < 0xa0);
		}
	is_int(bad, 0, "no pair of bytes reaches a terminal as a control");
}

/* What is seen has to be what is there. */
static void
test_hidden(void)
{
	size_t used;
	char buf[64];

	escapes(BYTES("a\xe2\x80\xae"
		      "fdp.exe"),
	    "a\\xe2\\x80\\xaefdp.exe");
	escapes(BYTES("\xe2\x81\xa6\xe2\x81\xa9"),
	    "\\xe2\\x81\\xa6\\xe2\\x81\\xa9");
	escapes(BYTES("\xd8\x9c\xc2\xad\xef\xbb\xbf"),
	    "\\xd8\\x9c\\xc2\\xad\\xef\\xbb\\xbf");
	escapes(BYTES("\xf3\xa0\x81\xa5"), "\\xf3\\xa0\\x81\\xa5");
	escapes(BYTES("\xe2\x80\xa7\xe2\x80\xaf\xc2\xac\xf0\x9f\x98\x80"),
	    "\xe2\x80\xa7\xe2\x80\xaf\xc2\xac\xf0\x9f\x98\x80");
	buf[text_escape_stream(buf, "\xe2\x80\xae", 3, true, &used)] = '\0';
	is_text(buf, "\\xe2\\x80\\xae", "in a stream too");
	ok(text_is_hidden(0) && !text_is_hidden(' ') && text_is_hidden(0x7f) &&
		!text_is_hidden(0xa0) && text_is_hidden(0xe0fff) &&
		!text_is_hidden(0xe1000),
	    "the ends of the table");
}

/* Cut at every length: fits, ends in a NUL, and "..." tells of the cut. */
static void
test_every_size(void)
{
	static const char in[] = "a\nb\xc3\xa4\x1b[0m\xff"
				 "c";
	char whole[64], buf[64];
	size_t size, bad = 0;

	text_escape(whole, sizeof(whole), in, sizeof(in) - 1);
	for (size = 8; size < sizeof(buf); size++) {
		memset(buf, '#', sizeof(buf));
		text_escape(buf, size, in, sizeof(in) - 1);
		bad += memchr(buf, '\0', size) == NULL;
		bad += buf[size] != '#';
		if (strlen(whole) < size)
			bad += strcmp(buf, whole) != 0;
		else
			bad += strcmp(buf + strlen(buf) - 3, "...") != 0;
	}
	is_int((long long)bad, 0, "every size is kept to");
}

/* The stream's text when it comes in pieces that end at these two places. */
static size_t
in_pieces(const char *in, size_t n, size_t cut1, size_t cut2, char *out)
{
	size_t ends[] = {cut1, cut2, n}, from = 0, used, len = 0;
	int i;

	for (i = 0; i < 3; i++) {
		len += text_escape_stream(
		    out + len, in + from, ends[i] - from, i == 2, &used);
		from += used;
	}
	return from == n ? len : 0;
}

static void
test_stream(void)
{
	static const char in[] =
	    "one\r\ntwo\rthree\n\xe2\x82\xac\xf0\x9f\x98\x80"
	    "\xc2\x9b\x1b\xe2\x82\xff\xf0z\xc3\\\t\r\n\r";
	static const char want[] =
	    "one\r\ntwo\\rthree\n\xe2\x82\xac\xf0\x9f\x98\x80"
	    "\\xc2\\x9b\\x1b\\xe2\\x82\\xff\\xf0z\\xc3\\\t\r\n\\r";
	size_t n = sizeof(in) - 1, i, j, bad = 0;
	char out[512];

	for (i = 0; i <= n; i++)
		for (j = i; j <= n; j++) {
			size_t len = in_pieces(in, n, i, j, out);

			bad += len != sizeof(want) - 1 ||
			       memcmp(out, want, len) != 0;
		}
	is_int((long long)bad, 0, "a stream is the same however it is cut");
}

static void
test_utf8(void)
{
	static const char *const bad[] = {"\x80", "\xc0\x80", "\xc1\xbf",
	    "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
	    "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82",
	    "\xe2(\xa1", "\xfe", "\xff"};
	uint32_t point = 0;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_int((long long)text_utf8((const unsigned char *)bad[i],
			   strlen(bad[i]), &point),
		    0, "malformed UTF-8");
	ok(text_utf8((const unsigned char *)"\xf4\x8f\xbf\xbf", 4, &point) ==
		    4 &&
		point == 0x10ffff,
	    "the last code point");
	is_int((long long)text_utf8((const unsigned char *)"a", 0, &point), 0,
	    "nothing");
}

static void
test_append(void)
{
	char buf[10] = "";

	ok(text_append(buf, sizeof(buf), "%s-%d", "ab", 12), "it fits");
	is_text(buf, "ab-12", "appended to nothing");
	ok(text_append(buf, sizeof(buf), "%s", "6789"), "to the last byte");
	is_text(buf, "ab-126789", "appended to something");
	ok(text_append(buf, sizeof(buf), "%s", ""), "nothing still fits");
	ok(!text_append(buf, sizeof(buf), "%s", "x"), "one more does not");
	buf[7] = '\0';
	ok(!text_append(buf, sizeof(buf), "%s", "yyyy"), "what is cut");
	is_text(buf, "ab-1267yy", "is there as far as it fits");
	memset(buf, 'x', sizeof(buf));
	ok(!text_append(buf, sizeof(buf), "%s", "x"), "no string, no space");
	ok(!text_append(buf, 0, "%s", "x"), "no buffer at all");
}

int
main(void)
{
	escapes(
	    BYTES("plain, with 'quotes' and ~"), "plain, with 'quotes' and ~");
	escapes(BYTES("\n\r\t\\"), "\\n\\r\\t\\\\");
	escapes(BYTES("\0"), "\\x00");
	escapes(BYTES("\x1b[31mred\x07"), "\\x1b[31mred\\x07");
	escapes(BYTES("\x7f"), "\\x7f");
	escapes(BYTES("\xc2\x9b"
		      "2J"),
	    "\\xc2\\x9b2J");
	escapes(BYTES("\xc3\xa4\xe2\x82\xac"), "\xc3\xa4\xe2\x82\xac");
	escapes(BYTES("\x9b\xff"), "\\x9b\\xff");
	escapes(BYTES("\xe2\x82"), "\\xe2\\x82");
	escapes(BYTES(""), "");
	test_utf8();
	test_every_pair();
	test_every_size();
	test_stream();
	test_append();
	test_hidden();
	return done_testing();
}
