/* Requests: their fields and ranges, what replaces what, and what fits. */
#include "http/http_request.h"

#include "base/err.h"
#include "http/url.h"
#include "lib/tap.h"

#define DEFAULTS \
	"User-Agent: sockt\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
#define ALIVE "Connection: keep-alive\r\n\r\n"

static char built[HTTP_REQUEST_SIZE];

/* Checks a request of the URL http://a:81/b?c#d, or of another. */
static void
check_url(struct http_request r, const char *url, const char *want)
{
	struct err e = ERR_INIT;
	struct url u;

	url_parse(&u, url, &e);
	r.url = &u;
	ok(http_request_build(&r, built, &e) == 0 && strcmp(built, want) == 0,
	    "a request of %s with %zu fields", url, r.field_count);
	if (strcmp(built, want) != 0)
		printf("# %s\n", built);
}

static void
check(struct http_request r, const char *want)
{
	check_url(r, "http://a:81/b?c#d", want);
}

static void
test_forms(void)
{
	check((struct http_request){0},
	    "GET /b?c HTTP/1.1\r\nHost: a:81\r\n" DEFAULTS ALIVE);
	check((struct http_request){.method = HTTP_HEAD, .closes = true},
	    "HEAD /b?c HTTP/1.1\r\nHost: a:81\r\n" DEFAULTS
	    "Connection: close\r\n\r\n");
	check((struct http_request){.is_absolute = true},
	    "GET http://a:81/b?c HTTP/1.1\r\nHost: a:81\r\n" DEFAULTS ALIVE);
	check_url((struct http_request){0}, "http://a",
	    "GET / HTTP/1.1\r\nHost: a\r\n" DEFAULTS ALIVE);
	check_url((struct http_request){0}, "http://[::1]:80/?",
	    "GET /? HTTP/1.1\r\nHost: [::1]\r\n" DEFAULTS ALIVE);
}

static void
test_conditions(void)
{
	check((struct http_request){.range = "0-9", .if_range = "\"x\""},
	    "GET /b?c HTTP/1.1\r\nHost: a:81\r\n" DEFAULTS
	    "Range: bytes=0-9\r\nIf-Range: \"x\"\r\n" ALIVE);
	check((struct http_request){.range = "-5"},
	    "GET /b?c HTTP/1.1\r\nHost: a:81\r\n" DEFAULTS
	    "Range: bytes=-5\r\n" ALIVE);
	check((struct http_request){.if_range = "\"x\""},
	    "GET /b?c HTTP/1.1\r\nHost: a:81\r\n" DEFAULTS ALIVE);
	check((struct http_request){.if_modified_since = "then"},
	    "GET /b?c HTTP/1.1\r\nHost: a:81\r\n" DEFAULTS
	    "If-Modified-Since: then\r\n" ALIVE);
	check_url((struct http_request){.proxy_user = "v:"},
	    "http://u:p@a:81/b?c",
	    "GET /b?c HTTP/1.1\r\nHost: a:81\r\n" DEFAULTS
	    "Authorization: Basic dTpw\r\n"
	    "Proxy-Authorization: Basic djo=\r\n" ALIVE);
}

/* What the user's fields replace and remove. */
static void
test_fields(void)
{
	static const char *const add[] = {"X: 1", "X: 2", "Y:"};
	static const char *const replace[] = {"user-agent: me", "HOST:b",
	    "Authorization: none", "Connection: close"};
	static const char *const none[] = {"User-Agent:", "Accept: \t",
	    "Accept-Encoding: ", "Host:", "Connection:"};
	static const char *const similar[] = {"Hos: x", "Host2: y"};

	check((struct http_request){.fields = add, .field_count = 3},
	    "GET /b?c HTTP/1.1\r\nHost: a:81\r\n" DEFAULTS
	    "X: 1\r\nX: 2\r\n" ALIVE);
	check_url((struct http_request){.fields = replace, .field_count = 4},
	    "http://u:p@a:81/b?c",
	    "GET /b?c HTTP/1.1\r\nAccept: */*\r\n"
	    "Accept-Encoding: identity\r\nuser-agent: me\r\nHOST:b\r\n"
	    "Authorization: none\r\nConnection: close\r\n\r\n");
	check((struct http_request){.fields = none, .field_count = 5},
	    "GET /b?c HTTP/1.1\r\n\r\n");
	check((struct http_request){.fields = similar, .field_count = 2},
	    "GET /b?c HTTP/1.1\r\nHost: a:81\r\n" DEFAULTS
	    "Hos: x\r\nHost2: y\r\n" ALIVE);
}

static void
test_sizes(void)
{
	static const char none[] =
	    "GET / HTTP/1.1\r\nHost: a\r\n" DEFAULTS "\r\n" ALIVE;
	static char field[HTTP_REQUEST_SIZE - sizeof(none) + 2];
	const char *const fields[] = {field};
	struct http_request r = {
	    .method = HTTP_GET, .fields = fields, .field_count = 1};
	struct err e = ERR_INIT;
	char user[URL_USER_SIZE] = "";
	struct url u;

	url_parse(&u, "http://a/", &e);
	r.url = &u;
	memset(field, 'x', sizeof(field) - 1);
	field[1] = ':';
	is_int(
	    http_request_build(&r, built, &e), -1, "one byte more than fits");
	is_int((int)e.kind, ERR_USAGE, "which is a wrong usage");
	field[sizeof(field) - 2] = '\0';
	is_int(
	    http_request_build(&r, built, &e), 0, "a request that just fits");
	is_int((ssize_t)strlen(built), sizeof(built) - 1, "all of it");
	r.field_count = 0;
	memset(user, 'u', URL_USER_SIZE - 1);
	r.proxy_user = user;
	is_int(http_request_build(&r, built, &e), 0, "the longest user");
	is_int((ssize_t)strlen(built),
	    (ssize_t)(sizeof(none) - 3 +
		      strlen("Proxy-Authorization: Basic \r\n") +
		      (URL_USER_SIZE + 1) / 3 * 4),
	    "all of it, too");
}

static void
test_check(void)
{
	static const char *const good[] = {"X: 1", "X:", "X:\t\xc3\xa9~",
	    "Content-Type: text/plain", "Ranges: 1", "Rang: 1"};
	static const char *const bad[] = {"", ":", "X", "X : 1", "X\t: 1",
	    "X: \r\nY: 1", "X: \x1f", "X: \x7f", "X: \x01", "Content-Length: 0",
	    "transfer-encoding: chunked", "Range: bytes=0-", "If-Range: x"};
	struct err e = ERR_INIT;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		is_int(http_request_check_field(good[i], &e), 0, good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(http_request_check_field(bad[i], &e) < 0, "bad field %zu",
		    i);
}

static void
check_range(const char *text, int64_t from, int64_t to)
{
	struct http_range r;

	ok(http_request_parse_range(text, &r), "the range %s", text);
	is_int(r.from, from, "from there");
	is_int(r.to, to, "to there");
}

static void
test_ranges(void)
{
	static const char *const bad[] = {"", "-", "1", "x-", "-x", "1-x",
	    "2-1", "1--2", "--1", "1-2-", " 1-2", "9223372036854775808-",
	    "00000000000000000000000000000001-", "5"};
	struct http_range r;
	size_t i;

	check_range("0-", 0, INT64_MAX);
	check_range("0-0", 0, 0);
	check_range("1-2", 1, 2);
	check_range("-1", -1, 1);
	check_range("-0", -1, 0);
	check_range("9223372036854775807-", INT64_MAX, INT64_MAX);
	check_range("0000000000000000000000000000001-", 1, INT64_MAX);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!http_request_parse_range(bad[i], &r), "'%s' is no range",
		    bad[i]);
}

/* Whatever its source, no text may begin a line of its own. */
static void
test_control_bytes(void)
{
	static char buf[HTTP_REQUEST_SIZE];
	static const char *const field = "X: 1\r\nY: 2";
	struct url u = {.host = "h", .port = 80, .target = "/"};
	struct http_request r = {.url = &u, .range = "0-"};
	struct err e = ERR_INIT;

	is_int(http_request_build(&r, buf, &e), 0, "a request");
	r.if_range = "\"a\r\nX: 1\"";
	ok(http_request_build(&r, buf, &e) < 0, "a validator with CRLF");
	r.if_range = NULL;
	r.fields = &field;
	r.field_count = 1;
	ok(http_request_build(&r, buf, &e) < 0, "a field with CRLF");
	r.field_count = 0;
	strcpy(u.target, "/ HTTP/1.1\r");
	ok(http_request_build(&r, buf, &e) < 0, "a target with CR");
	strcpy(u.target, "/");
	strcpy(u.host, "h\nX: 1");
	ok(http_request_build(&r, buf, &e) < 0, "a host with LF");
}

int
main(void)
{
	test_forms();
	test_conditions();
	test_fields();
	test_sizes();
	test_check();
	test_ranges();
	test_control_bytes();
	return done_testing();
}
