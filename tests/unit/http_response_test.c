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
feed(const char *bytes, size_t n, bool *in_body, size_t *left, struct err *e)
{
	static unsigned char copy[256 * 1024];
	struct buf in = {copy, n, 0, n};
	enum http_event event;

	memcpy(copy, bytes, n);
	for (;;) {
		event = http_response_parse(&parser, &in, e);
		if (parser.data_length > 0) {
			if (!*in_body)
				note("body ");
			*in_body = true;
			note("%.*s", (int)parser.data_length,
			    (const char *)parser.data);
		}
		switch (event) {
		case HTTP_GOT_INTERIM:
			note_head("interim");
			break;
		case HTTP_GOT_HEAD:
			note_head("head");
			break;
		case HTTP_GOT_END:
			*left = buf_length(&in);
			return false;
		case HTTP_GOT_ERROR:
			note("%serror\n", *in_body ? "\n" : "");
			return false;
		case HTTP_WANTS_MORE:
			*left = buf_length(&in);
			return true;
		}
	}
}

/* The whole response in pieces: of step bytes, or cut once. */
static void
play(const char *bytes, size_t n, size_t step, size_t cut,
    enum http_method method)
{
	struct err e = ERR_INIT;
	bool in_body = false, goes_on = true;
	size_t at = 0, piece, left = 0;

	transcript_length = 0;
	http_response_start(&parser, method);
	while (goes_on && at < n) {
		piece = cut > at ? cut - at : step;
		if (piece > n - at)
			piece = n - at;
		goes_on = feed(bytes + at, piece, &in_body, &left, &e);
		at += piece;
	}
	if (e.kind == ERR_NONE) {
		if (http_response_finish(&parser, &e) < 0)
			note("%serror\n", in_body ? "\n" : "");
		else
			note("%send, %zu left, %s\n", in_body ? "\n" : "",
			    goes_on ? 0 : n - at + left,
			    http_response_keeps_alive(&parser) ? "stays"
							       : "closes");
	}
	if (e.kind != ERR_NONE)
		note("%s", e.text);
}

static void
check_bytes(const char *name, enum http_method method, const char *bytes,
    size_t n, const char *want)
{
	size_t i;
	bool good;

	play(bytes, n, n, 0, method);
	if (!is_text(transcript, want, name))
		return;
	play(bytes, n, 1, 0, method);
	good = strcmp(transcript, want) == 0;
	for (i = 1; good && i < n; i++) {
		play(bytes, n, n, i, method);
		good = strcmp(transcript, want) == 0;
	}
	if (!ok(good, "%s: the same in any pieces", name))
		printf("# cut at %zu: %s\n", i, transcript);
}

/* The usual case: a GET, and no NUL within. */
static void
check(const char *name, const char *bytes, const char *want)
{
	check_bytes(name, HTTP_GET, bytes, strlen(bytes), want);
}

static void
check_framing(void)
{
	check("length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
	    "head 200 [OK] Content-Length=[5]\nbody hello\nend, 0 left, "
	    "stays\n");
	check("length 0", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	    "head 200 [OK] Content-Length=[0]\nend, 0 left, stays\n");
	check("bytes behind the end",
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello",
	    "head 200 [OK] Content-Length=[2]\nbody he\nend, 3 left, "
	    "stays\n");
	check("until close", "HTTP/1.1 200 OK\r\n\r\nhello",
	    "head 200 [OK]\nbody hello\nend, 0 left, closes\n");
	check("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello",
	    "head 200 [OK]\nbody hello\nend, 0 left, closes\n");
	check("HTTP/1.0 that closes",
	    "HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx",
	    "head 200 [OK] content-length=[1]\nbody x\nend, 0 left, closes\n");
	check("HTTP/1.0 that stays",
	    "HTTP/1.0 200 OK\r\ncontent-length: 1\r\nConnection: foo, "
	    "Keep-Alive\r\n\r\nx",
	    "head 200 [OK] content-length=[1] Connection=[foo, "
	    "Keep-Alive]\nbody x\nend, 0 left, stays\n");
	check("a server that closes",
	    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: "
	    "close\r\n\r\nx",
	    "head 200 [OK] Content-Length=[1] Connection=[close]\nbody "
	    "x\nend, 0 left, closes\n");
	check("204 has no body", "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n",
	    "head 204 [No] Content-Length=[5]\nend, 0 left, stays\n");
	check("304 has no body",
	    "HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n",
	    "head 304 [Same] Transfer-Encoding=[chunked]\nend, 0 left, "
	    "stays\n");
	check("equal lengths",
	    "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\nContent-Length: "
	    "01\r\n\r\nx",
	    "head 200 [OK] Content-Length=[1, 1] Content-Length=[01]\nbody "
	    "x\nend, 0 left, stays\n");
	check_bytes("HEAD has no body", HTTP_HEAD,
	    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 38,
	    "head 200 [OK] Content-Length=[5]\nend, 0 left, stays\n");
	check_bytes("CONNECT has no body", HTTP_CONNECT,
	    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", 41,
	    "head 200 [OK] Content-Length=[5]\nend, 3 left, stays\n");
	check_bytes("CONNECT that was declined", HTTP_CONNECT,
	    "HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\nabc", 41,
	    "head 403 [No] Content-Length=[3]\nbody abc\nend, 0 left, "
	    "stays\n");
}

static const struct {
	const char *name, *bytes, *want;
} chunk_rows[] = {
    {"chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
	"body hello world\nend, 0 left, stays\n"},
    {"no data", "0\r\n\r\n", "end, 0 left, stays\n"},
    {"hexadecimal in both cases",
	"A\r\n0123456789\r\nb\r\n0123456789a\r\n00\r\n\r\n",
	"body 01234567890123456789a\nend, 0 left, stays\n"},
    {"extensions are ignored", "1;a\r\nx\r\n1 ;b=\"c;d\"\r\ny\r\n0;e\r\n\r\n",
	"body xy\nend, 0 left, stays\n"},
    {"trailer", "1\r\nx\r\n0\r\nA: b\r\nContent-Length: 9\r\n\r\nleft",
	"body x\nend, 4 left, stays\n"},
    {"trailer with bare LF", "1\r\nx\r\n0\r\nA: b\n\nleft",
	"body x\nend, 4 left, stays\n"},
    {"malformed trailer", "1\r\nx\r\n0\r\nA\r\n\r\n",
	"body x\nerror\nthe trailer after the chunks: malformed "
	"field: 'A'"},
    {"no last chunk", "5\r\nhello\r\n",
	"body hello\nerror\ntruncated: the connection ended after 5 "
	"bytes, before the last chunk"},
    {"within a chunk", "5\r\nhel",
	"body hel\nerror\ntruncated: the connection ended after 3 "
	"bytes, in a chunk that lacks another 2"},
    {"within the trailer", "1\r\nx\r\n0\r\nA: b\r\n",
	"body x\nerror\ntruncated: the connection ended after 1 byte, "
	"before the last chunk"},
    {"no size", "\r\nx",
	"error\nmalformed chunk: '\\r' where a hexadecimal size should "
	"begin"},
    {"sign", "+1\r\nx",
	"error\nmalformed chunk: '+' where a hexadecimal size should "
	"begin"},
    {"negative", "-1\r\nx",
	"error\nmalformed chunk: '-' where a hexadecimal size should "
	"begin"},
    {"blank before", " 1\r\nx",
	"error\nmalformed chunk: ' ' where a hexadecimal size should "
	"begin"},
    {"blank behind", "1 \r\nx", "error\nmalformed chunk: '\\r' after its size"},
    {"0x", "0x1\r\nx", "error\nmalformed chunk: 'x' in its size"},
    {"no digit", "g\r\nx",
	"error\nmalformed chunk: 'g' where a hexadecimal size should "
	"begin"},
    {"bare LF", "1\nx", "error\nmalformed chunk: '\\n' in its size"},
    {"bare LF in an extension", "1;a\nx",
	"error\nmalformed chunk: '\\n' in its extension"},
    {"bare CR", "1\rx", "error\nmalformed chunk: 'x' where its size line ends"},
    {"data too long", "1\r\nxy\r\n",
	"body x\nerror\nmalformed chunk: 'y' after its data, where "
	"CRLF should be"},
    {"largest size", "7fffffffffffffff\r\nx",
	"body x\nerror\ntruncated: the connection ended after 1 byte, "
	"in a chunk that lacks another 9223372036854775806"},
    {"too large a size", "8000000000000000\r\nx",
	"error\nmalformed chunk: its size is too large"},
    {"far too large a size", "10000000000000000\r\nx",
	"error\nmalformed chunk: its size is too large"},
};

static void
check_chunks(void)
{
	static const char head[] =
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	static const char told[] =
	    "head 200 [OK] Transfer-Encoding=[chunked]\n";
	char bytes[512], want[512];
	size_t i;

	for (i = 0; i < sizeof(chunk_rows) / sizeof(chunk_rows[0]); i++) {
		snprintf(
		    bytes, sizeof(bytes), "%s%s", head, chunk_rows[i].bytes);
		snprintf(want, sizeof(want), "%s%s", told, chunk_rows[i].want);
		check(chunk_rows[i].name, bytes, want);
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
	char bytes[256], want[256];
	size_t i;

	check("Transfer-Encoding beats Content-Length",
	    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: "
	    "Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
	    "head 200 [OK] Content-Length=[3] Transfer-Encoding=[Chunked]\n"
	    "body x\nend, 0 left, closes\n");
	check("chunked under HTTP/1.0",
	    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: "
	    "chunked\r\n\r\n0\r\n\r\n",
	    "head 200 [OK] Connection=[keep-alive] "
	    "Transfer-Encoding=[chunked]\nend, 0 left, closes\n");
	check("chunked twice",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	    "transfer-encoding: chunked\r\n\r\n",
	    "error\nmalformed Transfer-Encoding: chunked twice");
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		snprintf(bytes, sizeof(bytes),
		    "HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n"
		    "Content-Length: 1\r\n\r\nx",
		    refused[i][0]);
		snprintf(want, sizeof(want),
		    "error\nthe body comes in the transfer coding '%s', which "
		    "was not asked for",
		    refused[i][1]);
		check("a coding that was not asked for", bytes, want);
	}
	for (i = 0; i < sizeof(chunked) / sizeof(chunked[0]); i++) {
		snprintf(bytes, sizeof(bytes),
		    "HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n"
		    "1\r\nx\r\n0\r\n\r\n",
		    chunked[i]);
		snprintf(want, sizeof(want),
		    "head 200 [OK] Transfer-Encoding=[%s]\nbody x\nend, 0 "
		    "left, stays\n",
		    chunked[i]);
		check("empty elements and identity", bytes, want);
	}
	check("identity alone leaves the length",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n"
	    "Content-Length: 1\r\n\r\nxy",
	    "head 200 [OK] Transfer-Encoding=[identity] Content-Length=[1]\n"
	    "body x\nend, 1 left, stays\n");
}

static void
check_bad_lengths(void)
{
	static const char *const bad[] = {"+5", "-5", "5x", "0x5", "", "5, 6",
	    "5,", "5 5", "9223372036854775808", "99999999999999999999999"};
	char bytes[256];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(bytes, sizeof(bytes),
		    "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\nhello",
		    bad[i]);
		check("bad length", bytes,
		    "error\nthe Content-Length is malformed, or there are "
		    "several that differ");
	}
	check("lengths that differ",
	    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: "
	    "6\r\n\r\nhello",
	    "error\nthe Content-Length is malformed, or there are several "
	    "that differ");
	check("truncated", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
	    "head 200 [OK] Content-Length=[10]\nbody hello\nerror\ntruncated: "
	    "the connection ended after 5 of 10 bytes");
}

static void
check_heads(void)
{
	check("no reason", "HTTP/1.1 200 \r\n\r\n",
	    "head 200 []\nend, 0 left, closes\n");
	check("no blank before it", "HTTP/1.1 200\r\n\r\n",
	    "head 200 []\nend, 0 left, closes\n");
	check("bare LF", "HTTP/1.1 200 OK\nA: b\nContent-Length: 1\n\nx",
	    "head 200 [OK] A=[b] Content-Length=[1]\nbody x\nend, 0 left, "
	    "stays\n");
	check("blanks around a value",
	    "HTTP/1.1 204 OK\r\nA: \t b c \t\r\n\r\n",
	    "head 204 [OK] A=[b c]\nend, 0 left, stays\n");
	check("an empty value", "HTTP/1.1 204 OK\r\nA:\r\nB: \r\n\r\n",
	    "head 204 [OK] A=[] B=[]\nend, 0 left, stays\n");
	check("folded lines",
	    "HTTP/1.1 204 OK\r\nA: b \r\n \t c\r\n  \r\n\td\r\nE:\r\n f\r\nG: "
	    "h\r\n\r\n",
	    "head 204 [OK] A=[b c d] E=[f] G=[h]\nend, 0 left, stays\n");
	check("interim responses",
	    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: "
	    "x\r\n\r\nHTTP/1.1 204 OK\r\n\r\n",
	    "interim 100 [Continue]\ninterim 103 [Hints] Link=[x]\nhead 204 "
	    "[OK]\nend, 0 left, stays\n");
	check("status 999", "HTTP/1.1 999 Odd\r\n\r\n",
	    "head 999 [Odd]\nend, 0 left, closes\n");
	check("101", "HTTP/1.1 101 Switch\r\n\r\n",
	    "error\nstatus 101: the server switches to a protocol that nobody "
	    "asked for");
	check("the end in the head", "HTTP/1.1 200 OK\r\nA: b\r\n",
	    "error\ntruncated: the connection ended in the head, after 23 "
	    "bytes of it");
	check("nothing at all", "",
	    "error\nthe server closed the connection without a response (it "
	    "failed, or it serves another protocol on that port)");
}

/* All of these are refused; what is said about them is not compared. */
static void
refuse(const char *name, const char *bytes, size_t n)
{
	size_t i;
	bool good;

	play(bytes, n, n, 0, HTTP_GET);
	good = strncmp(transcript, "error\n", 6) == 0;
	for (i = 1; good && i < n; i++) {
		play(bytes, n, n, i, HTTP_GET);
		good = strncmp(transcript, "error\n", 6) == 0;
	}
	if (!ok(good, "%s is refused", name))
		printf("# %s\n", transcript);
}

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
		refuse(bad[i], bad[i], strlen(bad[i]));
	refuse("NUL", nul, sizeof(nul) - 1);
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

	play(good, strlen(good), strlen(good), 0, HTTP_GET);
	ok(strstr(transcript, "error\n") == NULL, "%s: as many as allowed",
	    name);
	play(bad, strlen(bad), 100, 0, HTTP_GET);
	ok(strstr(transcript, "error\n") != NULL, "%s: one more", name);
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
		    "HTTP/1.1 204 OK\r\nContent-Range: %s\r\n\r\n",
		    rows[i].value);
		play(bytes, strlen(bytes), 100, 0, HTTP_GET);
		good = http_head_content_range(&parser.head, &r);
		ok(good == rows[i].good &&
			(!good ||
			    (r.from == rows[i].from && r.to == rows[i].to &&
				r.total == rows[i].total)),
		    "Content-Range: %s", rows[i].value);
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
	test_start();
	check_framing();
	check_chunks();
	check_codings();
	check_bad_lengths();
	check_heads();
	check_bad_heads();
	check_bounds();
	check_ranges();
	return done_testing();
}
