/* Heads of requests, good and bad, and the responses to them. */
#include "lib/tap.h"
#include "http/http_server.h"

static int
judge(const char *head, struct http_server *r)
{
	size_t n = http_server_head_length(head, strlen(head));

	is_int((long long)n, (long long)strlen(head), "the head is whole");
	return http_server_parse(r, head, n);
}

static void
test_good(void)
{
	struct http_server r;

	is_int(judge("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &r), 200, "GET");
	ok(r.target_length == 1 && *r.target == '/' && !r.is_head,
	    "its target");
	is_int(judge("HEAD /x?y HTTP/1.1\r\nhost:a\r\n\r\n", &r), 200, "HEAD");
	ok(r.is_head, "is one");
	is_int(judge("GET / HTTP/1.0\r\n\r\n", &r), 200, "1.0 needs no Host");
	is_int(judge("\r\n\r\nGET / HTTP/1.1\nHost: a\n\n", &r), 200,
	    "empty lines in front and bare LF");
	is_int(judge("POST / HTTP/1.1\r\nHost: a\r\n\r\n", &r), 405, "POST");
	is_int(judge("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", &r), 501, "BREW");
	is_int(judge("GET / HTTP/2.0\r\n\r\n", &r), 505, "version 2");
	is_int(judge("GET / HTTP/0.9\r\n\r\n", &r), 505, "version 0");
	is_int(judge("GET / HTTP/9.0\r\n\r\n", &r), 505, "version 9");
	is_int(judge("GET / HTTP/1.9\r\nHost: a\r\n\r\n", &r), 200, "1.9");
	is_int(judge("GET / HTTP/1.1\r\nHost: a\r\nLike: b\tc\r\n\r\n", &r),
	    200, "a tab in a field as long as Host");
}

static void
test_bad(void)
{
	static const char *const bad[] = {"GET\r\n\r\n", "GET /\r\n\r\n",
	    "GET / HTTP/1.1\r\n\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
	    "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
	    "GET / http/1.1\r\nHost: a\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\r\nX: \001\r\n\r\n",
	    "G\001T / HTTP/1.1\r\nHost: a\r\n\r\n",
	    "GET /\177 HTTP/1.1\r\nHost: a\r\n\r\n", " GET / HTTP/1.1\r\n\r\n",
	    "\026\003\001\r\n\r\n", "GET / HTTP/1x1\r\nHost: a\r\n\r\n",
	    "GET / HTTP//.1\r\nHost: a\r\n\r\n",
	    "GET / HTTP/:.1\r\nHost: a\r\n\r\n",
	    "GET / HTTP/1./\r\nHost: a\r\n\r\n",
	    "GET / HTTP/1.:\r\nHost: a\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\177\r\n\r\n"};
	struct http_server r;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_int(judge(bad[i], &r), 400, bad[i]);
	is_int(http_server_parse(&r, "\r\n", 2), 400, "an empty line alone");
}

static void
test_pieces(void)
{
	const char *head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	size_t i, n = strlen(head);

	for (i = 0; i < n; i++)
		if (http_server_head_length(head, i) != 0)
			break;
	is_int((long long)i, (long long)n, "a head ends with its last byte");
	is_int((long long)http_server_head_length("\r\n\r\n", 4), 0,
	    "empty lines alone are none");
}

static void
test_answer(void)
{
	char text[HTTP_SERVER_TEXT + 1];
	size_t n = http_server_make_head(text, 405, 12);

	text[n] = '\0';
	ok(strstr(text, "HTTP/1.1 405 Method Not Allowed\r\n") == text, "405");
	ok(strstr(text, "\r\nAllow: GET, HEAD\r\n") != NULL, "says what is");
	ok(strstr(text, "\r\nContent-Length: 12\r\n") != NULL, "the length");
	ok(strstr(text, "\r\nConnection: close\r\n\r\n") != NULL, "the end");
}

int
main(void)
{
	test_good();
	test_bad();
	test_pieces();
	test_answer();
	return done_testing();
}
