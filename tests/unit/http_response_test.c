/*
 * Every response is fed in one piece, byte by byte, and cut at each offset:
 * the events must be the same.
 */
#include "http/http_response.h"

#include "base/buf.h"
#include "base/err.h"
#include "lib/tap.h"

#define LOG_SIZE (256 * 1024)

static struct http_response parser;
static char transcript[LOG_SIZE];
static size_t transcript_length;

static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void
note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	transcript_length += (size_t)vsnprintf(transcript + transcript_length,
	    sizeof(transcript) - transcript_length, fmt, ap);
	va_end(ap);
}

static void
note_head(const char *what)
{
	const struct http_head *h = &parser.head;
	size_t i;

	note("%s %d [%.*s]", what, h->status, (int)h->reason_length,
	    h->text + h->reason);
	for (i = 0; i < h->count; i++)
		note(" %.*s=[%.*s]", (int)h->fields[i].name_length,
		    h->text + h->fields[i].name, (int)h->fields[i].value_length,
		    h->text + h->fields[i].value);
	note("\n");
}

/* Parses one piece. False when it is over: *left bytes were not parsed. */
static bool
feed(const char *bytes, size_t n, bool has_heads, size_t *left, struct err *e)
{
	static unsigned char copy[256 * 1024];
	struct buf in = {copy, n, 0, n};
	enum http_event event;

	memcpy(copy, bytes, n);
	for (;;) {
		event = http_response_parse(&parser, &in, e);
		note(
		    "%.*s", (int)parser.data_length, (const char *)parser.data);
		switch (event) {
		case HTTP_GOT_INTERIM:
		case HTTP_GOT_HEAD:
			if (has_heads)
				note_head(event == HTTP_GOT_HEAD ? "head"
								 : "interim");
			break;
		case HTTP_GOT_ERROR:
			return false;
		case HTTP_GOT_END:
		case HTTP_WANTS_MORE:
			*left = buf_length(&in);
			return event == HTTP_WANTS_MORE;
		}
	}
}

/*
 * The whole response in pieces: of step bytes, or cut once. The transcript is
 * the heads, if has_heads, the body, and after a bar the error, or what is left
 * and whether the connection stays.
 */
static void
play(const char *bytes, size_t n, size_t step, size_t cut,
    enum http_method method, bool has_heads)
{
	struct err e = ERR_INIT;
	bool goes_on = true;
	size_t at = 0, piece, left = 0;

	transcript_length = 0;
	http_response_start(&parser, method);
	while (goes_on && at < n) {
		piece = cut > at ? cut - at : step;
		if (piece > n - at)
			piece = n - at;
		goes_on = feed(bytes + at, piece, has_heads, &left, &e);
		at += piece;
	}
	if (e.kind != ERR_NONE || http_response_finish(&parser, &e) < 0)
		note("|error: %s", e.text);
	else
		note("|%zu left, %s", goes_on ? 0 : n - at + left,
		    http_response_keeps_alive(&parser) ? "stays" : "closes");
}

/* Without want, all that must be the same in any pieces is that it fails. */
static bool
is_wanted(const char *want)
{
	return want != NULL ? strcmp(transcript, want) == 0
			    : strncmp(transcript, "|error: ", 8) == 0;
}

static void
check_bytes(const char *name, enum http_method method, const char *bytes,
    size_t n, bool has_heads, const char *want)
{
	size_t i;
	bool good;

	play(bytes, n, n, 0, method, has_heads);
	if (want != NULL && !is_text(transcript, want, name))
		return;
	good = is_wanted(want);
	for (i = 0; good && i < n; i++) {
		play(bytes, n, i == 0 ? 1 : n, i, method, has_heads);
		good = is_wanted(want);
	}
	if (!ok(good, "%s: the same in any pieces", name))
		printf("# cut at %zu: %s\n", i, transcript);
}

struct row {
	const char *name, *bytes, *want;
};

/* Responses that begin with these bytes unless they have a line of their own.
 */
static void
check_rows(const char *begin, const struct row *rows, size_t count)
{
	static char bytes[1024];
	size_t i;

	for (i = 0; i < count; i++) {
		bool is_alone = strncmp(rows[i].bytes, "HTTP/", 5) == 0;

		snprintf(bytes, sizeof(bytes), "%s%s", is_alone ? "" : begin,
		    rows[i].bytes);
		check_bytes(rows[i].name, HTTP_GET, bytes, strlen(bytes), false,
		    rows[i].want);
	}
}
#define ROWS(rows) rows, sizeof(rows) / sizeof((rows)[0])

#define OK_LINE "HTTP/1.1 200 OK\r\n"

static void
check_framing(void)
{
	static const struct row rows[] = {
	    {"length", "Content-Length: 5\r\n\r\nhello", "hello|0 left, stays"},
	    {"length 0", "Content-Length: 0\r\n\r\n", "|0 left, stays"},
	    {"bytes behind the end", "Content-Length: 2\r\n\r\nhello",
		"he|3 left, stays"},
	    {"until close", "\r\nhello", "hello|0 left, closes"},
	    {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello",
		"hello|0 left, closes"},
	    {"HTTP/1.0 that closes",
		"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx",
		"x|0 left, closes"},
	    {"HTTP/1.0 that stays",
		"HTTP/1.0 200 OK\r\ncontent-length: 1\r\nConnection: foo, "
		"Keep-Alive\r\n\r\nx",
		"x|0 left, stays"},
	    {"a server that closes",
		"Content-Length: 1\r\nConnection: close\r\n\r\nx",
		"x|0 left, closes"},
	    {"204 has no body", "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n",
		"|0 left, stays"},
	    {"304 has no body",
		"HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n",
		"|0 left, stays"},
	    {"equal lengths",
		"Content-Length: 1, 1\r\nContent-Length: 01\r\n\r\nx",
		"x|0 left, stays"},
	    {"lengths that differ",
		"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		"|error: there are several Content-Lengths that differ"},
	    {"lengths that differ in one field",
		"Content-Length: 5, 6\r\n\r\nhello",
		"|error: there are several Content-Lengths that differ"},
	    {"a lone CR", "A: b\rc\r\n\r\n",
		"|error: a lone CR in the head: 'A: ...'"},
	    {"truncated", "Content-Length: 10\r\n\r\nhello",
		"hello|error: truncated: the connection ended after 5 of 10 "
		"bytes"},
	    {"the end in the head", "A: b\r\n",
		"|error: truncated: the connection ended in the head, after 23 "
		"bytes of it"},
	    {"101", "HTTP/1.1 101 Switch\r\n\r\n",
		"|error: status 101: the server switches to a protocol that "
		"nobody asked for"},
	};

	check_rows(OK_LINE, ROWS(rows));
	check_bytes("nothing at all", HTTP_GET, "", 0, false,
	    "|error: the server closed the connection without a response (it "
	    "failed, or it serves another protocol on that port)");
	check_bytes("HEAD has no body", HTTP_HEAD,
	    OK_LINE "Content-Length: 5\r\n\r\n", 38, false, "|0 left, stays");
	check_bytes("CONNECT has no body", HTTP_CONNECT,
	    OK_LINE "Content-Length: 5\r\n\r\nabc", 41, false,
	    "|3 left, stays");
	check_bytes("CONNECT that was declined", HTTP_CONNECT,
	    "HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\nabc", 41, false,
	    "abc|0 left, stays");
}

#define BAD_BEGIN "where its size should begin"
#define BAD_END "where its size line should end in CRLF"

static const struct row chunk_rows[] = {
    {"chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
	"hello world|0 left, stays"},
    {"no data", "0\r\n\r\n", "|0 left, stays"},
    {"hexadecimal in both cases",
	"A\r\n0123456789\r\nb\r\n0123456789a\r\n00\r\n\r\n",
	"01234567890123456789a|0 left, stays"},
    {"extensions are ignored", "1;a\r\nx\r\n1 ;b=\"c;d\"\r\ny\r\n0;e\r\n\r\n",
	"xy|0 left, stays"},
    {"trailer", "1\r\nx\r\n0\r\nA: b\r\nContent-Length: 9\r\n\r\nleft",
	"x|4 left, stays"},
    {"trailer with bare LF", "1\r\nx\r\n0\r\nA: b\n\nleft", "x|4 left, stays"},
    {"malformed trailer", "1\r\nx\r\n0\r\nA\r\n\r\n",
	"x|error: the trailer after the chunks: malformed field: 'A'"},
    {"no last chunk", "5\r\nhello\r\n",
	"hello|error: truncated: the connection ended after 5 bytes, before "
	"the last chunk"},
    {"within a chunk", "5\r\nhel",
	"hel|error: truncated: the connection ended after 3 bytes, in a chunk "
	"that lacks another 2 bytes"},
    {"before the CRLF of a chunk", "3\r\nhel",
	"hel|error: truncated: the connection ended after 3 bytes, before "
	"the last chunk"},
    {"within a size line", "1\r\nx\r\n1",
	"x|error: truncated: the connection ended after 1 byte, in the size "
	"line of a chunk"},
    {"within the trailer", "1\r\nx\r\n0\r\nA: b\r\n",
	"x|error: truncated: the connection ended after 1 byte, in the "
	"trailer after the last chunk"},
    {"no size", "\r\nx", "|error: malformed chunk: '\\r' " BAD_BEGIN},
    {"sign", "+1\r\nx", "|error: malformed chunk: '+' " BAD_BEGIN},
    {"negative", "-1\r\nx", "|error: malformed chunk: '-' " BAD_BEGIN},
    {"blank before", " 1\r\nx", "|error: malformed chunk: ' ' " BAD_BEGIN},
    {"no digit", "g\r\nx", "|error: malformed chunk: 'g' " BAD_BEGIN},
    {"blank behind", "1 \r\nx",
	"|error: malformed chunk: ' ' "
	"in its size"},
    {"0x", "0x1\r\nx",
	"|error: malformed chunk: 'x' "
	"in its size"},
    {"bare LF", "1\nx", "|error: malformed chunk: '\\n' " BAD_END},
    {"bare LF in an extension", "1;a\nx",
	"|error: malformed chunk: '\\n' " BAD_END},
    {"bare CR in an extension", "1 ;a\rb\r\nx",
	"|error: malformed chunk: '\\r' " BAD_END},
    {"bare CR", "1\rx\n", "|error: malformed chunk: '\\r' " BAD_END},
    {"data too long", "1\r\nxy\r\n",
	"x|error: malformed chunk: no CRLF after its data"},
    {"largest size", "7fffffffffffffff\r\nx",
	"x|error: truncated: the connection ended after 1 byte, in a chunk "
	"that lacks another 9223372036854775806 bytes"},
    {"too large a size", "8000000000000000\r\nx",
	"|error: malformed chunk: its size is too large"},
    {"far too large a size", "10000000000000000\r\nx",
	"|error: malformed chunk: its size is too large"},
};

/* The same of several values of a field. */
static void
check_values(const char *name, const char *begin, const char *const *values,
    size_t count, const char *end, const char *want)
{
	char bytes[256];
	const struct row row = {name, bytes, want};
	size_t i;

	for (i = 0; i < count; i++) {
		snprintf(bytes, sizeof(bytes), "%s%s%s", begin, values[i], end);
		check_rows(OK_LINE, &row, 1);
	}
}

static void
check_codings(void)
{
	/* The value, and what is named. */
	static const char *const refused[][2] = {{"gzip", "gzip"},
	    {"gzip,\tchunked", "gzip"}, {"chunked, gzip", "gzip"},
	    {"xchunked", "xchunked"}, {"chunked;q=1", "chunked;q=1"},
	    {"\x0b"
	     "chunked",
		"\\x0bchunked"}};
	static const char *const chunked[] = {"chunked,", ", chunked ,",
	    ",,CHUNKED,,", "chunked, identity", "identity,chunked"};
	static const char *const bad_lengths[] = {
	    "+5", "-5", "5x", "0x5", "", "5,", "5 5"};
	static const char *const large_lengths[] = {"9223372036854775808",
	    "99999999999999999999999", "5, 9223372036854775808"};
	static const struct row rows[] = {
	    {"Transfer-Encoding beats Content-Length",
		"Content-Length: 3\r\nTransfer-Encoding: Chunked\r\n\r\n"
		"1\r\nx\r\n0\r\n\r\n",
		"x|0 left, closes"},
	    {"chunked under HTTP/1.0",
		"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"|0 left, closes"},
	    {"chunked twice",
		"Transfer-Encoding: chunked\r\n"
		"transfer-encoding: chunked\r\n\r\n",
		"|error: malformed Transfer-Encoding: chunked twice"},
	    {"identity alone leaves the length",
		"Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\nxy",
		"x|1 left, stays"},
	};
	char bytes[256], want[256];
	const struct row row = {"a coding that was not asked for", bytes, want};
	size_t i;

	check_rows(OK_LINE, ROWS(rows));
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		snprintf(bytes, sizeof(bytes),
		    "Transfer-Encoding: %s\r\nContent-Length: 1\r\n\r\nx",
		    refused[i][0]);
		snprintf(want, sizeof(want),
		    "|error: the body comes in the transfer coding '%s', which "
		    "was not asked for",
		    refused[i][1]);
		check_rows(OK_LINE, &row, 1);
	}
	check_values("empty elements and identity",
	    "Transfer-Encoding: ", ROWS(chunked), "\r\n\r\n1\r\nx\r\n0\r\n\r\n",
	    "x|0 left, stays");
	check_values("bad length", "Content-Length: ", ROWS(bad_lengths),
	    "\r\n\r\nhello", "|error: the Content-Length is malformed");
	check_values("large length", "Content-Length: ", ROWS(large_lengths),
	    "\r\n\r\nhello", "|error: the Content-Length is too large");
}

static void
check_heads(void)
{
	static const struct row rows[] = {
	    {"no reason", "HTTP/1.1 200 \r\n\r\n",
		"head 200 []\n|0 left, closes"},
	    {"no blank before it", "HTTP/1.1 200\r\n\r\n",
		"head 200 []\n|0 left, closes"},
	    {"bare LF", OK_LINE "A: b\nContent-Length: 1\n\nx",
		"head 200 [OK] A=[b] Content-Length=[1]\nx|0 left, stays"},
	    {"blanks around a value", "HTTP/1.1 204 OK\r\nA: \t b c \t\r\n\r\n",
		"head 204 [OK] A=[b c]\n|0 left, stays"},
	    {"an empty value", "HTTP/1.1 204 OK\r\nA:\r\nB: \r\n\r\n",
		"head 204 [OK] A=[] B=[]\n|0 left, stays"},
	    {"folded lines",
		"HTTP/1.1 204 OK\r\nA: b \r\n \t c\r\n  \r\n\td\r\nE:\r\n f\r\n"
		"G: h\r\n\r\n",
		"head 204 [OK] A=[b c d] E=[f] G=[h]\n|0 left, stays"},
	    {"interim responses",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: "
		"x\r\n\r\nHTTP/1.1 204 OK\r\n\r\n",
		"interim 100 [Continue]\ninterim 103 [Hints] Link=[x]\n"
		"head 204 [OK]\n|0 left, stays"},
	    {"status 999", "HTTP/1.1 999 Odd\r\n\r\n",
		"head 999 [Odd]\n|0 left, closes"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_bytes(rows[i].name, HTTP_GET, rows[i].bytes,
		    strlen(rows[i].bytes), true, rows[i].want);
}

/* All of these are refused; what is said about them is not compared. */
static void
check_bad_heads(void)
{
	static const char *const bad[] = {"hello\r\n\r\n", "\r\n\r\n",
	    "HTTP/1.1\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
	    "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
	    "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n",
	    "HTTP/1.1 -20 OK\r\n\r\n", "HTTP/1.x 200 OK\r\n\r\n",
	    "HTTP/1. 200 OK\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1\r\n\r\n",
	    "HTTP/1:1 200 OK\r\n\r\n", "HTTP/1.1:200 OK\r\n\r\n", "HTT\r\n\r\n",
	    "HTTP/2.0 200 OK\r\n\r\n", "http/1.1 200 OK\r\n\r\n",
	    "ICY 200 OK\r\n\r\n", " HTTP/1.1 200 OK\r\n\r\n",
	    "<html>no head</html>", "HTTP/1.1 200 OK\r\nA\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
	    "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
	    "HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "HTTP/1.1 200 O\rK\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nA\xc3\xa4: b\r\n",
	    "HTTP/1.1 200 OK\r\nA: b\r\r\n\r\n"};
	static const char nul[] = "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n";
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_bytes(
		    bad[i], HTTP_GET, bad[i], strlen(bad[i]), false, NULL);
	check_bytes("NUL", HTTP_GET, nul, sizeof(nul) - 1, false,
	    "|error: a NUL in the head: 'A: ...'");
}

/* HEAD, then count times text, then its end. */
static char *
repeat(const char *begin, const char *text, size_t count, const char *end)
{
	size_t i, n = strlen(text);
	char *s = malloc(strlen(begin) + n * count + strlen(end) + 1), *p = s;

	p += sprintf(p, "%s", begin);
	for (i = 0; i < count; i++, p += n)
		memcpy(p, text, n);
	strcpy(p, end);
	return s;
}

static void
check_one_bound(const char *name, const char *begin, const char *text,
    size_t most, const char *end)
{
	char *good = repeat(begin, text, most, end);
	char *bad = repeat(begin, text, most + 1, end);

	play(good, strlen(good), strlen(good), 0, HTTP_GET, false);
	ok(strstr(transcript, "|error") == NULL, "%s: as many as allowed",
	    name);
	play(bad, strlen(bad), 100, 0, HTTP_GET, false);
	ok(strstr(transcript, "|error") != NULL, "%s: one more", name);
	free(good);
	free(bad);
}

static void
check_bounds(void)
{
	check_one_bound("fields", "HTTP/1.1 204 OK\r\n", "A: b\r\n",
	    HTTP_HEAD_FIELDS, "\r\n");
	check_one_bound("interim responses", "", "HTTP/1.1 100 C\r\n\r\n",
	    HTTP_MAX_INTERIM, "HTTP/1.1 204 OK\r\n\r\n");
	check_one_bound("bytes of the head", "HTTP/1.1 204 OK\r\nA: ", "x",
	    HTTP_HEAD_SIZE - 24, "\r\n\r\n");
	check_one_bound("bytes of a chunk's line",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0;", "x",
	    HTTP_CHUNK_LINE - 3, "\r\n\r\n");
	check_one_bound("trailer fields",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
	    "A: b\r\n", HTTP_HEAD_FIELDS, "\r\n");
}

static void
check_ranges(void)
{
	static const struct {
		const char *value;
		bool good;
		int64_t from, to, total;
	} rows[] = {{"bytes 0-9/10", true, 0, 9, 10},
	    {"bytes 5-9/*", true, 5, 9, -1}, {"Bytes */7", true, -1, -1, 7},
	    {"bytes */*", false, 0, 0, 0}, {"bytes 5-4/10", false, 0, 0, 0},
	    {"bytes 0-10/10", false, 0, 0, 0}, {"items 0-1/2", false, 0, 0, 0},
	    {"bytes 0-/10", false, 0, 0, 0}, {"bytes -5/10", false, 0, 0, 0},
	    {"bytes 0-1", false, 0, 0, 0}, {"bytes +0-1/2", false, 0, 0, 0},
	    {"bytes 0/10", false, 0, 0, 0}, {"bytes x/10", false, 0, 0, 0},
	    {"bytes 0-1/x", false, 0, 0, 0}, {"bytes */", false, 0, 0, 0},
	    {"bytes /10", false, 0, 0, 0}, {"bytes 0-x/10", false, 0, 0, 0},
	    {"bytes 9-9/10", true, 9, 9, 10}, {"bytes *", false, 0, 0, 0},
	    {"bytes 0000000000000000000000000000000000000000-1/2", false, 0, 0,
		0}};
	struct http_range r;
	char bytes[128];
	size_t i;
	bool good;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(bytes, sizeof(bytes),
		    "HTTP/1.1 206 Part\r\nContent-Range: %s\r\n\r\n",
		    rows[i].value);
		play(bytes, strlen(bytes), 100, 0, HTTP_HEAD, false);
		good = http_head_content_range(&parser.head, &r);
		ok(good == rows[i].good &&
			(!good ||
			    (r.from == rows[i].from && r.to == rows[i].to &&
				r.total == rows[i].total)),
		    "Content-Range: %s", rows[i].value);
		parser.head.status = i % 2 == 0 ? 200 : 416;
		ok(http_head_content_range(&parser.head, &r) ==
			(rows[i].good && i % 2 != 0),
		    "a 200 has none, a 416 has");
	}
}

/* Nothing of a response is left when the next one on the connection starts. */
static void
test_start(void)
{
	memset(&parser, 0xff, sizeof(parser));
	http_response_start(&parser, HTTP_GET);
	is_int((long long)parser.received, 0, "nothing was received");
	ok(!parser.is_interim && parser.interims == 0, "nor any response");
	is_int(parser.head.status, 0, "nor a status");
	ok(!http_response_is_complete(&parser), "it is not complete");
}

int
main(void)
{
	static const char nul[] =
	    OK_LINE "Transfer-Encoding: chunked\r\n\r\n1;a\0\r\nx";

	test_start();
	check_framing();
	check_rows(
	    OK_LINE "Transfer-Encoding: chunked\r\n\r\n", ROWS(chunk_rows));
	check_bytes("NUL in an extension", HTTP_GET, nul, sizeof(nul) - 1,
	    false, "|error: malformed chunk: '\\x00' in its extension");
	check_codings();
	check_heads();
	check_bad_heads();
	check_bounds();
	check_ranges();
	return done_testing();
}
